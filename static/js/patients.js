// @ts-check
// Patients: when they become due; and of their list its order, how many need somebody, and who matches what is typed, which goes into no address.

import { serverNow } from "./freshness.js";
import { sortOf } from "./places.js";
import { afterEachChange } from "./upsert.js";
import { gettext } from "./words.js";

const TICK_MS = 1_000;
const ROWS = "#patient-list > article";

/** Whom each number counts: the same as the server's first ones. @type {Record<string, string>} */
const KINDS = {
  score: ':is([data-band="medium"], [data-band="high"])',
  overdue: "[data-overdue]",
  "no-data": "[data-no-data]",
  quiet: '[data-band="low"][data-worst=""]:not([data-overdue], [data-no-data])',
};
/** Letters that have no accent to take off, as the server writes them. @type {Record<string, string>} */
const PLAIN = { ø: "o", đ: "d", ł: "l", æ: "ae", œ: "oe", þ: "th", ı: "i", ß: "ss" };

const list = document.getElementById("patient-list");
const words = /** @type {HTMLInputElement | null} */ (document.getElementById("words"));
const hiding = document.getElementById("patients-hidden");
const sheet = new CSSStyleSheet();

/** What a row must match to be hidden; "" hides nothing. */
let hidden = "";

export function startPatients() {
  if (!list) return;
  setInterval(tick, TICK_MS);
  afterEachChange(tick);
  tick();
  if (list.dataset.by) startList();
}

function startList() {
  document.adoptedStyleSheets.push(sheet);
  for (const link of document.querySelectorAll("a[data-by]")) link.addEventListener("click", reorder);
  words?.addEventListener("input", filter);
  hiding?.querySelector("button")?.addEventListener("click", () => {
    if (words) words.value = "";
    filter();
    words?.focus();
  });
  filter(); // a browser that goes back brings what was typed
}

/** @param {Event} event */
function reorder(event) {
  const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
  const { ctrlKey, metaKey, shiftKey } = /** @type {MouseEvent} */ (event);
  if (!list || ctrlKey || metaKey || shiftKey) return;
  event.preventDefault();
  list.dataset.by = link.dataset.by;
  const rows = /** @type {HTMLElement[]} */ ([...list.children]);
  list.append(...rows.sort((a, b) => (sortOf(list, a) < sortOf(list, b) ? -1 : 1)));
  for (const other of document.querySelectorAll("a[data-by]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  history.replaceState(history.state, "", link.href);
}

function filter() {
  const typed = words ? plain(words.value) : "";
  hidden = typed && `${ROWS}:not([data-find*="${CSS.escape(typed)}"])`;
  sheet.replaceSync(hidden ? `${hidden} { display: none; }` : "");
  tick();
}

/** 'O’Brien, Zoë' is 'obrienzoe'. @param {string} text */
function plain(text) {
  const bare = text.normalize("NFKD").toLowerCase().replace(/[øđłæœþıß]/g, (letter) => PLAIN[letter]);
  return bare.replace(/[^\p{L}\p{N}]/gu, "");
}

/** What becomes due does not wait for a reading to say so. */
function tick() {
  const now = serverNow();
  const current = document.body.dataset.live !== "stale";
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`${ROWS}[data-observe-by]`))) {
    const late = row.dataset.band !== "high" && Date.parse(row.dataset.observeBy ?? "") <= now;
    if (late && current) row.toggleAttribute("data-overdue", true);
  }
  for (const place of document.querySelectorAll("[data-counts]")) count(/** @type {HTMLElement} */ (place));
  tellHidden();
}

/** @param {HTMLElement} place */
function count(place) {
  const number = document.querySelectorAll(`${ROWS}:not([hidden])${KINDS[place.dataset.counts ?? ""]}`).length;
  place.toggleAttribute("data-none", number === 0);
  write(place.querySelector("[data-count]"), String(number));
}

/** Whoever is hidden is counted where it is seen. */
function tellHidden() {
  if (!hiding) return;
  const number = hidden ? document.querySelectorAll(hidden).length : 0;
  hiding.hidden = number === 0;
  const none = number === document.querySelectorAll(ROWS).length;
  const told = none ? gettext("Nobody here matches. “Search” looks for numbers, too.") : gettext("%(number)s hidden by what you typed", { number });
  write(hiding.querySelector("[role=status]"), number ? told : "");
}

/** @param {Element | null} place @param {string} text */
function write(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}
