// @ts-check
// One stream for all tabs of a browser: what they look at together, from the smallest of their cursors. No DOM.
// Runs as a SharedWorker; where there is none, the page runs it itself, with one port.

import { epochOf, numberOf } from "./cursor.js";
import { Line } from "./line.js";

const KEPT_FRAMES = 1_000;
const VITALS_KEPT_MS = 45_000; // the server tells who joins what changed in the last minute
const PING_MS = 5_000;
const PINGS_UNANSWERED = 2; // then the tab is gone or frozen: it gets nothing more until it speaks
const FRAMES_UNANSWERED = 300;
const LINGER_MS = 30_000; // what only a closed tab looked at is still heard for so long: it may just be changing pages
const AGAIN_MS = 1_000;
const REFUSED_MS = 30_000;

/** @typedef {import("./line.js").News} News */
/** @typedef {{views: string[], person: string, build: string, after: string, since: number}} Wish `after`: the cursor the page stands at; `since`: when it was current, ms since 1970 */
/** @typedef {{port: MessagePort, wish: Wish, pings: number, frames: number}} Tab */
/** @typedef {News & {at: number}} Heard `at`: when it came, ms since 1970 */

/** Those that look on. @type {Set<Tab>} */
const tabs = new Set();
/** The last frames, complete after `floor` and, of vital signs, since `vitalsSince`. @type {Heard[]} */
let ring = [];
let floor = "";
let vitalsSince = Infinity;
/** All up to here has been heard. */
let cursor = "";
/** What the next connection must fall back to, for a tab that stands further back. @type {string | null} */
let behind = null;
/** What was asked for last, and what the present connection was asked for. @type {{views: string[], after: string}} */
let asked = { views: [], after: "" };
/** @type {string[]} */
let views = [];
/** The last hello and the last sign of life; null: nothing is heard now. @type {{hello: any, now: string, at: number} | null} */
let greeted = null;
/** The news that this build is old. @type {Heard | null} */
let reload = null;
let lingering = 0;

const line = new Line({ address, hear, down, refused });

if ("SharedWorkerGlobalScope" in globalThis) {
  globalThis.addEventListener("connect", (event) => connect(/** @type {MessageEvent} */ (event).ports[0]));
}
setInterval(ping, PING_MS);

/** A page says: join (a Wish), pong, leave, again (its network or its machine was away). @param {MessagePort} port */
export function connect(port) {
  /** @type {Tab} */
  const tab = { port, wish: { views: [], person: "", build: "", after: "", since: 0 }, pings: 0, frames: 0 };
  port.onmessage = ({ data: { say, ...wish } }) => {
    tab.pings = tab.frames = 0;
    if (say === "join") join(tab, wish);
    else if (say === "leave") leave(tab);
    else if (!tabs.has(tab)) send(tab, { event: "rejoin" });
    else if (say === "again") line.openWithin(AGAIN_MS);
  };
}

/** @param {Tab} tab @param {Wish} wish */
function join(tab, wish) {
  tab.wish = wish;
  const first = tabs.size === 0;
  tabs.add(tab);
  if (first) {
    [cursor, floor, behind, ring, vitalsSince] = [wish.after, wish.after, null, [], Infinity];
    return line.open();
  }
  const near = epochOf(wish.after) === epochOf(cursor) && numberOf(cursor) - numberOf(wish.after) <= KEPT_FRAMES;
  const covered = wish.views.every((view) => views.includes(view));
  if (covered && greeted) return bringUpToDate(tab, near);
  if (!near) send(tab, { event: "resync" });
  else if (numberOf(wish.after) < numberOf(behind ?? cursor)) behind = wish.after;
  if (behind !== null || !wish.views.every((view) => asked.views.includes(view))) line.open();
}

