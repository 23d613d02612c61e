// @ts-check
// Nobody is there to load a wall anew: it does so by itself when it has not been live for a minute and the server answers.
// A script of its own that imports nothing, so that it runs though another could not be loaded.

const LOOK_EVERY_MS = 5_000;
const TICKS_WITHIN_MS = 10_000;
const PATIENCE_MS = 60_000;

let wellAt = performance.now();

setInterval(look, LOOK_EVERY_MS);

function look() {
  const { live, ticked } = document.body.dataset;
  const ticks = performance.now() - Number(ticked) < TICKS_WITHIN_MS;
  if ((live === "live" && ticks) || live === "signed-out") wellAt = performance.now();
  else if (performance.now() - wellAt > PATIENCE_MS) loadAnew();
}

/** Never into a page that says that there is no network: from there nothing leads back. */
async function loadAnew() {
  wellAt = performance.now(); // the next try is a minute away
  const headers = { "X-By-Itself": "1" };
  const answer = await fetch(location.href, { method: "HEAD", headers, cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}
