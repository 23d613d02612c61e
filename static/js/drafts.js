// @ts-check
// A note that was begun is kept until it is written: in this tab, for its alert and its writer, until somebody signs out.
// A sign-in that ends by itself leaves it there; nobody but its writer gets it back.

const { person = "", session = "" } = document.body.dataset;
const NOTE = 'form[data-act="note"] textarea';

export function startDrafts() {
  forgetDrafts((key) => !key.startsWith(`draft ${person} `));
  const tabs = new BroadcastChannel(`drafts ${session}`);
  tabs.onmessage = () => forgetDrafts();
  document.querySelector('form[action="/sign-out"]')?.addEventListener("submit", () => {
    tabs.postMessage("signed out");
    forgetDrafts();
  });
  for (const field of /** @type {NodeListOf<HTMLTextAreaElement>} */ (document.querySelectorAll(NOTE))) {
    field.value ||= sessionStorage.getItem(keyOf(field)) ?? "";
  }
  document.addEventListener("input", ({ target }) => {
    if (target instanceof HTMLTextAreaElement && target.matches(NOTE)) keepDraft(target);
  });
}

/** As it stands now; nothing, when it is empty. @param {HTMLTextAreaElement} field */
export function keepDraft(field) {
  if (field.value) sessionStorage.setItem(keyOf(field), field.value);
  else sessionStorage.removeItem(keyOf(field));
}

/** @param {(key: string) => boolean} [which] */
function forgetDrafts(which = () => true) {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("draft ") && which(key)) sessionStorage.removeItem(key);
}

/** @param {HTMLTextAreaElement} field */
function keyOf(field) {
  return `draft ${person} ${new URL(field.form?.action ?? "", location.href).pathname}`;
}
