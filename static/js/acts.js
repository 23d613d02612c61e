// @ts-check
// Pressing a button: pending until the server has answered, sent once however often it is tried, never more than it knows.

import { signedOut } from "./freshness.js";
import { toast } from "./toasts.js";
import { afterEachChange, upsert } from "./upsert.js";

/** Acts under way or failed, by their URL's path: their key, and whether the last try failed. @type {Map<string, {key: string, failed: boolean}>} */
const underWay = new Map();

export function startActs() {
  // htmx tells the document itself about a button that has gone: a race is lost that way.
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    ctx.request.headers["X-CSRF-Token"] = csrfToken();
    if (!isAct(ctx)) return;
    if (underWay.get(pathOf(ctx))?.failed === false) return event.preventDefault(); // pressed twice
    const act = { key: underWay.get(pathOf(ctx))?.key ?? newKey(), failed: false };
    underWay.set(pathOf(ctx), act);
    ctx.request.headers["Idempotency-Key"] = act.key;
    mark();
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    if (ctx.response.status === 401) signedOut();
    if (isAct(ctx)) answered(ctx);
  });
  document.addEventListener("htmx:error", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    if (ctx && isAct(ctx)) failed(ctx, "The server did not answer. Try again: it will not be done twice.");
  });
  document.addEventListener("refused", (event) => toast(/** @type {CustomEvent} */ (event).detail.sentence, true));
  afterEachChange(mark);
}

/** @param {any} ctx */
async function answered(ctx) {
  const { status } = ctx.response;
  if (status >= 500 || status === 429) return failed(ctx, "The server could not do this now: try again.");
  if (status >= 400 && !ctx.hx?.trigger) toast("This was not done. Load the page again, then try again.", true);
  underWay.delete(pathOf(ctx));
  const text = ctx.text;
  ctx.text = ""; // htmx has nothing to swap: the answer goes the way of every fragment
  if (text.trimStart().startsWith("<article")) await upsert(text);
  mark();
}

/** @param {any} ctx @param {string} why */
function failed(ctx, why) {
  ctx.text = "";
  const act = underWay.get(pathOf(ctx));
  if (act) act.failed = true;
  toast(why, true);
  mark();
}

/** A morph takes marks off a button; so they are put back after every change. */
function mark() {
  const buttons = [...document.querySelectorAll("button[data-act]")];
  const paths = new Set(buttons.map(actOf));
  for (const [path, { failed }] of underWay) if (failed && !paths.has(path)) underWay.delete(path); // nothing to try
  for (const button of buttons) {
    const act = underWay.get(actOf(button));
    button.toggleAttribute("data-pending", !!act && !act.failed);
    button.toggleAttribute("data-failed", !!act && act.failed);
    button.setAttribute("aria-busy", String(!!act && !act.failed));
  }
}

/** @param {Element} button */
function actOf(button) {
  return new URL(button.getAttribute("hx-post") ?? "", location.href).pathname;
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

/** crypto.randomUUID would need HTTPS. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
