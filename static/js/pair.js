// @ts-check
// The screen shows a code and how long it is good for; this asks whether it has been entered, and then goes to the board.

import { gettext } from "./words.js";

const ASK_EVERY_MS = 2_000;
const TICK_MS = 1_000;

const page = /** @type {HTMLElement | null} */ (document.querySelector("[data-pair]"));

if (page) {
  setTimeout(ask, ASK_EVERY_MS);
  setInterval(tick, TICK_MS);
}

function tick() {
  const told = /** @type {HTMLElement | null} */ (document.querySelector("[data-code-left]"));
  if (!told) return;
  const left = Math.max(0, Math.floor(Number(told.dataset.s) - performance.now() / 1000));
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  told.textContent = gettext("Another code stands here after %(time)s.", { time });
}

async function ask() {
  const body = new URLSearchParams({ csrf_token: page?.dataset.pair ?? "" });
  try {
    const { status } = await fetch("/pair/claim", { method: "POST", body, cache: "no-store" });
    if (status === 200) return location.replace("/board");
    if (status === 410) return location.reload(); // too old: the page brings another code
  } catch {
    // the network is gone: asked again below
  }
  setTimeout(ask, ASK_EVERY_MS);
}
