// @ts-check
// What the scripts say, in the reader's language. English is what the code says; the page carries the other words.

const given = document.querySelector('meta[name="words"]')?.getAttribute("content");
const words = /** @type {Record<string, string>} */ (given ? JSON.parse(given) : {});

/**
 * @param {string} english with %(name)s where a value goes
 * @param {Record<string, string | number>} [values]
 */
export function gettext(english, values = {}) {
  return (words[english] ?? english).replace(/%\((\w+)\)s/g, (_, name) => String(values[name] ?? ""));
}
