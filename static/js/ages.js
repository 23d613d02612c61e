// @ts-check
// Ages and countdowns tick; the bar counts what waits. Without this script the pages show clock times instead.

import { serverNow } from "./freshness.js";
import { afterEachChange } from "./upsert.js";
import { gettext } from "./words.js";

const TICK_MS = 1_000;

export function startAges() {
  tick([document.body]);
  setInterval(() => tick([document.body]), TICK_MS);
  afterEachChange((news) => tick(news.flatMap(({ id }) => document.getElementById(id) ?? [])));
}

/** @param {HTMLElement[]} regions */
function tick(regions) {
  if (document.body.dataset.live === "stale") return; // what is not current does not go on counting
  const now = serverNow();
  for (const region of regions) {
    for (const time of region.querySelectorAll("time[data-age]")) write(time, span(now - at(time)));
    for (const time of region.querySelectorAll("time[data-until]")) {
      const left = at(time) - now;
      write(time, left > 0 ? gettext("in %(time)s", { time: span(left) }) : gettext("now"));
    }
  }
  summarise(now);
}

/** @param {number} now */
function summarise(now) {
  const summary = document.getElementById("summary");
  const list = document.getElementById("alert-list");
  if (!summary || !list) return;
  const open = /** @type {HTMLElement[]} */ ([...list.children].filter((row) => row.matches('[data-state="open"]')));
  const first = open.reduce((least, { dataset: { raised = "" } }) => (raised < least ? raised : least), "~"); // ISO: text sorts
  summary.hidden = open.length === 0;
  const count = summary.querySelector("[data-count]");
  const oldest = summary.querySelector("[data-oldest]");
  if (count) write(count, String(open.length));
  if (oldest) write(oldest, open.length ? span(now - Date.parse(first)) : "");
}

/** 0:07, 12:40, 1 h 05, 3 d: never wider than it must be. @param {number} ms */
function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${String(Math.floor((seconds % 3_600) / 60)).padStart(2, "0")}`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** @param {Element} time */
function at(time) {
  return Date.parse(time.getAttribute("datetime") ?? "");
}

/** Into the text that is there: another one would be styled anew, five hundred of them each second. @param {Element} element @param {string} text */
function write(element, text) {
  const there = element.firstChild;
  if (!(there instanceof Text) || there.nextSibling) element.textContent = text;
  else if (there.data !== text) there.data = text;
}
