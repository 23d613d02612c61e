// @ts-check
// Is what stands here current? LIVE, DELAYED or STALE, judged by the monotonic clock; and what time it is at the server.

import { announce, hush } from "./toasts.js";
import { gettext } from "./words.js";

const DELAYED_AFTER_MS = 10_000; // without a beat
const STALE_AFTER_MS = 15_000;
const LOOK_EVERY_MS = 500;
const SLEPT_MS = 5_000; // the monotonic clock may stand still in sleep; then the wall clock parts from it

let heardAt = 0; // the page itself is as fresh as the moment at which it was asked for
let serverTime = Date.now();
let serverTimeAt = performance.now();
let connected = false;
let gap = false;
/** What a word takes to come, by two clocks that do not agree: only that it takes longer than it did says something. */
let shortest = Infinity;
let heldBack = 0; // ms, by a network that buffers
/** @type {() => void} */
let afterHeldBack = () => {};
/** What had the focus when the page became stale. @type {Element | null} */
let focused = null;
/** @type {() => void} */
let afterSleep = () => {};
/** @type {(() => void)[]} */
const atTheEnd = [];

/** The stream said something `late` ms ago; `now` is the server's time, where it told it. @param {number} late @param {string} [now] */
export function heard(late, now) {
  if (now) {
    const took = performance.now() - late - Date.parse(now);
    shortest = Math.min(shortest, took);
    heldBack = took - shortest;
  }
  const at = performance.now() - late - heldBack;
  heardAt = Math.max(heardAt, at);
  connected = true;
  if (now) {
    serverTime = Date.parse(now);
    serverTimeAt = at;
    showAsOf();
  }
  judge();
  if (heldBack > STALE_AFTER_MS) afterHeldBack();
}

/** A line begins, and how long its words take. @param {number} late @param {string} now */
export function lineBegan(late, now) {
  shortest = performance.now() - late - Date.parse(now);
  heldBack = 0;
}

/** @param {() => void} again what to do when words come too late to be of use, or the server's clock has jumped */
export function onHeldBack(again) {
  afterHeldBack = again;
}

/** For how long nothing has been heard, in ms. */
export function silentFor() {
  return performance.now() - heardAt;
}

/** The line is gone; what stands here ages from now on. */
export function disconnected() {
  connected = false;
  judge();
}

/** A known gap: never LIVE until it is filled. @param {boolean} open */
export function setGap(open) {
  gap = open;
  judge();
}

/** The server's time now, in ms since 1970. */
export function serverNow() {
  return serverTime + (performance.now() - serverTimeAt);
}

/** Nothing here may be seen any more. */
export function signedOut() {
  if (document.body.dataset.live === "signed-out") return;
  document.body.dataset.live = "signed-out";
  for (const end of atTheEnd) end();
  // Covered and gone: nobody reads it from the page's source either.
  for (const id of ["main", "summary", "urgent-list"]) document.getElementById(id)?.replaceChildren();
  hush();
  document.title = gettext("Signed out");
}

/** @param {() => void} end called once, when nobody is signed in any more */
export function onSignedOut(end) {
  atTheEnd.push(end);
}

/** Whether what stands here may be acted upon: it may be late, but not out of date. */
export function isCurrent() {
  return ["live", "delayed"].includes(document.body.dataset.live ?? "") && silentFor() <= STALE_AFTER_MS;
}

/** @param {() => void} resync what to do when the machine has slept */
export function onSleep(resync) {
  afterSleep = resync;
}

export function startFreshness() {
  const asOf = document.querySelector("[data-as-of]")?.getAttribute("datetime");
  if (asOf) serverTime = Date.parse(asOf);
  let lastDate = Date.now();
  let lastTick = performance.now();
  setInterval(() => {
    const parted = Math.abs(Date.now() - lastDate - (performance.now() - lastTick));
    lastDate = Date.now();
    lastTick = performance.now();
    if (parted > SLEPT_MS) {
      heardAt = -Infinity;
      afterSleep();
    }
    judge();
  }, LOOK_EVERY_MS);
  document.body.dataset.judged = ""; // survive.js looks for it
}

function judge() {
  const body = document.body;
  if (body.dataset.live === "signed-out") return;
  const silent = performance.now() - heardAt;
  const state =
    silent > STALE_AFTER_MS ? "stale" : silent > DELAYED_AFTER_MS || !connected || gap ? "delayed" : "live";
  if (state === "stale") showStaleAge(silent);
  if (body.dataset.live === state) return;
  if (state === "stale") announce(gettext("This screen is not current. Look at the monitors."), true);
  if (body.dataset.live === "stale") announce(gettext("This screen is current again."), false);
  if (state === "stale") focused = document.activeElement; // what is inert loses it
  const wasStale = body.dataset.live === "stale";
  body.dataset.live = state;
  document.getElementById("main")?.toggleAttribute("inert", state === "stale");
  if (state === "stale") for (const dialog of document.querySelectorAll("dialog")) dialog.close(); // else above the cover
  if (wasStale && focused instanceof HTMLElement && document.activeElement === body) focused.focus({ preventScroll: true });
}

function showAsOf() {
  for (const time of document.querySelectorAll("[data-as-of]")) {
    time.setAttribute("datetime", new Date(serverTime).toISOString());
    time.textContent = clockText(serverTime);
  }
}

/** @param {number} silent */
function showStaleAge(silent) {
  const since = document.querySelector("[data-stale-since]");
  if (since) since.textContent = clockText(serverTime);
  const age = document.querySelector("[data-stale-age]");
  const seconds = Math.round((serverNow() - serverTime) / 1000);
  if (age) age.textContent = Number.isFinite(silent) ? gettext("%(time)s old", { time: span(seconds) }) : gettext("out of date");
}

/** @param {number} seconds */
function span(seconds) {
  return seconds < 3_600 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : gettext("over an hour");
}

/** @param {number} ms */
function clockText(ms) {
  const timeZone = document.body.dataset.zone || "UTC";
  return new Date(ms).toLocaleTimeString("en-GB", { timeZone });
}
