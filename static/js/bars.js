// @ts-check
// How much of the screen the bars cover now: what is scrolled to, by a focus or a link, stops short of them.

const ROOM_PX = 8;

export function startBars() {
  const bars = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".bar, .secondary")]);
  const watch = new ResizeObserver(() => bars.forEach(tell));
  for (const one of [document.documentElement, ...bars]) watch.observe(one);
}

/** @param {HTMLElement} bar at the top, or at the foot and above whatever lies under it there */
function tell(bar) {
  const { position, insetBlockStart, insetBlockEnd } = getComputedStyle(bar);
  const covers = position === "sticky" ? bar.offsetHeight + (parseFloat(insetBlockStart) || parseFloat(insetBlockEnd) || 0) : 0;
  const side = bar.matches(".bar") ? "scrollPaddingBlockStart" : "scrollPaddingBlockEnd";
  document.documentElement.style[side] = `${covers + ROOM_PX}px`; // no property that others inherit: that costs a layout
}
