// @ts-check
// Sound is a function of state: while somebody is needed, one page of a browser plays the melody of the highest priority.
// Nothing that happens starts it; so no replay does, and nothing is lost that happened while the page could not play.

import { leads } from "./leading.js";
import { EVERY_MS, playMelody } from "./melody.js";
import { afterEachChange } from "./upsert.js";
import { mostUrgent, waiting } from "./waiting.js";
import { gettext } from "./words.js";

/** @typedef {import("./melody.js").Priority} Priority */

const LOOK_EVERY_MS = 250;
const PAUSE_MS = 120_000;
const STALE_SOUNDS_AFTER_MS = 15_000; // after it became STALE: 30 s after the last word
const ARMED_MS = 1_000; // the press that arms a wall does not pause it, too

const { person = "" } = document.body.dataset;
const CHOICE = `sound ${person}`;
const PAUSE = `sound paused ${person}`;

/** @type {AudioContext | null} */
let context = null;
/** What is being played. @type {{priority: Priority, again: number, end: () => void} | null} */
let playing = null;
let staleSince = Infinity;
let armedAt = Infinity;

export function startSound() {
  if (!document.querySelector("[data-sound-state]")) return;
  for (const kind of ["pointerup", "click", "keydown"]) document.addEventListener(kind, arm, { capture: true });
  document.querySelector("[data-sound-test]")?.addEventListener("click", () => context && playMelody(context, "medium", choice().volume / 100));
  document.querySelector("[data-sound-pause]")?.addEventListener("click", pauseOrGoOn);
  document.querySelector("button[data-sound-state]")?.addEventListener("click", () => performance.now() - armedAt > ARMED_MS && pauseOrGoOn());
  const onOff = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-sound-on]"));
  const loud = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-sound-volume]"));
  if (onOff) onOff.checked = choice().on;
  if (loud) loud.value = String(choice().volume);
  onOff?.addEventListener("change", () => remember(CHOICE, { ...choice(), on: onOff.checked }));
  loud?.addEventListener("change", () => remember(CHOICE, { ...choice(), volume: loud.valueAsNumber }));
  arm(); // a browser that has been pressed before, or a wall that is set up for it, lets it run at once
  look();
  setInterval(look, LOOK_EVERY_MS);
  afterEachChange(look);
  window.addEventListener("storage", look);
}

function arm() {
  if (!choice().on) return;
  context ??= new AudioContext();
  context.onstatechange = () => {
    armedAt = performance.now();
    look();
  };
  if (context.state !== "running") context.resume();
}

function look() {
  const armed = choice().on && context?.state === "running";
  const priority = needs();
  tell(armed);
  if (!leads(armed && signedIn()) || !priority || pausedFor()) return silence();
  if (playing?.priority === priority && performance.now() < playing.again) return;
  silence();
  const end = playMelody(/** @type {AudioContext} */ (context), priority, choice().volume / 100);
  playing = { priority, again: performance.now() + EVERY_MS[priority], end };
}

/** The highest priority that needs somebody; null: none does. What we do not know may be urgent. */
function needs() {
  const stale = document.body.dataset.live === "stale";
  staleSince = stale ? Math.min(staleSince, performance.now()) : Infinity;
  const known = mostUrgent(needed().values());
  return performance.now() - staleSince > STALE_SOUNDS_AFTER_MS && known !== "high" ? "medium" : known;
}

/** Open, and still going on. */
function needed() {
  return new Map([...waiting()].filter(([, { dataset }]) => dataset.condition !== "cleared"));
}

function silence() {
  playing?.end();
  playing = null;
}

function pauseOrGoOn() {
  remember(PAUSE, pausedFor() ? null : { until: Date.now() + PAUSE_MS, high: high() });
}

/** In ms, for all pages of this person in this browser. A high alert that was not there when it began ends it. */
function pausedFor() {
  const { until = 0, high: known = [] } = recall(PAUSE);
  const left = until - Date.now();
  if (left <= 0 || left > PAUSE_MS) return 0; // a clock that was set back pauses nothing for longer
  return high().every((id) => known.includes(id)) ? left : 0;
}

/** The numbers of the high alerts that need somebody. */
function high() {
  return [...needed()].filter(([, { dataset }]) => dataset.priority === "high").map(([number]) => number);
}

function signedIn() {
  return document.body.dataset.live !== "signed-out";
}

/** @param {boolean} armed */
function tell(armed) {
  const paused = pausedFor();
  const state = !choice().on ? "off" : !armed ? "unarmed" : paused ? "paused" : "on";
  const seconds = Math.ceil(paused / 1000);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const words = {
    off: gettext("Sound is off"),
    unarmed: gettext("Sound is off: press to arm"),
    paused: gettext("Sound paused"),
    on: gettext("Sound is on"),
  }[state];
  const place = /** @type {HTMLElement} */ (document.querySelector("[data-sound-state]"));
  place.hidden = false;
  place.dataset.soundState = state;
  write(place.querySelector("[data-sound-words]"), words);
  write(place.querySelector("[data-sound-left]"), state === "paused" ? time : "");
  write(place.querySelector("[data-sound-pause]"), paused ? gettext("Sound again") : gettext("Pause the sound for 2 minutes"));
}

/** @param {Element | null} element @param {string} text */
function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** What this person has chosen: in this browser, else on the server. @returns {{on: boolean, volume: number}} */
function choice() {
  const { sound = "on", volume = "60" } = document.body.dataset; // a wall is told new ones while it runs
  return { on: sound !== "off", volume: Number(volume), ...recall(CHOICE) };
}

/** What is chosen for every browser now holds in this one, too. */
export function forgetOwnSound() {
  localStorage.removeItem(CHOICE);
}

/** @param {string} key */
function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") ?? {};
  } catch {
    return {}; // a browser that keeps nothing, or something that is not ours
  }
}

/** @param {string} key @param {object | null} what */
function remember(key, what) {
  localStorage.setItem(key, JSON.stringify(what));
  arm();
  look();
}
