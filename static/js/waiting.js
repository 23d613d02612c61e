// @ts-check
// What this page knows of alerts that nobody has: in a list, in one alert's page, or unseen in the bar.

const OPEN = ':is([id^="alert-"], [id^="board-"], [id^="urgent-"])[data-state="open"]';

/** Each alert once, by its number. */
export function waiting() {
  const found = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(OPEN)]);
  return new Map(found.map((one) => [one.id.split("-")[1], one]));
}

/** The most urgent of these; null: there is none. @param {Iterable<HTMLElement>} alerts */
export function mostUrgent(alerts) {
  const there = new Set([...alerts].map(({ dataset }) => dataset.priority));
  return /** @type {const} */ (["high", "medium", "low"]).find((priority) => there.has(priority)) ?? null;
}
