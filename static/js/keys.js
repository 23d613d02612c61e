// @ts-check
// Working by keyboard: each key goes to a row, or presses a button that can be seen. None works while somebody types.

import { shownRows } from "./filters.js";
import { hasJustMoved } from "./places.js";
import { toast } from "./toasts.js";
import { gettext } from "./words.js";

const UNSURE_MS = 350; // as long as a press by pointer is held back on a row that has just come
const OFF = "keys are off"; // of this browser: some speak to their computer, and to it a letter is a press

/** The row that was gone to last, and where it stood. @type {HTMLElement | null} */
let last = null;
let lastIndex = -1;
/** Until when a press may be meant for another row, since this one had only just come when it was gone to. */
let unsureUntil = 0;

/** @type {Record<string, () => void>} */
const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  a: () => press("acknowledge"),
  r: () => press("resolve"),
};

export function startKeys() {
  const help = /** @type {HTMLDialogElement | null} */ (document.getElementById("keys"));
  if (!help) return;
  const on = /** @type {HTMLInputElement | null} */ (help.querySelector("[data-keys-on]"));
  if (on) on.checked = !localStorage.getItem(OFF);
  on?.addEventListener("change", () => (on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
  for (const button of document.querySelectorAll("[data-keys]")) button.addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const act = event.key === "?" ? () => help.showModal() : KEYS[event.key.toLowerCase()];
    if (!act || !isMeant(event) || localStorage.getItem(OFF)) return;
    event.preventDefault();
    act();
  });
}

/** Not a letter in a field, a shortcut of the browser, a key held down; nor under a cover or behind a dialog. @param {KeyboardEvent} event */
function isMeant({ target, ctrlKey, metaKey, altKey, repeat, key, defaultPrevented }) {
  const types = target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
  const covered = document.querySelector("dialog[open]") || document.getElementById("main")?.inert;
  const held = repeat && !["j", "k"].includes(key.toLowerCase());
  return !(types || covered || held || ctrlKey || metaKey || altKey || defaultPrevented);
}

/** @param {1 | -1} step */
function go(step) {
  const rows = shownRows();
  if (!rows.length) return;
  const here = focusedRow() ?? last;
  const index = here ? rows.indexOf(here) : -1;
  // Where it was gone from has left the list: what stands there now is next.
  const next = index >= 0 ? index + step : step > 0 ? Math.max(lastIndex, 0) : lastIndex - 1;
  lastIndex = Math.min(Math.max(next, 0), rows.length - 1);
  last = rows[lastIndex];
  unsureUntil = hasJustMoved(last) ? performance.now() + UNSURE_MS : 0;
  /** @type {HTMLElement | null} */ (last.querySelector(".place a"))?.focus();
}

/** @param {string} act of the row that has the focus, or of the only alert on the page */
function press(act) {
  const detail = document.getElementById("alert-detail");
  const button = /** @type {HTMLButtonElement | null} */ ((detail ?? focusedRow())?.querySelector(`button[data-act="${act}"]`) ?? null);
  if (!button?.checkVisibility()) return;
  if (performance.now() >= unsureUntil) return button.click();
  toast(gettext("That row had just moved here. Nothing was done: press again."), false, true);
}

/** @returns {HTMLElement | null} */
function focusedRow() {
  return document.activeElement?.closest("#alert-list > article") ?? null;
}
