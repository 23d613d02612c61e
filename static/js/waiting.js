// @ts-check
// What this page knows of alerts that nobody has: in a list, in one alert's page, or unseen in the bar.

const OPEN = ':is([id^="alert-"], [id^="board-"], [id^="urgent-"])[data-state="open"]';

/** What was found the last time; null: the page has changed since. @type {Map<string, HTMLElement> | null} */
let known = null;
const changes = new MutationObserver(() => (known = null));
changes.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["id", "data-state"] });

/** Each alert once, by its number. Asked several times a second: through five hundred cards only when they have changed. */
export function waiting() {
  if (changes.takeRecords().length) known = null;
  return (known ??= found());
}

function found() {
  const open = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(OPEN)]);
  return new Map(open.map((one) => [one.id.split("-")[1], one]));
}

/** The most urgent of these; null: there is none. @param {Iterable<HTMLElement>} alerts */
export function mostUrgent(alerts) {
  const there = new Set([...alerts].map(({ dataset }) => dataset.priority));
  return /** @type {const} */ (["high", "medium", "low"]).find((priority) => there.has(priority)) ?? null;
}
