// @ts-check
// A service worker for the wall alone: when it loads and there is no server, it says so and tries again, in place of the
// browser's own words, from which nothing leads back. It keeps two files that know nobody, and never an alert.

const KEPT = "offline";
const PAGE = "/board/offline";
const STYLE = "/static/css/offline.css";
const NO_SERVER = [502, 504]; // says a proxy whose server is away

const worker = /** @type {any} */ (self);

worker.oninstall = (/** @type {any} */ event) => event.waitUntil(keep());

worker.onfetch = (/** @type {any} */ event) => {
  const { mode, url } = event.request;
  if (mode === "navigate") event.respondWith(answer(event.request, PAGE));
  else if (new URL(url).pathname === STYLE) event.respondWith(answer(event.request, STYLE));
};

async function keep() {
  const kept = await caches.open(KEPT);
  await kept.addAll([PAGE, STYLE].map((file) => new Request(file, { cache: "reload" })));
}

/** What the server says; where there is none, what is kept. @param {Request} request @param {string} instead */
async function answer(request, instead) {
  const response = await fetch(request).catch(() => null);
  if (response && !NO_SERVER.includes(response.status)) return response;
  return (await caches.match(instead)) ?? Response.error();
}
