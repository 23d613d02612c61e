// @ts-check
// What the list shows: every alert stands in it, and a rule hides what was not asked for. The address keeps the filter;
// what somebody wants to begin with wherever they sign in is kept with the person.

import { signedOut } from "./freshness.js";
import { toast } from "./toasts.js";
import { afterEachChange } from "./upsert.js";
import { gettext } from "./words.js";

const ROWS = "#alert-list > article";
const OWN = { nobody: '[data-state="open"]', somebody: '[data-state="acknowledged"]' };

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("filters"));
const sheet = new CSSStyleSheet();

/** What a row must match to be hidden; "" hides nothing. */
let hidden = "";
/** @type {(() => void)[]} */
const afterwards = [];

export function startFilters() {
  if (!form) return;
  document.adoptedStyleSheets.push(sheet);
  takeTheRest();
  choose();
  form.addEventListener("change", changed);
  // On a phone they stand in one line that scrolls, and a browser leaves what can be seen in part where it is.
  form.addEventListener("focusin", ({ target }) => /** @type {Element} */ (target).scrollIntoView({ block: "nearest", inline: "nearest" }));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.querySelector("[data-show-all]")?.addEventListener("click", (event) => {
    event.preventDefault();
    for (const select of form.querySelectorAll("select")) select.value = "";
    changed();
    form.querySelector("select")?.focus();
  });
  document.querySelector("[data-keep-view]")?.addEventListener("click", keep);
  afterEachChange(count);
}

/** @param {() => void} look called when the filter has changed */
export function afterEachFilter(look) {
  afterwards.push(look);
}

/** The rows that the person sees, from the top. @param {string} [which] of them: a selector */
export function shownRows(which = "") {
  const rows = /** @type {HTMLElement[]} */ ([...(document.getElementById("alert-list")?.children ?? [])]);
  return rows.filter((row) => row.matches(`article${which}`) && !(hidden && row.matches(hidden)));
}

/** The page came with the hidden ones apart, for those without scripts. */
function takeTheRest() {
  const list = document.getElementById("alert-list");
  const rest = document.getElementById("alert-rest");
  if (!list || !rest?.firstElementChild) return;
  const rows = /** @type {HTMLElement[]} */ ([...list.children, ...rest.children]);
  list.append(...rows.sort((a, b) => ((a.dataset.sort ?? "") < (b.dataset.sort ?? "") ? -1 : 1)));
}

function changed() {
  choose();
  const query = asQuery();
  const all = form?.dataset.kept ? "?who=" : location.pathname; // an address that names nothing shows what is kept
  history.replaceState(history.state, "", query ? `?${query}` : all);
  for (const look of afterwards) look();
}

function choose() {
  const { unit, priority, who } = Object.fromEntries(wanted());
  const shown = [];
  if (unit) shown.push(`[data-unit="${CSS.escape(unit)}"]`);
  if (priority) shown.push(`[data-priority="${CSS.escape(priority)}"]`);
  if (who) shown.push(who === "me" ? `[data-owner="${document.body.dataset.person}"]` : OWN[/** @type {keyof OWN} */ (who)]);
  // An alert from a bed that the hospital does not know is of no unit: it is hidden by none.
  hidden = shown.map((one) => `${ROWS}:not(${one.startsWith("[data-unit") ? `${one}, [data-unit=""]` : one})`).join(", ");
  sheet.replaceSync(hidden ? `${hidden} { display: none; }` : "");
  count();
  document.querySelector("[data-keep-view]")?.toggleAttribute("hidden", asQuery() === form?.dataset.kept);
}

/** The list begins so from now on, on every page that does not say otherwise. */
async function keep() {
  const query = asQuery();
  const chosen = { unit: "", priority: "", who: "", ...Object.fromEntries(wanted()) };
  try {
    const csrf = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
    const headers = { Accept: "application/json", "X-CSRF-Token": csrf };
    const response = await fetch("/preferences", { method: "POST", headers, body: new URLSearchParams(chosen) });
    if (response.status === 401) return signedOut();
    if (!response.ok) throw new Error(`preferences: ${response.status}`);
    if (form) form.dataset.kept = query;
    choose();
    toast(gettext("Kept: your list begins like this, wherever you sign in."), false);
  } catch {
    toast(gettext("Your view could not be kept. Try again."), false);
  }
}

function asQuery() {
  return new URLSearchParams(wanted()).toString();
}

/** @returns {[string, string][]} */
function wanted() {
  return [...new FormData(form ?? undefined)].flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
}

/** What is hidden is always counted where it is seen, what is high first. */
function count() {
  const out = document.getElementById("filtered-out");
  if (!out) return;
  const rows = hidden ? [...document.querySelectorAll(hidden)] : [];
  const high = rows.filter((row) => row.matches('[data-priority="high"]')).length;
  tell(out, "high", high, gettext("%(number)s high hidden by your filter", { number: high }));
  tell(out, "others", rows.length - high, gettext("%(number)s medium or low hidden", { number: rows.length - high }));
  out.hidden = rows.length === 0;
}

/** @param {HTMLElement} out @param {string} which @param {number} number @param {string} words */
function tell(out, which, number, words) {
  const place = /** @type {HTMLElement | null} */ (out.querySelector(`[data-filtered="${which}"]`));
  if (!place) return;
  place.hidden = number === 0;
  const text = place.querySelector("b") ?? place;
  if (text.textContent !== words) text.textContent = words;
}
