// @ts-check
// What a chart of vital signs has besides its line: limits, what lies beyond them, pressures as bars, alerts.

const BAR_ROOM_PX = 6;

/** @typedef {{low?: number | null, high?: number | null}} Limit */
/** @typedef {Record<string, Limit>} Limits */
/** @typedef {{at: number, text: string, priority: string, mark?: string}} Alert */

/** Between the limits the ground is tinted; each limit is a hairline. @param {any} u @param {string[]} vitals @param {Limits} limits */
export function paintLimits(u, vitals, limits) {
  const { ctx, bbox } = u;
  ctx.save();
  for (const vital of vitals) {
    const { low, high } = edges(u, limits[vital]);
    ctx.fillStyle = colour("--quiet");
    if (low !== null || high !== null) ctx.fillRect(bbox.left, high ?? bbox.top, bbox.width, (low ?? bbox.top + bbox.height) - (high ?? bbox.top));
    ctx.strokeStyle = colour("--edge");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const y of [low, high]) if (y !== null) line(ctx, bbox.left, y, bbox.left + bbox.width, y);
  }
  ctx.restore();
}

/** What lies beyond a limit is drawn once more, heavier. @param {any} u @param {string[]} vitals @param {Limits} limits */
export function paintBeyond(u, vitals, limits) {
  const { ctx, bbox } = u;
  vitals.forEach((vital, index) => {
    const paths = u.series[index + 1]._paths;
    const { low, high } = edges(u, limits[vital]);
    if (!paths?.stroke || (low === null && high === null)) return;
    ctx.save();
    ctx.beginPath();
    if (high !== null) ctx.rect(bbox.left, bbox.top, bbox.width, high - bbox.top);
    if (low !== null) ctx.rect(bbox.left, low, bbox.width, bbox.top + bbox.height - low);
    ctx.clip();
    if (paths.clip) ctx.clip(paths.clip);
    ctx.strokeStyle = colour("--ink");
    ctx.lineWidth = 4 * devicePixelRatio;
    ctx.lineJoin = "round";
    ctx.stroke(paths.stroke);
    ctx.restore();
  });
}

/** Pressures taken now and then are bars from the upper to the lower value. @param {any} u */
export function paintPressures(u) {
  const { ctx, bbox, data } = u;
  const [at, upper, lower] = data;
  if (!lower || at.length * BAR_ROOM_PX * devicePixelRatio > bbox.width) return;
  ctx.save();
  ctx.strokeStyle = colour("--edge");
  ctx.lineWidth = 1.5 * devicePixelRatio;
  for (let i = 0; i < at.length; i++) {
    if (upper[i] == null || lower[i] == null) continue;
    const x = u.valToPos(at[i], "x", true);
    line(ctx, x, u.valToPos(upper[i], "y", true), x, u.valToPos(lower[i], "y", true));
  }
  ctx.restore();
}

/** @param {any} u @param {Alert[]} alerts of the time that is shown */
export function paintAlerts(u, alerts) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const alert of alerts) {
    ctx.strokeStyle = colour(alert.mark ? "--edge" : ({ high: "--high", medium: "--medium-edge" }[alert.priority] ?? "--low"));
    const x = Math.round(u.valToPos(alert.at, "x", true));
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

/** Limits as heights on the canvas; null where there is none, or it lies outside. @param {any} u @param {Limit | undefined} limit */
function edges(u, limit) {
  const { low = null, high = null } = limit ?? {};
  const { top, height } = u.bbox;
  const y = (/** @type {number | null | undefined} */ at) => (at == null ? null : Math.min(top + height, Math.max(top, u.valToPos(at, "y", true))));
  return { low: y(low), high: y(high) };
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

/** @param {string} name of a custom property */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
