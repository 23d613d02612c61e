// @ts-check
// What the stream says comes to the screen: in order, once, and distrusted when it is silent. The line itself: worker.js.

import { epochOf, numberOf } from "./cursor.js";
import { disconnected, heard, lineBegan, onHeldBack, onSignedOut, onSleep, setGap, signedOut, silentFor } from "./freshness.js";
import { count, painted } from "./reports.js";
import { toastFor } from "./toasts.js";
import { forgetVersions, reconcile, upsert, whenPageMustBeFetched } from "./upsert.js";
import { noticeBuild } from "./version.js";
import { connect } from "./worker.js";

const VITALS_KEPT_MS = 45_000; // the server tells who joins what changed in the last minute
const WORKER_LOOK_MS = 10_000; // it pings every 5 s, whatever the network does
const WORKER_LOOKS = 2; // in vain; a page that thaws looks once before it listens
const FETCH_MS = 15_000;
const RETRY_FIRST_MS = 1_000;
const ANEW_MS = 2_000;

const { person = "", rights = "", session = "" } = document.body.dataset;
const build = document.querySelector('meta[name="build"]')?.getAttribute("content") ?? "";

/** @type {string[]} */
let views = [];
let cursor = "";
let replayedUpTo = 0; // frames up to this number bring the screen up to date and make no toast
/** @type {MessagePort | null} */
let port = null;
let leaving = false; // it is being loaded anew: what comes meanwhile is not for the page that still stands here
let looks = 0; // after the worker, since it last spoke
/** What has been heard and is not shown yet, in order. */
let showing = Promise.resolve();
let resyncing = false;
let gapAgain = false; // another gap while the page for the first is on its way
/** The pages that are being fetched, one after the other: an older one never comes last. */
let fetching = Promise.resolve(true);
let fetchesWaiting = 0;

/** @param {string} address of the stream, as the page tells it @param {string} pageCursor the cursor that the page was rendered at */
export function startStream(address, pageCursor) {
  views = new URL(address, location.href).searchParams.getAll("view");
  cursor = pageCursor;
  const others = new BroadcastChannel(`session ${session}`); // one tab signs out: all are covered at once
  others.onmessage = signedOut;
  onSignedOut(() => {
    others.postMessage("signed out");
    say("leave");
  });
  document.querySelector('form[action="/sign-out"]')?.addEventListener("submit", () => others.postMessage("signed out"));
  onSleep(() => {
    say("again"); // the line may have died meanwhile, and nobody noticed
    resync();
  });
  onHeldBack(() => say("again"));
  whenPageMustBeFetched(fetchOnce);
  window.addEventListener("pagehide", () => say("leave"));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) resync().then(join);
  });
  window.addEventListener("online", () => say("again"));
  window.addEventListener("offline", disconnected);
  document.addEventListener("resume", () => resync()); // thawed
  listenTo(sharedPort() ?? ownPort());
}

/** The cursor up to which everything stands here; "" while a gap is being filled. It is what a wall board's pulse tells. */
export function paintedUpTo() {
  return resyncing ? "" : cursor;
}

/** @param {MessagePort} to */
function listenTo(to) {
  port = to;
  port.onmessage = ({ data }) => {
    if (port !== to) return;
    looks = 0;
    if (data.event === "ping") return say("pong");
    showing = showing.then(() => handle(data)).catch(() => count("stream"));
  };
  join();
}

function join() {
  say("join", { views, person, build, after: cursor, since: Date.now() - silentFor() });
}

/** @param {string} what @param {object} [more] */
function say(what, more) {
  port?.postMessage({ say: what, ...more });
}

/** One stream for all tabs of this session, this build and this language; null: this browser has no such thing. */
function sharedPort() {
  if (!("SharedWorker" in window)) return null;
  const worker = new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module", name: `${build} ${session} ${document.documentElement.lang}` });
  const without = () => {
    if (port !== worker.port) return;
    count("worker");
    clearInterval(watch);
    listenTo(ownPort());
  };
  const watch = setInterval(() => {
    if (looks++ >= WORKER_LOOKS) without(); // it has died
  }, WORKER_LOOK_MS);
  worker.onerror = without;
  return worker.port;
}

/** The same, for this tab alone. */
function ownPort() {
  const { port1, port2 } = new MessageChannel();
  connect(port2);
  return port1;
}

