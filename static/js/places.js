// @ts-check
// Where a row stands in its list: most urgent first, but nothing slides away under a pointer that is at work there.

const AT_WORK_MS = 3_000; // a pointer that has not moved for longer only lies there

/** Rows that are not at their place yet. @type {Set<HTMLElement>} */
const waiting = new Set();

let movedAt = -Infinity;
let timer = 0;

for (const kind of ["pointermove", "pointerdown"]) {
  document.addEventListener(kind, () => (movedAt = performance.now()), { passive: true });
}

/**
 * Move a row to its sort place. What is new or more urgent goes there at once. What sinks waits while a pointer is at
 * work in the list, or the next row would be under it; a row with the pointer or the focus on it waits anyhow.
 * @param {HTMLElement} list @param {HTMLElement} row
 */
export function settle(list, row) {
  waiting.delete(row);
  if (!row.isConnected || row.hidden) return;
  const next = nextOf(list, row);
  if (row.nextElementSibling === next) return;
  const sinks = !next || !!(row.compareDocumentPosition(next) & Node.DOCUMENT_POSITION_FOLLOWING);
  const busy = isAtWork(list) && (sinks || row.matches(":hover"));
  if (busy || row.contains(document.activeElement)) wait(list, row);
  else list.insertBefore(row, next);
}

/** Rows that are not at their place do not count. @param {HTMLElement} list @param {HTMLElement} row */
function nextOf(list, row) {
  const sort = row.dataset.sort ?? "";
  const others = /** @type {HTMLElement[]} */ ([...list.children]).filter((other) => other !== row && !other.hidden);
  return others.find((other) => !waiting.has(other) && (other.dataset.sort ?? "") > sort) ?? null;
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
  for (const row of [...waiting]) settle(list, row);
}
