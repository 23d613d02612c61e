// @ts-check
// Writing a note: what was typed stays until the server has it, and is written once however often it is sent.

import { keepDraft, startDrafts } from "./drafts.js";
import { signedOut } from "./freshness.js";
import { newKey } from "./queue.js";
import { count } from "./reports.js";
import { toast } from "./toasts.js";
import { gettext } from "./words.js";

const UNANSWERED_MS = 5_000;

/** What was sent last, and its key: the same words again are the same note. */
let last = { text: "", key: "" };
let sending = false;

export function startNotes() {
  startDrafts();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.act !== "note") return;
    event.preventDefault();
    if (!sending) add(form).finally(() => (sending = false));
    sending = true;
  });
}

/** @param {HTMLFormElement} form */
async function add(form) {
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
  const text = field.value;
  if (text !== last.text) last = { text, key: newKey() };
  const answer = await post(form);
  if (answer?.status === 401) return signedOut();
  if (!answer?.ok) {
    count("act");
    return toast((await sentence(answer)) ?? unsure(), true, true);
  }
  last = { text: "", key: "" };
  if (field.value === text) field.value = "";
  keepDraft(field);
}

/** @param {HTMLFormElement} form */
async function post(form) {
  const headers = { Accept: "application/json", "Idempotency-Key": last.key };
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  const signal = AbortSignal.timeout(UNANSWERED_MS);
  return fetch(form.action, { method: "POST", headers, body, signal, keepalive: true }).catch(() => null);
}

function unsure() {
  return gettext("The note is not confirmed. It still stands here: add it again, it will not be there twice.");
}

/** Why it was refused, where the server says so. @param {Response | null} answer */
async function sentence(answer) {
  return answer?.json().then((body) => body.sentence, () => undefined);
}
