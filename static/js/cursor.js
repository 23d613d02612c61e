// @ts-check
// A cursor is `<epoch>-<number>`: how far in a hospital's journal, of which telling.

/** @param {string} cursor */
export function epochOf(cursor) {
  return cursor.split("-")[0];
}

/** @param {string} cursor */
export function numberOf(cursor) {
  return Number(cursor.split("-").pop());
}
