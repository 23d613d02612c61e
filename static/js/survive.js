// @ts-check
// A page whose program was not loaded, or broke as it began, hears nothing and could not say so: it is made to look as old
// as it is, and loads anew by itself. So does a wall that has not been live for a minute: nobody is there to do it.
// A script of its own that imports nothing and waits for nothing, so that it runs though the others do not.

const LOOK_EVERY_MS = 1_000;
const STALE_AFTER_MS = 15_000; // as in freshness.js, which puts data-judged on the page once it looks itself
const TICKS_WITHIN_MS = 10_000;
const WALL_PATIENCE_MS = 60_000;

let wellAt = performance.now();
let againAt = soonAfter(0);

setInterval(look, LOOK_EVERY_MS);

function look() {
  const { dataset, classList } = document.body;
  const now = performance.now();
  const ticks = now - Number(dataset.ticked) < TICKS_WITHIN_MS;
  if (dataset.live === "signed-out" || (dataset.live === "live" && ticks)) wellAt = now;
  const unjudged = dataset.judged === undefined && now > STALE_AFTER_MS;
  if (unjudged) cover();
  if (unjudged || (classList.contains("board") && now - wellAt > WALL_PATIENCE_MS)) loadAnew(now);
}

function cover() {
  if (document.body.dataset.live === "stale") return;
  document.body.dataset.live = "stale";
  document.getElementById("main")?.setAttribute("inert", "");
  const say = document.getElementById("say-now");
  if (say) say.textContent = [...document.querySelectorAll("#veil .loud")].map((words) => words.textContent).join(" ");
}

/** Never into a page that says that there is no network: from there nothing leads back. @param {number} now */
async function loadAnew(now) {
  if (now < againAt) return;
  againAt = soonAfter(now);
  wellAt = now; // a wall's next try is a minute away
  const headers = { "X-By-Itself": "1" };
  const answer = await fetch(location.href, { method: "HEAD", headers, cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}

/** Not all pages of a hospital at once. @param {number} now */
function soonAfter(now) {
  return now + STALE_AFTER_MS * (1 + Math.random());
}
