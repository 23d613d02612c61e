// @ts-check
// The list of wall boards renews itself, and says so when it cannot.

import { signedOut } from "./freshness.js";

const RENEW_EVERY_MS = 10_000;

export function startBoards() {
  if (document.getElementById("boards")) setInterval(renew, RENEW_EVERY_MS);
}

async function renew() {
  const list = document.getElementById("boards");
  if (!list || document.body.dataset.live === "signed-out") return;
  const fresh = await ask();
  const warning = /** @type {HTMLElement | null} */ (list.querySelector("[data-not-current]"));
  if (!fresh && warning) warning.hidden = false;
  if (!fresh) return;
  const focused = document.activeElement?.getAttribute("formaction");
  list.replaceWith(fresh);
  if (focused) /** @type {HTMLElement | null} */ (fresh.querySelector(`[formaction="${focused}"]`))?.focus();
}

/** The list as it is now; null if nobody says. */
async function ask() {
  try {
    const headers = { "X-By-Itself": "1", "HX-Request": "true" }; // 401 where there is no sign-in any more, not its page
    const answer = await fetch("/boards", { headers, cache: "no-store" });
    if (answer.status === 401) signedOut();
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("boards");
  } catch {
    return null;
  }
}
