// @ts-check
// The wall: the most urgent rows stand, the others take turns; and what time it is, and whether that is night.

import { serverNow } from "./freshness.js";
import { afterEachChange } from "./upsert.js";
import { gettext } from "./words.js";

const CLOCK_MS = 1_000;
const PAGE_MS = 10_000;

const list = document.getElementById("board-list");
let page = 0;

if (list) {
  fit();
  afterEachChange(fit);
  new ResizeObserver(fit).observe(list);
  setInterval(turn, PAGE_MS);
  tick();
  setInterval(tick, CLOCK_MS);
}

/** The next page, unless what stands here is not current: that does not move. */
function turn() {
  if (document.body.dataset.live !== "live") return;
  page++;
  fit();
}

/**
 * What is high stays, as far as there are places but for one; the rest takes turns in the others. Where too much is high
 * for rows of the usual height they become lower, never smaller than can be read at four metres.
 */
function fit() {
  if (!list) return;
  const rows = inOrder();
  const high = rows.filter(({ dataset }) => dataset.priority === "high").length;
  list.removeAttribute("data-dense");
  if (high + Number(rows.length > high) > places(rows[0])) list.setAttribute("data-dense", "");
  const room = places(rows[0]);
  const standing = Math.min(high, rows.length > room ? room - 1 : room);
  const turns = Math.max(1, room - standing);
  const pages = Math.max(1, Math.ceil((rows.length - standing) / turns));
  page %= pages;
  const unseen = rows.filter((row, index) => {
    const away = index >= standing && Math.floor((index - standing) / turns) !== page;
    row.toggleAttribute("data-overflow", away);
    return away;
  });
  tellMore(unseen);
  tellPage(pages);
}

/** By urgency, whatever order the rows stand in. */
function inOrder() {
  const rows = /** @type {HTMLElement[]} */ ([...(list?.querySelectorAll(":scope > article:not([hidden])") ?? [])]);
  return rows.sort((a, b) => ((a.dataset.sort ?? "") < (b.dataset.sort ?? "") ? -1 : 1));
}

/** How many rows the list has room for. @param {HTMLElement | undefined} row */
function places(row) {
  if (!list || !row) return 0;
  row.removeAttribute("data-overflow"); // the first always stands: it is what is measured
  const gap = parseFloat(getComputedStyle(list).rowGap) || 0;
  return Math.max(1, Math.floor((list.clientHeight + gap) / (row.offsetHeight + gap)));
}

/** @param {HTMLElement[]} unseen */
function tellMore(unseen) {
  const high = unseen.filter(({ dataset }) => dataset.priority === "high").length;
  document.querySelector("[data-board-more]")?.toggleAttribute("data-none", unseen.length === 0);
  write(document.querySelector("[data-board-more-count]"), String(unseen.length));
  write(document.querySelector("[data-board-more-high]"), high ? gettext("%(number)s of them high", { number: high }) : "");
}

/** @param {number} pages */
function tellPage(pages) {
  const mark = document.querySelector("[data-board-page]");
  if (!mark) return;
  mark.toggleAttribute("data-none", pages === 1);
  write(mark, gettext("Page %(page)s of %(pages)s", { page: page + 1, pages }));
}

function tick() {
  const now = new Date(serverNow());
  const zoned = { timeZone: document.body.dataset.zone || "UTC", hour: "2-digit", minute: "2-digit" };
  const text = now.toLocaleTimeString("en-GB", /** @type {Intl.DateTimeFormatOptions} */ (zoned));
  const clock = document.querySelector("[data-board-clock]");
  document.documentElement.dataset.theme = isNight(text) ? "night" : "dark";
  document.body.dataset.ticked = String(Math.round(performance.now())); // static/js/survive.js looks at it
  write(clock, text);
  clock?.setAttribute("datetime", now.toISOString());
}

/** @param {string} time 'HH:MM' in the hospital's zone */
function isNight(time) {
  const [from, to] = (document.body.dataset.night ?? "").split("–");
  return from <= to ? from <= time && time < to : time >= from || time < to;
}

/** @param {Element | null} element @param {string} text */
function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
