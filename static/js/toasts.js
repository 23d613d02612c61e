// @ts-check
// What others did, and what went wrong: short sentences at the side, and the same for those who listen.

const SHOWN_MS = 6_000;
const MOST = 4; // toasts at once
const SAY_EVERY_MS = 3_000; // one sentence per few seconds

const WORDS = /** @type {Record<string, string>} */ ({
  acknowledged: "has",
  resolved: "resolved",
  escalated: "escalated",
  noted: "wrote a note on",
});

/** @type {string[]} */
let unsaid = [];
let saying = 0;
let hushed = false;

/** Tell what a live frame brought, unless it was me. @param {HTMLElement} card */
export function toastFor(card) {
  const { happening = "", by = "", priority } = card.dataset;
  const what = `${textOf(card, ".place", "place")} ${textOf(card, ".text", "text")}`;
  if (happening === "raised" || happening === "priority-raised") announce(`${priority} alert: ${what}`, priority === "high");
  if (!by || by === document.body.dataset.name || !WORDS[happening]) return;
  toast(`${by} ${WORDS[happening]} ${what}`, false);
}

/** Nothing is told any more, and what was told is gone: whoever sits here now may not know it. */
export function hush() {
  hushed = true;
  for (const id of ["toasts", "say", "say-now"]) document.getElementById(id)?.replaceChildren();
}

/** @param {string} text @param {boolean} stays until it is closed */
export function toast(text, stays) {
  if (hushed) return;
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("toast-template"));
  const box = document.getElementById("toasts");
  if (!template || !box) return;
  const made = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild);
  const place = made.querySelector("[data-toast-text]");
  if (place) place.textContent = text;
  made.querySelector("[data-close]")?.addEventListener("click", () => made.remove());
  box.append(made);
  while (box.children.length > MOST) box.firstElementChild?.remove();
  if (!stays) setTimeout(() => made.remove(), SHOWN_MS);
}

/** For screen readers: at once for what is urgent, else gathered into one sentence. @param {string} text @param {boolean} urgent */
export function announce(text, urgent) {
  if (hushed) return;
  if (urgent) {
    const now = document.getElementById("say-now");
    if (now) now.textContent = text;
    return;
  }
  unsaid.push(text);
  if (!saying) saying = setTimeout(say, SAY_EVERY_MS);
}

function say() {
  const polite = document.getElementById("say");
  if (polite && !hushed) polite.textContent = unsaid.length > 3 ? `${unsaid.length} changes on this page` : unsaid.join(". ");
  unsaid = [];
  saying = 0;
}

/** @param {HTMLElement} card @param {string} selector @param {string} key */
function textOf(card, selector, key) {
  return card.querySelector(selector)?.textContent?.trim() || card.dataset[key] || "";
}
