// @ts-check
// What is saved for every browser holds in this one, too, whatever was chosen in it before.

import { forgetOwnSound } from "./sound.js";

export function startPreferences() {
  document.querySelector("[data-preferences]")?.addEventListener("submit", forgetOwnSound);
}
