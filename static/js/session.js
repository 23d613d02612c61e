// @ts-check
// Keeps the sign-in alive while somebody works here, and its token fresh while the page only listens; warns before it ends.

import { signedOut } from "./freshness.js";
import { announce } from "./toasts.js";
import { gettext } from "./words.js";

const LOOK_EVERY_MS = 1_000;
const WARN_MS = 60_000;
const ASK_EVERY_MS = 10_000; // while it is about to end: another tab may be at work
const TELL_EVERY_MS = 60_000; // as exactly as the server keeps it

let active = false;
let toldAt = performance.now(); // the page itself was asked for by somebody
/** The server's clock against ours; both go on while the machine sleeps. */
const ahead = Date.parse(document.body.dataset.now ?? "") - Date.now();

export function startSession() {
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"]) {
    document.addEventListener(kind, () => (active = true), { passive: true, capture: true });
  }
  setInterval(look, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", look);
}

function look() {
  const waited = performance.now() - toldAt;
  const renewEvery = Number(document.body.dataset.renewS) * 1_000;
  const leaving = left() <= WARN_MS;
  if (waited >= renewEvery || (active && (leaving || waited >= TELL_EVERY_MS)) || (leaving && waited >= ASK_EVERY_MS)) renew();
  warn();
}

/** Until the sign-in ends, in ms: for nobody uses it, or for good. */
function left() {
  const { idleAt, expiresAt = "" } = document.body.dataset;
  return Math.min(idleAt ? Date.parse(idleAt) : Infinity, Date.parse(expiresAt)) - ahead - Date.now();
}

function warn() {
  const box = document.getElementById("leaving");
  const [when, next] = ["when", "next"].map((part) => box?.querySelector(`[data-leaving-${part}]`));
  if (!box || !when || !next) return;
  const was = box.hidden;
  box.hidden = !(left() <= WARN_MS);
  if (box.hidden) return;
  const { idleAt, expiresAt = "" } = document.body.dataset;
  const isIdle = Date.parse(idleAt ?? "") < Date.parse(expiresAt);
  const time = `0:${String(Math.max(0, Math.floor(left() / 1000))).padStart(2, "0")}`;
  when.textContent = isIdle ? gettext("You will be signed out in %(time)s: nobody is at work here.", { time }) : gettext("Your sign-in ends in %(time)s.", { time });
  next.textContent = isIdle ? gettext("Press any key, or touch the screen, to stay.") : gettext("Finish what you are writing, then sign in again.");
  if (was) announce(box.textContent ?? "", true);
}

/** Nobody reconnects by hand when a token ends: it is replaced here, or the screen says that one must sign in. */
async function renew() {
  const body = new URLSearchParams({ active: active ? "1" : "0" });
  toldAt = performance.now();
  active = false;
  try {
    const headers = { Accept: "application/json", "X-CSRF-Token": csrfToken() };
    const response = await fetch("/session/renewal", { method: "POST", headers, body, cache: "no-store" });
    if (response.status === 401) return signedOut();
    if (!response.ok) return;
    const told = await response.json();
    document.body.dataset.idleAt = told.idle_at ?? "";
    document.body.dataset.expiresAt = told.expires_at;
    warn();
  } catch {
    active ||= body.get("active") === "1"; // the network is gone: told at the next look that finds it
  }
}

function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}
