// @ts-check
// The screen shows a code; this asks whether it has been entered, and goes to the board when it has.

const ASK_EVERY_MS = 2_000;

const page = /** @type {HTMLElement | null} */ (document.querySelector("[data-pair]"));

if (page) setTimeout(ask, ASK_EVERY_MS);

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
