// @ts-check
// The theme at one press: shown at once, then stored with the person, so that every other page begins with it.

import { signedOut } from "./freshness.js";
import { toast } from "./toasts.js";
import { gettext } from "./words.js";

export function startTheme() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-theme-form]"));
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement} */ (event.submitter);
    show(form, button.value);
    form.hidePopover();
    store(new URLSearchParams(/** @type {any} */ (new FormData(form, button))));
  });
}

/** @param {HTMLFormElement} form @param {string} theme */
function show(form, theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === theme));
}

/** @param {URLSearchParams} body */
async function store(body) {
  try {
    const response = await fetch("/preferences", { method: "POST", headers: { Accept: "application/json" }, body });
    if (response.status === 401) return signedOut();
    if (response.ok) return;
  } catch {
    // the network is gone: said below, as for any other answer
  }
  toast(gettext("The theme could not be stored: it holds until you leave this page."), false);
}
