// @ts-check
// Acts on their way to the server: in the order in which they were pressed, each done once, and within 30 s or never.

import { isCurrent, onSignedOut, serverNow } from "./freshness.js";
import { count } from "./reports.js";

const TOO_LATE_MS = 30_000; // after the press; what a tired person pressed then may be wrong now
const UNANSWERED_MS = 5_000;
const LOOK_EVERY_MS = 250;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MOST_MS = 2_000;

/** @typedef {"sending" | "waiting" | "unconfirmed"} Way waiting: not sent yet; unconfirmed: sent, and nobody knows what became of it */
/**
 * `name`: what was pressed, in words; `pressed`: when, by the monotonic and by the wall clock, either of which may stand
 * still while the machine sleeps. `tooMany`: how many seconds the server asked to wait, because there were too many.
 * @typedef {{path: string, name: string, address: string, request: RequestInit, way: Way, pressed: [number, number],
 *   tries: number, tooMany: number, notBefore: number, abort: () => void, answer: (response: Response) => void, giveUp: (why: Error) => void}} Act
 */

/** @type {Act[]} */
const queue = [];
let sending = false;
let looking = 0;
/** @type {(act: Act | null) => void} */
let tell = () => {};

/** @param {(act: Act | null) => void} changed called with an act whose way has changed; null: one has ended */
export function startQueue(changed) {
  tell = changed;
  onSignedOut(() => queue.splice(0).forEach((act) => act.abort()));
}

/**
 * Resolves to the server's answer, which is one and the same however often it had to be asked. Rejects with TooLate.
 * A key in `request` makes a repeat of what another press has begun; without one each press is an act of its own.
 * @param {string} path what is done, without its query @param {string} name @param {string} address @param {RequestInit} request
 * @returns {Promise<Response>}
 */
export function send(path, name, address, request) {
  const pressedAt = new Date(serverNow()).toISOString(); // the server itself does nothing that was pressed long ago
  const headers = { "Idempotency-Key": newKey(), ...request.headers, "Pressed-At": pressedAt };
  return new Promise((answer, giveUp) => {
    queue.push({
      ...{ path, name, address, answer, giveUp, way: "sending", tries: 0, tooMany: 0, notBefore: 0, abort: () => {} },
      ...{ request: { ...request, headers, keepalive: true }, pressed: [performance.now(), Date.now()] },
    });
    if (!looking) looking = setInterval(look, LOOK_EVERY_MS);
    look();
  });
}

/** What is on its way, in order. */
export function underWay() {
  return /** @type {readonly Act[]} */ (queue);
}

/** Whether it was pressed too long ago to be done. */
export class TooLate extends DOMException {
  /** @param {Act} act */
  constructor(act) {
    super(`${act.name} was pressed too long ago`, "AbortError"); // of which htmx makes no error
    this.act = act;
  }
}

function look() {
  for (const act of queue.filter(isLate)) end(act, () => act.giveUp(new TooLate(act)));
  const [first] = queue;
  if (!first) {
    clearInterval(looking);
    looking = 0;
  } else if (!sending && !isCurrent()) turn(first, first.tries ? first.way : "waiting");
  else if (!sending && performance.now() >= first.notBefore) ask(first);
  if (first?.way !== "sending") for (const act of queue.slice(1)) turn(act, "waiting");
}

/** @param {Act} act */
function isLate({ pressed: [steady, wall] }) {
  return Math.max(performance.now() - steady, Date.now() - wall) > TOO_LATE_MS;
}

/** @param {Act} act */
async function ask(act) {
  sending = true;
  if (act.way === "waiting") turn(act, "sending");
  const patience = new AbortController();
  act.abort = () => patience.abort();
  const timer = setTimeout(() => {
    turn(act, "unconfirmed");
    patience.abort();
  }, UNANSWERED_MS);
  try {
    const response = await fetch(act.address, { ...act.request, signal: patience.signal });
    const againS = Number(response.headers.get("Retry-After")) || 0;
    act.tooMany = response.status === 429 ? againS : 0;
    if (response.status === 429 || response.status >= 500) later(act, againS * 1000);
    else await answered(act, response);
  } catch {
    act.tooMany = 0;
    later(act, 0);
  } finally {
    clearTimeout(timer);
    sending = false;
    look();
  }
}

/** @param {Act} act @param {Response} response */
async function answered(act, response) {
  const { status, headers } = response;
  const text = await response.text(); // may break off as well
  end(act, () => act.answer(new Response(status === 204 ? null : text, { status, headers })));
}

/** @param {Act} act @param {number} atLeastMs */
function later(act, atLeastMs) {
  count("act");
  const most = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** act.tries++);
  act.notBefore = performance.now() + atLeastMs + Math.random() * most;
  if (act.way === "sending") turn(act, "waiting");
}

/** @param {Act} act @param {Way} way */
function turn(act, way) {
  if (act.way === way || !queue.includes(act)) return;
  act.way = way;
  tell(act);
}

/** @param {Act} act @param {() => void} how */
function end(act, how) {
  if (!queue.includes(act)) return;
  queue.splice(queue.indexOf(act), 1);
  how();
  act.abort();
  tell(null);
}

/** crypto.randomUUID would need HTTPS. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
