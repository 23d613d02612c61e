// @ts-check
// A fragment comes in, by the stream or as an answer: it is put at its place, if it is newer than what stands there.

import { notingMoves, settle } from "./places.js";
import { withUrgent } from "./urgent.js";

const htmx = /** @type {any} */ (window).htmx;

const NUMBERED = ["alert", "board", "urgent"];
const OVER = '[hidden]:is([data-state="resolved"], [data-state="left"])'; // a tombstone
const SPREAD_MS = 3_000;
const HELD_MOST_MS = 600; // a press holds news back, but never for longer
const CLICK_COMES_MS = 50; // after the release, if it comes at all

/** Called after every change with the fragments that were news. @type {((news: HTMLElement[]) => void)[]} */
const afterwards = [];

/** What has ended or left, and its version: no late fragment brings it back. @type {Map<string, number>} */
const gone = new Map();

/** Called when something on this page tells more than the fragment that is news. @type {() => void} */
let fetchPage = () => {};

/** Over when no finger is down on a list: no row moves away between press and release. */
let released = Promise.resolve();

/** Resolves when no finger is down on a list. */
export function whenReleased() {
  return released;
}

document.addEventListener("pointerdown", ({ target }) => {
  if (!(target instanceof Element && target.closest("[data-list]"))) return;
  released = new Promise((resolve) => {
    setTimeout(resolve, HELD_MOST_MS);
    for (const end of ["pointerup", "pointercancel"]) {
      document.addEventListener(end, () => setTimeout(resolve, CLICK_COMES_MS), { once: true });
    }
    document.addEventListener("click", () => setTimeout(resolve), { once: true });
  });
});

/** @param {(news: HTMLElement[]) => void} look */
export function afterEachChange(look) {
  afterwards.push(look);
}

/** @param {() => void} fetchIt calls reconcile with the page as it is now */
export function whenPageMustBeFetched(fetchIt) {
  fetchPage = fetchIt;
}

/** Put each fragment of `html` at its place. Resolves to those that were news. @param {string} html */
export async function upsert(html) {
  await released;
  const template = document.createElement("template");
  template.innerHTML = html;
  const followers = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-follows]")]); // they tell more than a fragment
  /** @type {HTMLElement[]} */
  const news = [];
  await notingMoves(async () => {
    for (const fragment of [...template.content.children].flatMap(withUrgent)) {
      if (await put(fragment, followers)) news.push(fragment);
    }
    for (const look of afterwards) look(news); // what they write is laid out with it
  });
  flashTogether(news);
  return news;
}

/** All flashing things flash at the same time, whenever they came. @param {HTMLElement[]} news */
function flashTogether(news) {
  for (const animation of news.flatMap(({ id }) => document.getElementById(id)?.getAnimations({ subtree: true }) ?? [])) {
    if (/** @type {any} */ (animation).animationName === "beat") animation.startTime = 0;
  }
}

// What is far outside the screen is not rendered, nor does it flash, until it comes near.
document.addEventListener("contentvisibilityautostatechange", (event) => {
  if (!(/** @type {any} */ (event).skipped)) flashTogether([/** @type {HTMLElement} */ (event.target)]);
});

/** Make the regions what a fresh page says, but for what is newer than that page. @param {Document} page @param {number} at */
export async function reconcile(page, at) {
  await released;
  for (const fresh of page.querySelectorAll("[data-list]")) {
    const list = document.getElementById(fresh.id);
    if (!list) continue;
    // Alerts count by the journal, as the page's cursor does; the rest is latest-wins, and the page is the latest.
    const newest = (/** @type {string} */ id) => (NUMBERED.includes(id.split("-")[0]) ? at : Infinity);
    for (const old of [...list.children]) {
      if (versionOf(old) <= newest(old.id) && !page.getElementById(old.id)) old.remove();
    }
    for (const { id } of fresh.children) if ((gone.get(id) ?? 0) <= newest(id)) gone.delete(id);
    await upsert(fresh.innerHTML);
  }
  for (const fresh of page.querySelectorAll("[data-follows]")) {
    const old = document.getElementById(fresh.id);
    if (old && versionOf(old) <= versionOf(fresh)) await morph(old, fresh);
  }
  for (const look of afterwards) look([]);
}

/** The numbers count anew (a backup was put back): whatever comes now is newer than what stands here. */
export function forgetVersions() {
  gone.clear();
  for (const element of document.querySelectorAll("[data-version]")) element.setAttribute("data-version", "0");
}

/** @param {HTMLElement} fragment @param {HTMLElement[]} followers */
async function put(fragment, followers) {
  const old = document.getElementById(fragment.id);
  const version = versionOf(fragment);
  if (!fragment.id || (old && versionOf(old) >= version) || (gone.get(fragment.id) ?? -1) >= version) return false;
  if (followers.some((one) => one.dataset.follows === fragment.id && versionOf(one) < version)) {
    // Notices concern everybody at once, and can wait until not everybody asks at once.
    setTimeout(fetchPage, fragment.id === "notices-0" ? Math.random() * SPREAD_MS : 0);
  }
  if (old?.closest("[data-follows]")) return true;
  const list = /** @type {HTMLElement | null} */ (document.querySelector(`[data-list="${fragment.id.split("-")[0]}"]`));
  if (fragment.matches(OVER)) {
    gone.set(fragment.id, version);
    if (list) old?.remove();
    return true;
  }
  if (!list || (!old && !fragment.matches(list.dataset.only ?? "*"))) return true;
  if (old && !fragment.hidden) {
    await morph(old, fragment);
  } else if (old) {
    old.replaceWith(fragment);
  } else {
    list.append(fragment);
    htmx.process(fragment);
  }
  settle(list, /** @type {HTMLElement} */ (document.getElementById(fragment.id)));
  return true;
}

/**
 * The node, its focus and what was typed into it stay. A button that goes leaves its focus to what it was about.
 * @param {Element} old @param {Element} fresh
 */
async function morph(old, fresh) {
  const focused = old.querySelector(":focus-visible"); // by a keyboard: a finger's focus would only hold the row where it is
  await htmx.swap({ text: fresh.outerHTML, target: old, swap: "outerMorph", sourceElement: old });
  if (!focused || document.activeElement !== document.body) return;
  /** @type {HTMLElement | null | undefined} */ (document.getElementById(fresh.id)?.querySelector(".place a"))?.focus();
}

/** @param {Element} element */
function versionOf(element) {
  return Number(/** @type {HTMLElement} */ (element).dataset.version ?? 0);
}
