// @ts-check
// Recording observations without leaving the page: what was typed stays until the server has it, and is stored once.

import { signedOut } from "./freshness.js";
import { TooLate, newKey, send } from "./queue.js";
import { count } from "./reports.js";
import { announce, toast } from "./toasts.js";
import { afterEachChange } from "./upsert.js";
import { gettext } from "./words.js";

const TICK_MS = 1_000;

/** What was sent last, and its key: the same numbers again are the same observations. */
let last = { text: "", key: "" };

export function startObserving() {
  const form = /** @type {HTMLFormElement | null} */ (document.getElementById("observe"));
  if (!form) return;
  setInterval(showDue, TICK_MS);
  afterEachChange(showDue);
  showDue();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    busy(form, true);
    record(form).finally(() => busy(form, false));
  });
}

/** When they are due stands on the patient's card, which may be far above what is being filled in. */
function showDue() {
  const said = [...document.querySelectorAll(".patient-card .observe")].find((words) => words.checkVisibility())?.textContent ?? "";
  const place = document.querySelector("[data-due-again]");
  if (place && place.textContent !== said) place.textContent = said;
}

/** @param {HTMLFormElement} form */
async function record(form) {
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  body.delete("idempotency_key"); // of the form as a whole; each try with other numbers is another
  if (body.toString() !== last.text) last = { text: body.toString(), key: newKey() };
  const place = document.querySelector("h1")?.textContent ?? "";
  try {
    const headers = { Accept: "application/json", "Idempotency-Key": last.key };
    const path = new URL(form.action).pathname;
    const name = gettext("Observations of %(place)s", { place });
    await answered(form, place, await send(path, name, form.action, { method: "POST", headers, body }));
  } catch (problem) {
    if (!(problem instanceof TooLate)) throw problem;
    toast(gettext("The observations of %(place)s are not confirmed. They still stand here: record them again, they will not be there twice.", { place }), true, true);
  }
}

/** @param {HTMLFormElement} form @param {string} place @param {Response} answer */
async function answered(form, place, answer) {
  if (answer.status === 401) return signedOut();
  const told = await answer.json().catch(() => ({}));
  const errors = answer.status === 422 ? told.errors : undefined;
  showErrors(form, errors ?? {});
  if (errors) return;
  if (!answer.ok) {
    count("act");
    return toast(told.sentence ?? gettext("This was not done. Load the page again, then try again."), true, true);
  }
  last = { text: "", key: "" };
  form.reset();
  for (const input of form.querySelectorAll("input")) empty(input);
  toast(gettext("Recorded for %(place)s.", { place }), false);
}

/** A page that came back with errors brought values with it, to which a reset would go back. @param {HTMLInputElement} input */
function empty(input) {
  if (input.type === "radio") input.checked = false;
  else if (input.type !== "hidden") input.value = "";
}

/** @param {HTMLFormElement} form @param {Record<string, string>} errors field → sentence */
function showErrors(form, errors) {
  form.querySelectorAll(".wrong, .field-wrong").forEach((old) => old.remove());
  form.querySelectorAll("[aria-invalid]").forEach((old) => old.removeAttribute("aria-invalid"));
  const places = Object.entries(errors).map(([field, sentence]) => showError(field, sentence));
  places[0]?.focus();
  if (places.length) announce([gettext("Nothing was recorded."), ...Object.values(errors)].join(" "), true);
}

/** @param {string} field @param {string} sentence */
function showError(field, sentence) {
  const place = document.getElementById(`observe-${field}`);
  const words = Object.assign(document.createElement("p"), { id: `wrong-${field}`, className: "field-wrong", textContent: sentence });
  if (place instanceof HTMLInputElement) place.setAttribute("aria-invalid", "true");
  place?.setAttribute("aria-describedby", words.id);
  if (place instanceof HTMLInputElement) place.after(words);
  else place?.append(words);
  return place;
}

/** @param {HTMLFormElement} form @param {boolean} on */
function busy(form, on) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
  form.setAttribute("aria-busy", String(on));
  button.textContent = on ? gettext("Recording…") : gettext("Record");
}
