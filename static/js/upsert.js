// @ts-check
// A fragment comes in, by the stream or as an answer: it is put at its place, if it is newer than what stands there.

const htmx = /** @type {any} */ (window).htmx;

/** Called after every change of a card. @type {(() => void)[]} */
const afterwards = [];

/** @param {() => void} look */
export function afterEachChange(look) {
  afterwards.push(look);
}

/** Put each fragment of `html` at its place. Resolves to those that were news. @param {string} html */
export async function upsert(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const news = [];
  for (const fragment of [...template.content.children]) {
    if (await put(/** @type {HTMLElement} */ (fragment))) news.push(/** @type {HTMLElement} */ (fragment));
  }
  if (news.length) flashTogether();
  for (const look of afterwards) look();
  return news;
}

/** All flashing things flash at the same time, whenever they came. */
function flashTogether() {
  for (const animation of document.getAnimations()) {
    if (/** @type {any} */ (animation).animationName === "beat") animation.startTime = 0;
  }
}

/** Make the lists what a fresh page says, but for what is newer than that page. @param {Document} page @param {number} at */
export async function reconcile(page, at) {
  for (const fresh of page.querySelectorAll("[data-list]")) {
    const list = document.getElementById(fresh.id);
    if (!list) continue;
    for (const old of [...list.children]) {
      if (versionOf(old) <= at && !page.getElementById(old.id)) old.remove();
    }
    await upsert(fresh.innerHTML);
  }
  for (const follower of document.querySelectorAll("[data-follows]")) htmx.trigger(follower, "news");
  for (const look of afterwards) look();
}

/** @param {HTMLElement} fragment */
async function put(fragment) {
  const old = document.getElementById(fragment.id);
  const version = versionOf(fragment);
  if (!fragment.id || (old && versionOf(old) >= version)) return false;
  for (const follower of document.querySelectorAll(`[data-follows="${CSS.escape(fragment.id)}"]`)) {
    if (versionOf(follower) < version) htmx.trigger(follower, "news"); // it fetches itself anew
  }
  if (old?.closest("[data-follows]")) return true;
  const list = /** @type {HTMLElement | null} */ (document.querySelector(`[data-list="${fragment.id.split("-")[0]}"]`));
  if (!list) return false;
  if (old && !fragment.hidden) {
    await htmx.swap({ text: fragment.outerHTML, target: old, swap: "outerMorph", sourceElement: old });
  } else if (old) {
    old.replaceWith(fragment);
  } else {
    list.append(fragment);
    htmx.process(fragment);
  }
  settle(list, /** @type {HTMLElement} */ (document.getElementById(fragment.id)));
  return true;
}

/** Move a row to its sort place; not under a pointer or the focus: those wait until they are left. @param {HTMLElement} list @param {HTMLElement} row */
function settle(list, row) {
  if (row.matches(":hover") || row.contains(document.activeElement)) {
    const later = () => settle(list, row);
    row.addEventListener("pointerleave", later, { once: true });
    row.addEventListener("focusout", later, { once: true });
    return;
  }
  if (!row.isConnected || row.hidden) return;
  const sort = row.dataset.sort ?? "";
  const others = /** @type {HTMLElement[]} */ ([...list.children]).filter((other) => other !== row && !other.hidden);
  const next = others.find((other) => (other.dataset.sort ?? "") > sort) ?? null;
  const follows = /** @type {HTMLElement | null} */ (row.nextElementSibling);
  if (follows !== next) list.insertBefore(row, next);
}

/** @param {Element} element */
function versionOf(element) {
  return Number(/** @type {HTMLElement} */ (element).dataset.version ?? 0);
}
