// @ts-check
// Where a row stands in its list: most urgent first, but nothing slides away under a pointer that is at work there.

const AT_WORK_MS = 3_000; // a pointer that has not moved for longer only lies there
const SEEN_MS = 350; // so long it takes to see that something else stands there now, and to hold a press back
const MOVED_PX = 4;
const STAYS_MS = 30_000; // where a list can be ordered by numbers: one that dances does not make its row dance

/** Rows that are not at their place yet. @type {Set<HTMLElement>} */
const waiting = new Set();

/** When each row came, or was moved by another. @type {WeakMap<Element, number>} */
const slid = new WeakMap();

/** When each row last rose by what it says itself. @type {WeakMap<Element, number>} */
const rose = new WeakMap();

let movedAt = -Infinity;
let timer = 0;

for (const kind of ["pointermove", "pointerdown"]) {
  document.addEventListener(kind, () => (movedAt = performance.now()), { passive: true });
}

/**
 * Move a row to its sort place. What is new or more urgent goes there at once. What sinks waits while a pointer is at
 * work in the list, or the next row would be under it; a row with the pointer or the focus on it waits anyhow. In a list
 * that can be ordered (patients) nothing calls: there what rises waits, too.
 * @param {HTMLElement} list @param {HTMLElement} row
 */
export function settle(list, row) {
  waiting.delete(row);
  if (!row.isConnected || row.hidden) return;
  const next = nextOf(list, row);
  if (row.nextElementSibling === next) return;
  const sinks = !next || !!(row.compareDocumentPosition(next) & Node.DOCUMENT_POSITION_FOLLOWING);
  const busy = isAtWork(list) && (sinks || !!list.dataset.by || row.matches(":hover"));
  const dances = sinks && !!list.dataset.by && performance.now() - (rose.get(row) ?? -Infinity) < STAYS_MS;
  if (busy || dances || row.contains(document.activeElement)) return wait(list, row);
  if (!sinks) rose.set(row, performance.now());
  list.insertBefore(row, next);
  slid.set(row, performance.now());
}

/** Rows that are not at their place do not count. @param {HTMLElement} list @param {HTMLElement} row */
function nextOf(list, row) {
  const sort = sortOf(list, row);
  for (const other of /** @type {HTMLCollectionOf<HTMLElement>} */ (list.children)) {
    if (other !== row && !other.hidden && !waiting.has(other) && sortOf(list, other) > sort) return other;
  }
  return null;
}

/** What its place in this list goes by, compared as text. @param {HTMLElement} list @param {HTMLElement} row */
export function sortOf(list, row) {
  return row.dataset[list.dataset.by ?? "sort"] ?? "";
}

/** @param {HTMLElement} list */
function isAtWork(list) {
  return list.matches(":hover") && performance.now() - movedAt < AT_WORK_MS;
}

/** @param {HTMLElement} list @param {HTMLElement} row */
function wait(list, row) {
  waiting.add(row);
  const again = () => settleAll(list);
  list.addEventListener("pointerleave", again, { once: true });
  row.addEventListener("focusout", () => setTimeout(again), { once: true }); // by then the focus is where it goes
  clearTimeout(timer);
  timer = setTimeout(again, AT_WORK_MS);
}

/** @param {HTMLElement} list */
function settleAll(list) {
  notingMoves(async () => {
    for (const row of [...waiting]) settle(list, row);
  });
}

/** Remember which rows are not where they were: of those that can be seen. @param {() => Promise<void>} change */
export async function notingMoves(change) {
  const lists = [...document.querySelectorAll("[data-list]")];
  const before = new Map(inSight(lists));
  await change();
  const now = performance.now();
  const moved = inSight(lists).filter(([row, top]) => Math.abs(top - (before.get(row) ?? Infinity)) >= MOVED_PX);
  if (!moved.length) return;
  for (const [row] of moved) slid.set(row, now);
  const show = () => moved.forEach(([row]) => row.toggleAttribute("data-moved", hasJustMoved(row)));
  show();
  setTimeout(show, SEEN_MS + 10);
}

/** Whether this row stands here for so short a time that a press on it was meant for another. @param {Element} row */
export function hasJustMoved(row) {
  return performance.now() - (slid.get(row) ?? -Infinity) < SEEN_MS;
}

/** The rows that can be seen, each with its place; a list of five hundred has ten of them. @param {Element[]} lists */
function inSight(lists) {
  return lists.flatMap((list) => {
    /** @type {[Element, number][]} */
    const found = [];
    for (const row of list.children) {
      if (!row.matches("article:not([hidden])")) continue;
      const { top, bottom, height } = row.getBoundingClientRect();
      if (height && top > innerHeight) break;
      if (height && bottom > 0) found.push([row, top]);
    }
    return found;
  });
}
