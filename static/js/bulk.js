// @ts-check
// Taking many alerts at once, never the high ones: what was read in the list is acknowledged, each with a key of its own.

import { press } from "./acts.js";
import { afterEachFilter, shownRows } from "./filters.js";
import { toast } from "./toasts.js";
import { afterEachChange } from "./upsert.js";
import { gettext } from "./words.js";

const FEWEST = 2;

/** @type {Record<string, (number: number) => string>} */
const OFFERS = {
  medium: (number) => gettext("Acknowledge %(number)s medium", { number }),
  low: (number) => gettext("Acknowledge %(number)s low", { number }),
};

const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("bulk"));
const list = dialog?.querySelector("ul");
const confirm = /** @type {HTMLButtonElement | null | undefined} */ (dialog?.querySelector("[data-bulk-confirm]"));
let priority = "";

export function startBulk() {
  if (!dialog) return;
  const tools = /** @type {HTMLElement | null} */ (document.querySelector("#filters .tools"));
  if (tools) tools.hidden = false;
  for (const button of offers()) button.addEventListener("click", () => ask(button.dataset.bulk ?? ""));
  confirm?.addEventListener("click", acknowledge);
  afterEachChange(look);
  afterEachFilter(look);
  look();
}

function offers() {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-bulk]"));
}

function look() {
  for (const button of offers()) {
    const which = button.dataset.bulk ?? "";
    const number = shownRows(meant(which)).length;
    button.hidden = number < FEWEST;
    button.textContent = OFFERS[which](number);
  }
  if (dialog?.open) recount();
}

/** @param {string} which */
function meant(which) {
  return `[data-state="open"][data-priority="${which}"]`;
}

/** @param {string} which */
function ask(which) {
  priority = which;
  list?.replaceChildren(...shownRows(meant(priority)).map(line));
  recount();
  dialog?.showModal();
}

/** @param {HTMLElement} row */
function line(row) {
  const made = document.createElement("li");
  made.dataset.row = row.id;
  for (const part of ["place", "text"]) {
    const words = document.createElement(part === "place" ? "b" : "span");
    words.textContent = row.querySelector(`.${part}`)?.textContent?.trim() ?? "";
    made.append(words, " ");
  }
  return made;
}

/** Nothing is added to what was read; what somebody took meanwhile, or what has risen, is struck out. */
function recount() {
  for (const one of list?.children ?? []) one.toggleAttribute("data-out", !rowOf(one)?.matches(meant(priority)));
  const number = list?.querySelectorAll(":scope > :not([data-out])").length ?? 0;
  if (!confirm) return;
  confirm.textContent = OFFERS[priority](number);
  confirm.disabled = number === 0;
}

async function acknowledge() {
  const rows = [...(list?.children ?? [])].map(rowOf).filter((row) => row?.matches(meant(priority)));
  dialog?.close();
  const told = await Promise.all(rows.map(take));
  const not = told.filter(Boolean);
  const done = gettext("%(number)s acknowledged.", { number: rows.length - not.length });
  const undone = gettext("Not done: %(which)s", { which: not.join("; ") });
  if (not.length) toast(`${done} ${undone}`, true, true);
  else toast(done, false);
}

/** Resolves to which was not acknowledged and why, or "". @param {HTMLElement | null} row */
async function take(row) {
  const place = row?.querySelector(".place")?.textContent?.trim();
  const button = row?.querySelector('[data-act="acknowledge"]');
  const why = button ? await press(button) : "";
  return why && `${place}: ${why}`;
}

/** @param {Element} one @returns {HTMLElement | null} */
function rowOf(one) {
  return document.getElementById(/** @type {HTMLElement} */ (one).dataset.row ?? "");
}
