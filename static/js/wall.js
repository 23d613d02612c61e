// @ts-check
// A screen at the wall: it does not go to sleep, and one press of anything gives it the whole glass.

let asking = false;

document.addEventListener("visibilitychange", stayAwake);
document.addEventListener("pointerdown", wholeScreen);
document.addEventListener("keydown", ({ key }) => key !== "Escape" && wholeScreen());
stayAwake();
// Without TLS there is none; then what stands after a load in vain is the browser's own page.
navigator.serviceWorker?.register("/static/js/offline.js", { scope: "/board" }).catch(() => {});

/** The browser takes the lock away whenever the page is hidden. Without it (no TLS) the machine's own settings decide. */
async function stayAwake() {
  if (document.visibilityState !== "visible" || asking || !("wakeLock" in navigator)) return;
  asking = true;
  try {
    const lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", stayAwake);
  } catch {
    // refused (a battery that runs low): asked again when the page is seen again
  }
  asking = false;
}

function wholeScreen() {
  stayAwake();
  if (!document.fullscreenElement) document.documentElement.requestFullscreen?.().catch(() => {}); // it goes without, too
}