/** From the last frames, or not at all. @param {Tab} tab @param {boolean} near */
function bringUpToDate(tab, near) {
  const { after, since } = tab.wish;
  if (!greeted) return;
  const whole = near && numberOf(after) >= numberOf(floor) && since >= vitalsSince;
  const missed = ring.filter(({ id, at }) => (id ? numberOf(id) > numberOf(after) : at > since));
  const hello = { ...greeted.hello, cursor, head: numberOf(cursor), now: greeted.now, replay: whole && missed.length > 0 };
  send(tab, { event: "hello", id: "", data: JSON.stringify(hello), at: greeted.at });
  if (reload) send(tab, reload);
  if (whole) missed.forEach((frame) => send(tab, frame));
  else send(tab, { event: "resync" });
}

/** @param {Tab} tab */
function leave(tab) {
  tabs.delete(tab);
  clearTimeout(lingering);
  if (tabs.size > 0) lingering = setTimeout(narrow, LINGER_MS);
  else close();
}

function close() {
  line.close();
  greeted = null;
  asked = { views: [], after: "" };
  views = [];
}

function narrow() {
  if (union().length < views.length) line.open();
}

function union() {
  return [...new Set([...tabs].flatMap((tab) => tab.wish.views))].sort();
}

function address() {
  asked = { views: union(), after: behind ?? cursor };
  const [tab] = tabs;
  const query = new URLSearchParams(asked.views.map((view) => ["view", view]));
  query.append("after", asked.after);
  query.append("build", tab.wish.build);
  return `/live/stream?${query}`;
}

/** @param {News} news */
function hear(news) {
  const heard = { ...news, at: Date.now() };
  if (news.event === "hello") greet(JSON.parse(news.data), heard.at);
  if (news.event === "beat" && greeted) greeted = { ...greeted, now: JSON.parse(news.data).now, at: heard.at };
  if (news.event === "frame") keep(heard);
  if (news.event === "reload") reload = heard;
  if (news.event === "resync") [ring, floor, vitalsSince] = [[], news.id, heard.at - VITALS_KEPT_MS];
  if (news.id) cursor = news.id;
  for (const tab of tabs) send(tab, heard);
  if (news.event === "hello") for (const tab of foreigners()) tabs.delete(tab); // it has heard whose stream this is: no more
  if (news.event === "auth") tabs.clear();
  if (tabs.size === 0) close();
}

/** @param {any} hello @param {number} at */
function greet(hello, at) {
  const goesOn = asked.after === cursor && asked.views.join() === views.join();
  if (!goesOn) [ring, floor] = [[], asked.after];
  vitalsSince = at - VITALS_KEPT_MS;
  views = asked.views;
  cursor = asked.after;
  behind = null;
  greeted = { hello, now: hello.now, at };
}

/** Tabs of somebody else than whose stream this is. */
function foreigners() {
  return [...tabs].filter((tab) => tab.wish.person !== String(greeted?.hello.person ?? tab.wish.person));
}

/** @param {Heard} frame */
function keep(frame) {
  ring.push(frame);
  if (ring.length <= KEPT_FRAMES) return;
  const lost = /** @type {Heard} */ (ring.shift());
  if (lost.id) floor = lost.id;
  else vitalsSince = lost.at;
}

function down() {
  greeted = null;
  let first = true; // one of them counts it
  for (const tab of tabs) {
    send(tab, { event: "down", first });
    first = false;
  }
}

/** One of the views is not for this person any more: those who asked for a patient's page find out by fetching it. */
function refused() {
  const asking = [...tabs].filter((tab) => tab.wish.views.some((view) => view.startsWith("patient:")));
  for (const tab of asking) {
    tabs.delete(tab);
    send(tab, { event: "refused" });
  }
  if (tabs.size === 0) close();
  else line.openWithin(asking.length > 0 ? AGAIN_MS : REFUSED_MS);
}

function ping() {
  for (const tab of tabs) {
    if (tab.pings++ >= PINGS_UNANSWERED) leave(tab);
    else send(tab, { event: "ping" });
  }
}

/** @param {Tab} tab @param {Partial<Heard> & {event: string, first?: boolean}} what */
function send(tab, what) {
  if (what.event === "frame" && tab.frames++ >= FRAMES_UNANSWERED) {
    tab.port.postMessage({ event: "ping" }); // its answer brings it back
    return leave(tab);
  }
  tab.port.postMessage(what);
}
