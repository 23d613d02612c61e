// @ts-check
// The line to the server: one stream of frames, kept open, resumed where it broke, and distrusted when it is silent.

import { disconnected, heard, onSleep, setGap, signedOut, silentFor } from "./freshness.js";
import { toastFor } from "./toasts.js";
import { forgetVersions, reconcile, upsert, whenPageMustBeFetched } from "./upsert.js";

const VITALS_KEPT_MS = 45_000; // the server tells who joins what changed in the last minute
const SILENT_MS = 15_000; // three beats: the line is dead, whatever the browser thinks
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MOST_MS = 30_000;

let url = "";
let cursor = "";
let replayedUpTo = 0; // frames up to this number bring the screen up to date and make no toast
let failures = 0;
/** @type {AbortController | null} */
let line = null;
let resyncing = false;
/** The pages that are being fetched, one after the other: an older one never comes last. */
let fetching = Promise.resolve(true);
let fetchesWaiting = 0;

/** @param {string} streamUrl @param {string} pageCursor the cursor that the page was rendered at */
export function startStream(streamUrl, pageCursor) {
  url = streamUrl;
  cursor = pageCursor;
  onSleep(() => {
    line?.abort(); // it may have died meanwhile, and nobody noticed
    resync();
  });
  whenPageMustBeFetched(fetchOnce);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) resync();
  });
  window.addEventListener("online", () => line?.abort());
  keepOpen();
}

async function keepOpen() {
  for (;;) {
    const wait = await listen();
    if (wait === null) return signedOut();
    disconnected();
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Listen until the line ends. Resolves to how long to wait before the next try, or null: signed out. */
async function listen() {
  const mine = (line = new AbortController());
  const patience = setTimeout(() => mine.abort(), SILENT_MS); // some networks swallow a request and say nothing
  try {
    const response = await fetch(`${url}&after=${encodeURIComponent(cursor)}`, {
      headers: { Accept: "text/event-stream" },
      cache: "no-store",
      signal: mine.signal,
    });
    clearTimeout(patience);
    if (response.status === 401 || response.status === 403) return null;
    if (response.ok && response.body && (await read(response.body, mine)) === "auth") return null;
    return backoff(Number(response.headers.get("Retry-After")) * 1000 || 0);
  } catch {
    return backoff(0); // the network is gone, or the line was silent: both are tried again
  } finally {
    clearTimeout(patience);
    mine.abort();
  }
}

/** Full jitter, so that a thousand screens do not come back at the same instant. @param {number} atLeast ms */
function backoff(atLeast) {
  const most = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** failures++);
  return atLeast + Math.random() * most;
}

/** @param {ReadableStream<Uint8Array>} body @param {AbortController} mine */
async function read(body, mine) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let watchdog = 0;
  try {
    for (;;) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => mine.abort(), SILENT_MS);
      const { value, done } = await reader.read();
      if (done) return "ended";
      const blocks = (text + value).split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        if ((await handle(parse(block))) === "auth") return "auth";
      }
    }
  } finally {
    clearTimeout(watchdog);
  }
}

/** @param {string} block @returns {{event: string, id: string, data: string}} */
function parse(block) {
  const found = { event: "message", id: "", data: /** @type {string[]} */ ([]) };
  for (const row of block.split("\n")) {
    const [, field, value] = /^([a-z]+): ?(.*)$/.exec(row) ?? [];
    if (field === "event") found.event = value;
    if (field === "id") found.id = value;
    if (field === "data") found.data.push(value);
  }
  return { ...found, data: found.data.join("\n") };
}

/** The cursor moves only after what it stands for has been shown. @param {{event: string, id: string, data: string}} heardEvent */
async function handle({ event, id, data }) {
  if (event === "auth") return "auth";
  noticeEpoch(event === "hello" ? JSON.parse(data).cursor : id);
  if (event === "frame") await show(data, id);
  if (event === "hello") {
    const hello = JSON.parse(data);
    if (String(hello.person) !== document.body.dataset.person) location.reload(); // somebody else has signed in here
    const silent = silentFor(); // endless after sleep: that has been seen to already
    if (silent > VITALS_KEPT_MS && Number.isFinite(silent)) resync(); // vital signs are not replayed for longer
    replayedUpTo = hello.head;
    failures = 0;
    if (!hello.replay) heard(hello.now); // else the screen is current after the frame that comes next
  }
  if (event === "beat") heard(JSON.parse(data).now);
  if (id) cursor = id;
  if (event === "resync") resync();
  return "";
}

/** In another epoch the numbers count anew; those of before say nothing. @param {string} at */
function noticeEpoch(at) {
  if (!at || epochOf(at) === epochOf(cursor)) return;
  forgetVersions();
  replayedUpTo = numberOf(at);
}

/** @param {string} html @param {string} id */
async function show(html, id) {
  try {
    const shown = await upsert(html);
    if (numberOf(id) > replayedUpTo) shown.forEach(toastFor);
    heard();
  } catch (error) {
    console.error("a frame could not be shown", error);
    resync();
  }
}

/** There is a gap: fetch the page's regions anew. Until that is done the screen is not LIVE. */
async function resync() {
  if (resyncing) return;
  resyncing = true;
  setGap(true);
  for (let tries = 0; !(await fetchPage()); tries++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * BACKOFF_FIRST_MS * 2 ** Math.min(tries, 5)));
  }
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
    headers: { Accept: "text/html" },
    cache: "no-store",
    signal: AbortSignal.timeout(SILENT_MS),
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

/** @param {string} at a cursor, `<epoch>-<number>` */
function epochOf(at) {
  return at.split("-")[0];
}

/** @param {string} at a cursor, `<epoch>-<number>` */
function numberOf(at) {
  return Number(at.split("-").pop());
}
