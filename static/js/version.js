// @ts-check
// A new build is served: a wall loads it by itself, people are told and load it when they like, or when they look away.

import { isActing } from "./acts.js";
import { whenReleased } from "./upsert.js";

const LOOK_EVERY_MS = 5_000;
const TRIED = "reloaded for build"; // of this tab: a server that goes on serving the old page must not make it spin

const mine = document.querySelector('meta[name="build"]')?.getAttribute("content") ?? "";
let served = mine;

/** @param {string | undefined} build what the server serves now */
export function noticeBuild(build) {
  if (!build || build === served || build === mine) return;
  served = build;
  if (sessionStorage.getItem(TRIED) !== build) loadWhenIdle();
  tell();
}

function tell() {
  const notice = document.getElementById("new-build");
  if (!notice) return;
  notice.hidden = false;
  notice.querySelector("button")?.addEventListener("click", load);
}

function loadWhenIdle() {
  if (document.body.classList.contains("board")) return whenReleased().then(load);
  const look = () => document.hidden && !isActing() && !isTyping() && load();
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_EVERY_MS);
  look();
}

/** Something stands in a form that a reload would throw away. What has no form is kept elsewhere. */
function isTyping() {
  const fields = /** @type {NodeListOf<HTMLInputElement | HTMLTextAreaElement>} */ (
    document.querySelectorAll("main form :is(textarea, input:not([type=hidden]))")
  );
  return [...fields].some((field) =>
    field instanceof HTMLInputElement && ["radio", "checkbox"].includes(field.type) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue,
  );
}

function load() {
  sessionStorage.setItem(TRIED, served);
  location.reload();
}