/** The cursor moves only after what it stands for has been shown. @param {{event: string, id: string, data: string, at: number, first: boolean}} news */
async function handle({ event, id, data, at, first }) {
  if (leaving) return;
  const late = Math.max(0, Date.now() - at); // a page that was frozen or busy hears things late
  if (event === "auth") return JSON.parse(data).why === "rights changed" ? beginAnew() : signedOut();
  noticeEpoch(id);
  if (event === "hello") greet(JSON.parse(data), late);
  if (event === "frame") await show(data, id, late);
  if (event === "beat") heard(late, JSON.parse(data).now);
  if (event === "reload") noticeBuild(JSON.parse(data).build);
  if (event === "down") {
    disconnected();
    if (first) count("stream");
  }
  if (id) cursor = id;
  if (event === "resync") resync();
  if (event === "rejoin") join();
  if (event === "refused") resync().then(join);
}

/** This person may see other things now than when the page was made: the server says which, or asks for a sign-in. */
function beginAnew() {
  leaving = true;
  document.getElementById("main")?.replaceChildren();
  setTimeout(() => location.reload(), ANEW_MS); // another tab may just be getting the new token that goes with it
}

/** @param {any} hello @param {number} late */
function greet(hello, late) {
  lineBegan(late, hello.now);
  noticeEpoch(hello.cursor);
  noticeBuild(hello.build);
  if (String(hello.person) !== person) location.reload(); // somebody else has signed in here
  if (hello.rights > rights) return beginAnew(); // another tab has opened the stream of both, with a page made since
  const silent = silentFor(); // endless after sleep: that has been seen to already
  if (silent > VITALS_KEPT_MS && Number.isFinite(silent)) resync(); // vital signs are not replayed for longer
  replayedUpTo = hello.head;
  if (!hello.replay) heard(late, hello.now); // else the screen is current after the frame that comes next
}

/** In another epoch the numbers count anew; those of before say nothing. @param {string} at */
function noticeEpoch(at) {
  if (!at || epochOf(at) === epochOf(cursor)) return;
  forgetVersions();
  replayedUpTo = numberOf(at);
}

/** @param {string} html @param {string} id @param {number} late */
async function show(html, id, late) {
  try {
    const shown = await upsert(html);
    if (numberOf(id) > replayedUpTo) {
      shown.forEach(toastFor);
      shown.forEach(painted);
    }
    heard(late);
  } catch (error) {
    console.error("a frame could not be shown", error);
    count("swap");
    resync();
  }
}

/** There is a gap: fetch the page's regions anew. Until that is done the screen is not LIVE. */
async function resync() {
  gapAgain = resyncing; // the page on its way may be older than this gap
  if (resyncing) return;
  resyncing = true;
  setGap(true);
  do {
    gapAgain = false;
    for (let tries = 0; !(await fetchPage()); tries++) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_FIRST_MS * 2 ** Math.min(tries, 5)));
    }
  } while (gapAgain);
  resyncing = false;
  setGap(false);
}

/** Something here tells more than the stream does. That is no gap, unless it cannot be fetched. */
async function fetchOnce() {
  if (fetchesWaiting < 2 && !(await fetchPage())) resync(); // the one that waits will show this news as well
}

/** Resolves to whether the page's regions are now as the server says; false: try again. */
function fetchPage() {
  fetchesWaiting++;
  fetching = fetching.then(fetchRegions).catch(() => false); // the network is gone: the veil comes by itself
  return fetching.finally(() => fetchesWaiting--);
}

async function fetchRegions() {
  const response = await fetch(location.href, {
    headers: { Accept: "text/html", "X-By-Itself": "1" }, // nobody did this: it keeps no sign-in alive
    cache: "no-store",
    signal: AbortSignal.timeout(FETCH_MS),
  });
  if (response.redirected && new URL(response.url).pathname === "/sign-in") {
    signedOut();
    return true;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const { person, cursor: at = "" } = page.body.dataset;
  if (person && (person !== document.body.dataset.person || response.status === 403 || response.status === 404)) {
    location.reload(); // somebody else has signed in here, or this page is not for this person any more
    return false;
  }
  if (!response.ok) return false;
  noticeEpoch(at);
  await reconcile(page, numberOf(at));
  if (epochOf(at) !== epochOf(cursor) || numberOf(at) > numberOf(cursor)) cursor = at;
  return true;
}
