// @ts-check
// How this screen fares, for those who keep the system: what failed, and how long from commit to screen. Numbers only.

import { serverNow } from "./freshness.js";

const EVERY_MS = 60_000;
const PAINTS_KEPT = 50; // in one report, drawn at random

/** @typedef {"stream" | "swap" | "script" | "worker" | "act"} Kind */

let errors = { stream: 0, swap: 0, script: 0, worker: 0, act: 0 };
/** @type {number[]} */
let paints = [];
let paintsSeen = PAINTS_KEPT;

export function startReports() {
  window.addEventListener("error", () => count("script"));
  window.addEventListener("unhandledrejection", () => count("script"));
  window.addEventListener("pagehide", send);
  setInterval(send, EVERY_MS);
}

/** @param {Kind} kind */
export function count(kind) {
  errors[kind]++;
}

/** A fragment that a live frame brought is on the screen. @param {HTMLElement} fragment */
export function painted({ dataset }) {
  const took = serverNow() - Date.parse(dataset.at ?? "");
  if (!(took >= 0)) return; // not told, or clocks that are not that exact
  const place = paints.length < PAINTS_KEPT ? paints.length : Math.floor(Math.random() * ++paintsSeen);
  if (place < PAINTS_KEPT) paints[place] = Math.round(took);
}

function send() {
  if (!paints.length && !Object.values(errors).some(Boolean)) return;
  const body = JSON.stringify({ errors, paint_ms: paints });
  [errors, paints, paintsSeen] = [{ stream: 0, swap: 0, script: 0, worker: 0, act: 0 }, [], PAINTS_KEPT];
  const csrf = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  fetch("/live/reports", { method: "POST", headers, body, keepalive: true }).catch(() => {}); // nobody waits for it
}
