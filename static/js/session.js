// @ts-check
// Keeps the sign-in alive while somebody works here, and its token fresh while the page only listens.

import { signedOut } from "./freshness.js";

const LOOK_EVERY_MS = 5_000;
const TELL_EVERY_MS = 60_000; // as exactly as the server keeps it

let active = false;
let toldAt = performance.now(); // the page itself was asked for by somebody

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
  if (waited >= renewEvery || (active && waited >= TELL_EVERY_MS)) renew();
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
  } catch {
    active ||= body.get("active") === "1"; // the network is gone: told at the next look that finds it
  }
}

function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}
