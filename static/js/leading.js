// @ts-check
// Of all pages of a browser one sounds. Who can asks for a lock, which passes on by itself when its page goes.

/** @type {AbortController | null} */
let asked = null;
let has = false;

/** Whether this page is the one. @param {boolean} can whether it could be */
export function leads(can) {
  if (can && !asked) ask();
  if (!can) asked?.abort();
  return can && has;
}

function ask() {
  const mine = (asked = new AbortController());
  mine.signal.addEventListener("abort", () => {
    asked = null;
    has = false;
  });
  const untilAborted = () => {
    has = true;
    return new Promise((release) => mine.signal.addEventListener("abort", release));
  };
  // Without TLS there are no locks: then each page sounds, which is better than none.
  if ("locks" in navigator) navigator.locks.request("sound", { signal: mine.signal }, untilAborted).catch(() => {});
  else untilAborted();
}
