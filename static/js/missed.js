// @ts-check
// Toasts that went before anybody closed them: behind the bell in the bar, until they are read or the sign-in ends.

import { serverNow } from "./freshness.js";

const KEPT = 30;
const KEY = "missed"; // of this tab alone, and only of the sign-in that it belongs to

const { session = "", zone = "UTC" } = document.body.dataset;

/** @typedef {{text: string, at: string}} Missed `at`: on the hospital's clock */

export function startMissed() {
  document.querySelector('form[action="/sign-out"]')?.addEventListener("submit", forgetMissed);
  document.querySelector("[data-missed-clear]")?.addEventListener("click", forgetMissed);
  show();
}

/** @param {string} text */
export function miss(text) {
  const at = new Date(serverNow()).toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  sessionStorage.setItem(KEY, JSON.stringify({ session, list: [{ text, at }, ...kept()].slice(0, KEPT) }));
  show();
}

/** Read, or nobody's any more. */
export function forgetMissed() {
  sessionStorage.removeItem(KEY);
  show();
}

/** @returns {Missed[]} */
function kept() {
  const found = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  return found.session === session ? found.list : [];
}

function show() {
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-missed]"));
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("missed-template"));
  const list = place?.querySelector("ul");
  if (!place || !template || !list) return;
  const all = kept();
  place.hidden = all.length === 0;
  const count = place.querySelector("[data-missed-count]");
  if (count) count.textContent = String(all.length);
  list.replaceChildren(...all.map((one) => line(template, one)));
}

/** @param {HTMLTemplateElement} template @param {Missed} missed */
function line(template, { text, at }) {
  const made = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const [time, words] = [made.querySelector("[data-missed-at]"), made.querySelector("[data-missed-text]")];
  if (time) time.textContent = at;
  if (words) words.textContent = text;
  return made;
}
