// @ts-check
// A paired board tells every ten seconds what it has painted, and is told how it is to look and sound. If this falls silent,
// its ward is told.

import { paintedUpTo } from "./stream.js";

const EVERY_MS = 10_000;

if ("paired" in document.body.dataset) {
  setTimeout(tell, 1_000); // as soon as it shows something
  setInterval(tell, EVERY_MS);
}

function tell() {
  const cursor = paintedUpTo();
  if (!cursor || document.body.dataset.live === "stale") return; // silence is what its ward is to hear then
  const headers = {
    "Content-Type": "application/json",
    "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "",
  };
  const body = JSON.stringify({ cursor });
  fetch("/live/pulse", { method: "POST", headers, body, cache: "no-store" }).then(follow).catch(() => {}); // the next one tells more
}

/** @param {Response} answer */
async function follow(answer) {
  if (!answer.ok) return;
  const { sound, volume, night, letters } = await answer.json();
  Object.assign(document.body.dataset, { sound, volume, night });
  document.documentElement.dataset.letters = letters;
}
