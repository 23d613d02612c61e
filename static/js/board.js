// @ts-check
// The wall: as many rows as fit, the most urgent first, the number of those that do not; and what time it is.

import { serverNow } from "./freshness.js";
import { afterEachChange } from "./upsert.js";

const CLOCK_MS = 1_000;

const list = document.getElementById("board-list");

if (list) {
  fit();
  afterEachChange(fit);
  new ResizeObserver(fit).observe(list);
  tick();
  setInterval(tick, CLOCK_MS);
}

/** Hide what does not fit and say how many; by urgency, whatever order the rows stand in. */
function fit() {
  if (!list) return;
  const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(":scope > article:not([hidden])")]);
  rows.sort((a, b) => ((a.dataset.sort ?? "") < (b.dataset.sort ?? "") ? -1 : 1));
  const room = places(rows[0]);
  rows.forEach((row, index) => row.toggleAttribute("data-overflow", index >= room));
  const more = Math.max(0, rows.length - room);
  const line = document.querySelector("[data-board-more]");
  const count = document.querySelector("[data-board-more-count]");
  line?.toggleAttribute("data-none", more === 0);
  if (count && count.textContent !== String(more)) count.textContent = String(more);
}

/** How many rows the list has room for. @param {HTMLElement | undefined} row */
function places(row) {
  if (!list || !row) return 0;
  row.removeAttribute("data-overflow"); // the first always stands: it is what is measured
  const gap = parseFloat(getComputedStyle(list).rowGap) || 0;
  return Math.max(1, Math.floor((list.clientHeight + gap) / (row.offsetHeight + gap)));
}

function tick() {
  const clock = document.querySelector("[data-board-clock]");
  const now = new Date(serverNow());
  const text = now.toLocaleTimeString("en-GB", { timeZone: document.body.dataset.zone || "UTC", hour: "2-digit", minute: "2-digit" });
  if (!clock || clock.textContent === text) return;
  clock.textContent = text;
  clock.setAttribute("datetime", now.toISOString());
}
