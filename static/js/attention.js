// @ts-check
// For who looks elsewhere: the tab's title and icon say how much waits; if wished, the machine tells what comes.

import { afterEachChange } from "./upsert.js";
import { mostUrgent, waiting } from "./waiting.js";
import { gettext } from "./words.js";

const WISH = `notify ${document.body.dataset.person}`;

const title = document.title;
/** @type {Set<string>} */
let known = new Set();

export function startAttention() {
  const wish = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-notify]"));
  const place = wish?.closest("label");
  if (wish && place && "Notification" in window) {
    place.hidden = false;
    wish.checked = isWished();
    wish.addEventListener("change", async () => {
      wish.checked &&= (await Notification.requestPermission()) === "granted";
      localStorage.setItem(WISH, wish.checked ? "yes" : "no");
    });
  }
  known = new Set(waiting().keys());
  look();
  afterEachChange(look);
}

function look() {
  if (document.body.dataset.live === "signed-out") return;
  const now = waiting();
  const told = now.size ? `(${now.size}) ${title}` : title;
  if (document.title !== told) document.title = told;
  const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="icon"]'));
  const { href = "" } = icon ?? {};
  const fresh = href.replace(/[^/]+\.svg/, `${mostUrgent(now.values()) ?? "favicon"}.svg`);
  if (icon && href !== fresh) icon.href = fresh; // each time that it is set, it is loaded
  for (const [number, alert] of now) if (!known.has(number)) notify(number, alert);
  known = new Set(now.keys());
}

/** Bed and priority, nothing else: it may stand on a screen that is locked. @param {string} number @param {HTMLElement} alert */
function notify(number, { dataset: { priority = "", place = "" } }) {
  if (!document.hidden || priority === "low" || !isWished()) return;
  const words = priority === "high" ? gettext("HIGH %(place)s", { place }) : gettext("MEDIUM %(place)s", { place });
  const told = new Notification(words, { tag: `alert-${number}` }); // the same from another tab takes its place
  told.onclick = () => window.focus();
}

function isWished() {
  return localStorage.getItem(WISH) === "yes" && Notification.permission === "granted";
}
