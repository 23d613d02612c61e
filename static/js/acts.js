// @ts-check
// Pressing a button: what the card says until the server has answered, and never more than the server has said.

import { onSignedOut, signedOut } from "./freshness.js";
import { TooLate, send, startQueue, underWay } from "./queue.js";
import { count } from "./reports.js";
import { hasJustMoved } from "./places.js";
import { announce, toast } from "./toasts.js";
import { afterEachChange, upsert } from "./upsert.js";
import { gettext } from "./words.js";

const LOST = "presses that were lost"; // of this tab, on its way to the next page

/** The row under the finger, if it had only just come there. @type {Element | null} */
let aimed = null;

export function startActs() {
  onSignedOut(tellUnsent); // before the queue forgets
  startQueue((act) => {
    if (act?.way === "waiting" && act.tooMany) tellWait(act.name, act.tooMany);
    else if (act?.way === "waiting") announce(gettext("%(act)s: not sent yet", { act: act.name }), true);
    if (act?.way === "unconfirmed") announce(gettext("%(act)s: not confirmed", { act: act.name }), true);
    mark();
  });
  // htmx tells the document itself about a button that has gone: a race is lost that way.
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    ctx.request.headers["X-CSRF-Token"] = csrfToken();
    if (!isAct(ctx)) return;
    const path = pathOf(ctx);
    if (underWay().some((act) => act.path === path)) return event.preventDefault(); // pressed twice
    ctx.fetch = (/** @type {string} */ address, /** @type {RequestInit} */ request) => {
      const sent = send(path, nameOf(ctx.sourceElement), address, request);
      mark();
      return sent.catch(expired);
    };
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    if (ctx.response.status === 401) signedOut();
    if (isAct(ctx)) answered(ctx);
  });
  document.addEventListener("pointerdown", ({ target }) => (aimed = rowOf(target)), { capture: true });
  document.addEventListener("click", holdBack, { capture: true });
  document.addEventListener("refused", (event) => toast(/** @type {CustomEvent} */ (event).detail.sentence, true));
  afterEachChange(mark);
  tellLost();
  window.addEventListener("pagehide", keepLost);
}

/** A press on a row that came under the finger was meant for another. @param {MouseEvent} event */
function holdBack(event) {
  const row = aimed;
  aimed = null;
  if (!row || event.detail === 0 || !(event.target instanceof Element && event.target.closest("button[data-act]"))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  toast(gettext("That row had just moved here. Nothing was done: press again."), false, true);
}

/** The row that a finger comes down on, if that row has only just come there. @param {EventTarget | null} target */
function rowOf(target) {
  const row = target instanceof Element ? target.closest("article") : null;
  return row && hasJustMoved(row) ? row : null;
}

/** Whether something is on its way that a reload would lose. */
export function isActing() {
  return underWay().length > 0;
}

/** @param {any} ctx */
async function answered(ctx) {
  if (ctx.response.status >= 400 && !ctx.hx?.trigger) {
    count("act");
    toast(gettext("This was not done. Load the page again, then try again."), true);
  }
  const text = ctx.text;
  ctx.text = ""; // htmx has nothing to swap: the answer goes the way of every fragment
  if (text.trimStart().startsWith("<article")) await upsert(text);
  mark();
}

/** @param {unknown} problem @returns {never} */
function expired(problem) {
  if (problem instanceof TooLate) {
    const { name: act, way } = problem.act;
    const unsent = gettext("%(act)s: not sent within 30 seconds, and it will not be. Look at the card, then press again.", { act });
    const unknown = gettext("%(act)s: not confirmed within 30 seconds. Look at the card, then press again if need be.", { act });
    toast(way === "waiting" ? unsent : unknown, true, true);
  }
  throw problem;
}

/** @param {string} act @param {number} seconds */
function tellWait(act, seconds) {
  toast(gettext("%(act)s: too many at once. It is sent again in %(seconds)s s.", { act, seconds }), false);
}

/** A morph takes marks off a button; so they are put back after every change. */
function mark() {
  for (const button of document.querySelectorAll("button[data-way]")) {
    if (underWay().some((act) => act.path === pathOfButton(button))) continue;
    button.removeAttribute("data-way");
    button.removeAttribute("aria-busy");
  }
  for (const act of underWay()) {
    for (const button of document.querySelectorAll(`button[data-act][data-hx-post^="${CSS.escape(act.path)}"]`)) {
      button.setAttribute("data-way", act.way);
      button.setAttribute("aria-busy", "true");
    }
  }
}

/** @param {Element} button */
function pathOfButton(button) {
  return new URL(button.getAttribute("data-hx-post") ?? "", location.href).pathname;
}

/**
 * Do what a button does, among many. Resolves to why it was not done; "" if it was.
 * @param {Element} button
 */
export async function press(button) {
  const path = pathOfButton(button);
  if (underWay().some((act) => act.path === path)) return "";
  const headers = { Accept: "text/html", "HX-Request": "true", "X-CSRF-Token": csrfToken() };
  const sent = send(path, nameOf(button), button.getAttribute("data-hx-post") ?? "", { method: "POST", headers });
  mark();
  try {
    const response = await sent;
    const text = await response.text();
    if (response.status === 401) signedOut();
    if (text.trimStart().startsWith("<article")) await upsert(text);
    if (response.ok) return "";
    return JSON.parse(response.headers.get("HX-Trigger") ?? "{}").refused?.sentence ?? gettext("This was not done. Load the page again, then try again.");
  } catch (problem) {
    if (!(problem instanceof TooLate)) throw problem;
    return problem.act.way === "waiting" ? gettext("not sent within 30 seconds, and it will not be") : gettext("not confirmed within 30 seconds");
  } finally {
    mark();
  }
}

/** What is on its way does not survive the page. The next one says so. */
function keepLost() {
  const names = underWay().map((act) => act.name);
  if (names.length) sessionStorage.setItem(LOST, JSON.stringify({ session: document.body.dataset.session, names }));
}

function tellLost() {
  const { session, names } = JSON.parse(sessionStorage.getItem(LOST) ?? "{}");
  sessionStorage.removeItem(LOST);
  if (!names || session !== document.body.dataset.session) return;
  const acts = names.join(", ");
  toast(gettext("%(acts)s: not confirmed when the page was left. Look at the card, then press again if need be.", { acts }), true, true);
}

/** Nor does it survive a sign-out. What it was about is nothing for whoever sits here now. */
function tellUnsent() {
  const place = document.querySelector("[data-unsent]");
  if (!place || !isActing()) return;
  const number = underWay().length;
  place.textContent = gettext("Presses that were not confirmed and will not be sent: %(number)s. Sign in, look, and press again.", { number });
  place.removeAttribute("hidden");
}

/** @param {Element} button */
function nameOf(button) {
  return button.getAttribute("aria-label") ?? button.querySelector(".ready")?.textContent ?? "";
}

/** @param {any} ctx */
function isAct(ctx) {
  return ctx.sourceElement?.matches?.("button[data-act]") ?? false;
}

/** @param {any} ctx */
function pathOf(ctx) {
  return new URL(ctx.request.action, location.href).pathname;
}

function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}
