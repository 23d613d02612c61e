// @ts-check
// What is high and nobody has: told to those who listen on every page, and shown in the bar where no list shows it.

import { announce } from "./toasts.js";

const HIGH = '[data-list] > :is(article, li)[data-priority="high"][data-state="open"]:not([hidden])';

/** @type {Set<string>} */
let known = new Set();

export function startUrgent() {
  known = high();
}

/** Called after each change: says what was not there before. @param {HTMLElement[]} news */
export function tellUrgent(news) {
  const fresh = news.filter(({ id }) => document.getElementById(id)?.matches(HIGH) && !known.has(numberOf(id)));
  const told = new Map(fresh.map(({ id }) => [numberOf(id), wordsOf(/** @type {HTMLElement} */ (document.getElementById(id)))]));
  if (told.size) announce([...told.values()].join(". "), true);
  known = high();
}

/** An alert's card, and what the bar says of it. @param {Element} fragment @returns {HTMLElement[]} */
export function withUrgent(fragment) {
  const card = /** @type {HTMLElement} */ (fragment);
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("urgent-template"));
  const [kind, number] = card.id.split("-");
  if (!template || kind !== "alert") return [card];
  const made = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild);
  const { version, sort, priority, state, condition = "", patient = "" } = card.dataset;
  Object.assign(made.dataset, { version, sort: sort ?? "", priority, state, condition, patient, place: card.querySelector(".place")?.textContent?.trim() ?? "" });
  made.id = `urgent-${number}`;
  made.hidden = card.hidden || priority !== "high" || state !== "open";
  made.querySelector("a")?.setAttribute("href", `/alerts/${number}`);
  for (const part of ["word", "place", "text"]) {
    const words = made.querySelector(`.${part}`);
    if (words) words.textContent = made.hidden ? "" : card.querySelector(`.${part}`)?.textContent?.trim() ?? "";
  }
  return [card, made];
}

/** The number of each. */
function high() {
  return new Set([...document.querySelectorAll(HIGH)].map(({ id }) => numberOf(id)));
}

/** @param {string} id */
function numberOf(id) {
  return id.split("-")[1];
}

/** @param {HTMLElement} card */
function wordsOf(card) {
  return [".word, .band .unseen", ".place", ".text"].map((part) => words(card, part)).join(" ");
}

/** @param {Element} card @param {string} selector */
function words(card, selector) {
  return card.querySelector(selector)?.textContent?.trim() ?? "";
}
