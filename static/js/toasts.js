// @ts-check
// What others did, and what went wrong: short sentences at the side, and the same for those who listen.

import { forgetMissed, miss } from "./missed.js";
import { gettext } from "./words.js";

const SHOWN_MS = 6_000;
const MOST = 4; // toasts at once
const SAY_EVERY_MS = 3_000; // one sentence per few seconds

/** @type {Record<string, (values: {person: string, what: string}) => string>} */
const TOLD = {
  acknowledged: (values) => gettext("%(person)s has %(what)s", values),
  resolved: (values) => gettext("%(person)s resolved %(what)s", values),
  escalated: (values) => gettext("%(person)s escalated %(what)s", values),
  noted: (values) => gettext("%(person)s wrote a note on %(what)s", values),
};

/** @type {string[]} */
let unsaid = [];
let saying = 0;
let hushed = false;

/** Tell what a live frame brought, unless it was me. @param {HTMLElement} card */
export function toastFor(card) {
  const { happening = "", by: person = "", priority } = card.dataset;
  const what = `${textOf(card, ".place", "place")} ${textOf(card, ".text", "text")}`;
  const rises = happening === "raised" || happening === "priority-raised";
  if (rises && priority === "medium") announce(gettext("medium alert: %(what)s", { what }), false); // high: urgent.js
  if (rises && priority === "low") announce(gettext("low alert: %(what)s", { what }), false);
  if (!person || person === document.body.dataset.name || !TOLD[happening]) return;
  toast(TOLD[happening]({ person, what }), priority === "high");
}

/** Nothing is told any more, and what was told is gone: whoever sits here now may not know it. */
export function hush() {
  hushed = true;
  forgetMissed();
  for (const id of ["toasts", "say", "say-now"]) document.getElementById(id)?.replaceChildren();
}

/** @param {string} text @param {boolean} stays until it is closed @param {boolean} [urgent] interrupts who listens */
export function toast(text, stays, urgent = false) {
  if (hushed) return;
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("toast-template"));
  const box = document.getElementById("toasts");
  if (!template || !box) return;
  const made = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild);
  const place = made.querySelector("[data-toast-text]");
  if (place) place.textContent = text;
  made.querySelector("[data-close]")?.addEventListener("click", () => made.remove());
  if (urgent) made.setAttribute("role", "alert");
  box.append(made);
  while (box.children.length > MOST) drop(box.querySelector(':scope > :not([role="alert"])') ?? box.firstElementChild);
  if (!stays) setTimeout(() => made.isConnected && drop(made), SHOWN_MS);
}

/** Nobody has closed it. @param {Element | null} toast */
function drop(toast) {
  toast?.remove();
  miss(toast?.querySelector("[data-toast-text]")?.textContent ?? "");
}

/** For screen readers: at once for what is urgent, else gathered into one sentence. @param {string} text @param {boolean} urgent */
export function announce(text, urgent) {
  if (hushed) return;
  if (urgent) {
    const now = document.getElementById("say-now");
    if (now) now.textContent = text;
    return;
  }
  unsaid.push(text);
  if (!saying) saying = setTimeout(say, SAY_EVERY_MS);
}

function say() {
  const polite = document.getElementById("say");
  if (polite && !hushed) polite.textContent = unsaid.length > 3 ? gettext("%(number)s changes on this page", { number: unsaid.length }) : unsaid.join(". ");
  unsaid = [];
  saying = 0;
}

/** @param {HTMLElement} card @param {string} selector @param {string} key */
function textOf(card, selector, key) {
  return card.querySelector(selector)?.textContent?.trim() || card.dataset[key] || "";
}
