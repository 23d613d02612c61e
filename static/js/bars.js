// @ts-check
// How much of the screen the bars cover now: what is scrolled to, by a focus or a link, stops short of them.

export function startBars() {
  const bars = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".bar, .secondary")]);
  const watch = new ResizeObserver(() => bars.forEach(tell));
  for (const one of [document.documentElement, ...bars]) watch.observe(one);
}

/** @param {HTMLElement} bar at the top, or at the foot, above whatever lies under it */
function tell(bar) {
  const { insetBlockStart, insetBlockEnd } = getComputedStyle(bar);
  const covers = bar.offsetHeight + (parseFloat(insetBlockStart) || parseFloat(insetBlockEnd) || 0);
  const name = bar.matches(".bar") ? "--bar-covers" : "--foot-covers";
  document.documentElement.style.setProperty(name, `${covers}px`);
}
