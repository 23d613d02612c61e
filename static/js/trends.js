// @ts-check
// How a patient's vital signs went: one chart for each, kept up to date by the card that stands on the same page.

import { serverNow } from "./freshness.js";
import { colour, paintAlerts, paintBeyond, paintLimits, paintPressures } from "./painting.js";
import { gettext } from "./words.js";

const uPlot = /** @type {any} */ (window).uPlot;

const GAP_S = 300; // longer without a value: the line breaks, nothing is made up in between
const FEWEST_POINTS = 500; // of a long range; then the points themselves may lie further apart than a gap
const DRAW_EVERY_MS = 1_000;
const RETRY_MS = 5_000;
const ANEW_EVERY_MS = 300_000; // limits, late readings, and no more points than a chart can show
const LIVE_EVERY_MS = 15_000; // around an alert, while that time lasts
const RIGHT_EDGE_MS = 10_000; // the right edge is now, even when nothing comes
const NEAR_MARK_PX = 10;
const AXIS_PX = 48; // as wide as the margins of .marks
const EDGE_PX = 24;

/** What each chart draws, and the least it shows of its axis, so that a quiet line stays flat. */
const CHARTS = /** @type {Record<string, {vitals: string[], least: [number, number], digits: number}>} */ ({
  hr: { vitals: ["hr"], least: [50, 110], digits: 0 },
  spo2: { vitals: ["spo2"], least: [86, 100], digits: 0 },
  rr: { vitals: ["rr"], least: [8, 26], digits: 0 },
  bp: { vitals: ["sbp", "dbp"], least: [50, 150], digits: 0 },
  temp: { vitals: ["temp"], least: [36, 38.5], digits: 1 },
});

const LANGUAGE = document.documentElement.lang || "en";
/** @type {Record<string, () => string>} */
const PRIORITIES = { high: () => gettext("high"), medium: () => gettext("medium"), low: () => gettext("low") };

/** @typedef {{at: number, value: number}} Point */
/** @typedef {import("./painting.js").Limits} Limits */
/** @typedef {import("./painting.js").Alert} Alert */
/** @typedef {{points: Record<string, Point[]>, limits: Limits, alerts: Alert[], zone: string}} Trend */
/** @typedef {{name: string, box: HTMLElement, plot: any}} Chart */

const sheet = /** @type {HTMLElement | null} */ (document.querySelector("[data-trends]"));
/** @type {Chart[]} */
let charts = [];
/** @type {Trend} */
let trend = { points: {}, limits: {}, alerts: [], zone: "UTC" };
let hours = 8;
/** Around an alert: from when to when, in s since 1970; null: up to now. @type {[number, number] | null} */
let fixed = null;
let asked = 0; // only the answer to the last question is drawn
let drawing = 0;
let retrying = 0;

if (sheet) start(sheet);

/** @param {HTMLElement} where */
function start(where) {
  hours = Number(where.querySelector('[data-hours][aria-pressed="true"]')?.getAttribute("data-hours") ?? hours);
  for (const button of where.querySelectorAll("[data-hours]")) button.addEventListener("click", () => choose(button));
  if (where.dataset.from && where.dataset.to) followAlert([where.dataset.from, where.dataset.to]);
  fetchTrend();
  followCard(where.dataset.followsCard ?? "");
  new ResizeObserver(resize).observe(where);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  setInterval(drawSoon, RIGHT_EDGE_MS);
  setInterval(fetchTrend, ANEW_EVERY_MS);
  fetchWhenLiveAgain();
}

/** The time around an alert: its end is fetched while it lasts, and what happens to the alert. @param {string[]} when */
function followAlert(when) {
  const [from, to] = when.map((at) => Date.parse(at) / 1000);
  fixed = [from, to];
  hours = (to - from) / 3_600;
  setInterval(() => serverNow() / 1000 < to && fetchTrend(), LIVE_EVERY_MS);
  const detail = document.getElementById("alert-detail");
  if (detail) new MutationObserver(fetchTrend).observe(detail, { attributeFilter: ["data-version"] });
}

/** What was missed while the line was away is in no card any more. */
function fetchWhenLiveAgain() {
  let before = "";
  new MutationObserver(() => {
    const live = document.body.dataset.live ?? "";
    if (live === "live" && before) fetchTrend();
    if (live === "live" || before) before = live;
  }).observe(document.body, { attributeFilter: ["data-live"] });
  const alerts = document.querySelector('[data-list="alert"]');
  if (alerts) new MutationObserver(fetchTrend).observe(alerts, { childList: true });
}

/** @param {Element} button */
function choose(button) {
  hours = Number(button.getAttribute("data-hours"));
  for (const other of sheet?.querySelectorAll("[data-hours]") ?? []) other.setAttribute("aria-pressed", String(other === button));
  fetchTrend();
}

async function fetchTrend() {
  const mine = ++asked;
  clearTimeout(retrying);
  try {
    const response = await fetch(`${sheet?.dataset.trends}${fixed ? "" : `?hours=${hours}`}`, { headers: { Accept: "application/json", "X-By-Itself": "1" }, cache: "no-store" });
    if (!response.ok) throw new Error(`trend: ${response.status}`);
    const answer = await response.json();
    if (mine !== asked) return;
    trend = read(answer);
    trouble(false);
    draw();
  } catch (error) {
    if (mine !== asked) return;
    console.warn(error);
    trouble(true);
    retrying = setTimeout(fetchTrend, RETRY_MS);
  }
}

/** @param {boolean} there */
function trouble(there) {
  sheet?.querySelector("[data-trend-trouble]")?.toggleAttribute("hidden", !there);
}

/** @param {any} answer @returns {Trend} */
function read(answer) {
  const points = /** @type {Record<string, Point[]>} */ ({});
  for (const vital of Object.values(CHARTS).flatMap((chart) => chart.vitals)) {
    const values = /** @type {(number | null)[]} */ (answer[vital] ?? []);
    points[vital] = values.flatMap((value, index) => (value === null ? [] : [{ at: answer.at[index], value }]));
  }
  return { points, limits: answer.limits ?? {}, alerts: answer.alerts ?? [], zone: answer.zone ?? "UTC" };
}

/** A new reading is the card's: its values go to the end of the lines. @param {string} id */
function followCard(id) {
  const list = document.querySelector('[data-list="patient"]');
  if (!list) return;
  new MutationObserver(() => append(document.getElementById(id))).observe(list, {
    subtree: true,
    childList: true,
    attributeFilter: ["data-version"],
  });
}

/** @param {HTMLElement | null} card */
function append(card) {
  let news = false;
  for (const cell of /** @type {NodeListOf<HTMLElement>} */ (card?.querySelectorAll("[data-vital][data-at][data-value]") ?? [])) {
    const { vital = "", at = "", value = "" } = cell.dataset;
    const points = trend.points[vital];
    const point = { at: Date.parse(at) / 1000, value: Number(value) };
    if (!points || !Number.isFinite(point.at) || !Number.isFinite(point.value)) continue;
    if (points.length && points[points.length - 1].at >= point.at) continue;
    points.push(point);
    news = true;
  }
  if (news) drawSoon();
}

function drawSoon() {
  if (drawing || document.hidden) return;
  drawing = setTimeout(() => {
    drawing = 0;
    draw();
  }, DRAW_EVERY_MS);
}

function draw() {
  if (!sheet) return;
  sheet.dataset.ready = "";
  if (!charts.length) charts = [.../** @type {NodeListOf<HTMLElement>} */ (sheet.querySelectorAll("[data-trend]"))].map(make);
  const [from] = span();
  for (const points of Object.values(trend.points)) while (points.length && points[0].at < from) points.shift();
  for (const chart of charts) {
    chart.plot.setData(columns(CHARTS[chart.name].vitals), true);
    describe(chart);
  }
  placeMarks();
  tell(null);
}

/** One column of times and one for each vital sign; a null breaks the line. @param {string[]} vitals */
function columns(vitals) {
  const times = new Set(vitals.flatMap((vital) => (trend.points[vital] ?? []).map((point) => point.at)));
  const at = [...times].sort((a, b) => a - b);
  const broken = at.flatMap((time, index) => (index && time - at[index - 1] > gap() ? [at[index - 1] + 1, time] : [time]));
  const known = vitals.map((vital) => new Map((trend.points[vital] ?? []).map((point) => [point.at, point.value])));
  // undefined: not measured at this moment, the line goes on; null: nothing for too long
  return [broken, ...known.map((values) => broken.map((time) => (times.has(time) ? values.get(time) : null)))];
}

/** @param {HTMLElement} box @returns {Chart} */
function make(box) {
  const name = box.dataset.trend ?? "";
  const { vitals, least, digits } = CHARTS[name];
  const line = () => ({ stroke: () => colour("--ink"), width: 1.5, points: { size: 5, filter: alone, fill: () => colour("--ink") } });
  const last = name === Object.keys(CHARTS).at(-1); // the times stand once, under all charts
  const axis = { stroke: () => colour("--soft"), ticks: { show: false }, grid: { stroke: () => colour("--line"), width: 1 } };
  const plot = new uPlot(
    {
      ...sizeOf(box),
      legend: { show: false },
      padding: [10, EDGE_PX, last ? 4 : 8, 0],
      tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), trend.zone),
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "trends" }, dataIdx: until, points: { size: 8, fill: () => colour("--ink") } },
      scales: { x: { time: true, range: () => span() }, y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => heights(name, least, low, high) } },
      axes: [
        { ...axis, font: font(), size: last ? 24 : 0, gap: 4, space: 80, values: (/** @type {any} */ _, /** @type {number[]} */ splits) => (last ? splits.map(clockText) : splits.map(() => "")) },
        { ...axis, font: font(), size: AXIS_PX, gap: 6, space: 28, values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((split) => split.toFixed(split % 1 ? digits : 0)) },
      ],
      series: [{}, ...vitals.map(line)],
      hooks: {
        drawClear: [(/** @type {any} */ u) => paintLimits(u, vitals, trend.limits)],
        draw: [(/** @type {any} */ u) => paintBeyond(u, vitals, trend.limits), paintPressures, (/** @type {any} */ u) => paintAlerts(u, alertsOf(span()))],
        setCursor: [(/** @type {any} */ u) => tell(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      },
    },
    columns(vitals),
    box,
  );
  return { name, box, plot };
}

/** The point that is told of a moment: the last one up to then. @param {any} u @param {number} series @param {number} index the nearest @param {number} at */
function until(u, series, index, at) {
  const values = u.data[series];
  let i = index;
  while (i > 0 && (u.data[0][i] > at || values[i] == null)) i--;
  return i;
}

/** A value that stands alone is a point, for no line leads to it. @param {any} u @param {number} series @param {boolean} show */
function alone(u, series, show) {
  if (show) return null;
  const values = /** @type {(number | null)[]} */ (u.data[series]);
  return values.flatMap((value, i) => (value != null && values[i - 1] == null && values[i + 1] == null ? [i] : []));
}

function gap() {
  return Math.max(GAP_S, (hours * 3_600) / FEWEST_POINTS);
}

function span() {
  if (fixed) return fixed;
  const now = serverNow() / 1000;
  return [now - hours * 3_600, now];
}

/** @param {string} name @param {[number, number]} least @param {number | null} low @param {number | null} high */
function heights(name, least, low, high) {
  const room = (least[1] - least[0]) / 12;
  const most = name === "spo2" ? 100.5 : Infinity;
  return [Math.min(least[0], (low ?? least[0]) - room), Math.min(most, Math.max(least[1], (high ?? least[1]) + room))];
}

/** The shapes of the alerts, over the first chart. */
function placeMarks() {
  const row = sheet?.querySelector("[data-trend-marks]");
  if (!row) return;
  const [from, to] = span();
  row.replaceChildren(
    ...alertsOf([from, to]).map((alert) => {
      const shape = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      if (alert.mark) shape.classList.add("icon");
      else shape.dataset.priority = alert.priority;
      shape.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
      shape.firstElementChild?.setAttribute("href", `#${alert.mark || `shape-${alert.priority}`}`);
      shape.style.insetInlineStart = `${(100 * (alert.at - from)) / (to - from)}%`;
      return shape;
    }),
  );
}

/** @param {number[]} when */
function alertsOf([from, to]) {
  return trend.alerts.filter((alert) => alert.at >= from && alert.at <= to);
}

/** The values beside the charts: under the pointer, or the last. @param {number | null} at seconds since 1970 */
function tell(at) {
  for (const { name } of charts) {
    const moment = at ?? Math.min(serverNow() / 1000, span()[1]);
    const found = CHARTS[name].vitals.map((vital) => trend.points[vital]?.findLast((point) => point.at <= moment));
    const texts = found.map((point) => point?.value.toFixed(CHARTS[name].digits) ?? "–");
    const old = !!found[0] && moment - found[0].at > gap(); // it is told with its time, never as if it were of now
    sheet?.querySelector(`[data-trend-value="${name}"]`)?.toggleAttribute("data-old", old);
    write(`[data-trend-value="${name}"]`, texts.every((text) => text === "–") ? "–" : texts.join("/"));
    write(`[data-trend-limit="${name}"]`, old && found[0] ? gettext("at %(time)s", { time: fullText(found[0].at) }) : CHARTS[name].vitals.map(limitText).filter(Boolean).join(" · "));
  }
  write("[data-trend-at]", at === null ? "" : `${gettext("at %(time)s", { time: fullText(at) })}${alertsNear(at)}`);
}

/** @param {number} at */
function alertsNear(at) {
  const reach = (NEAR_MARK_PX * hours * 3_600) / Math.max(1, charts[0]?.plot.width ?? 1);
  return trend.alerts.filter((alert) => Math.abs(alert.at - at) <= reach).map((alert) => ` · ${clockText(alert.at)} ${alert.mark ? "" : `${PRIORITIES[alert.priority]()}: `}${alert.text}`).join("");
}

/** @param {string} vital */
function limitText(vital) {
  const { low, high } = trend.limits[vital] ?? {};
  if (low != null && high != null) return `${low}–${high}`;
  return low != null ? `≥ ${low}` : high != null ? `≤ ${high}` : "";
}

/** @param {Chart} chart */
function describe({ name, box }) {
  const values = CHARTS[name].vitals.flatMap((vital) => (trend.points[vital] ?? []).map((point) => point.value));
  const word = box.parentElement?.querySelector(".word")?.textContent ?? name;
  const digits = CHARTS[name].digits;
  const [low, high] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  const when = fixed ? gettext("half an hour before and after") : gettext("last %(hours)s hours", { hours });
  const from = gettext("%(word)s, %(when)s: from %(low)s to %(high)s", { word, when, low: low.toFixed(digits), high: high.toFixed(digits) });
  box.setAttribute("aria-label", values.length ? from : gettext("%(word)s, %(when)s: no readings", { word, when }));
}

function resize() {
  for (const chart of charts) chart.plot.setSize(sizeOf(chart.box));
}

function redraw() {
  for (const chart of charts) chart.plot.redraw();
}

/** @param {HTMLElement} box */
function sizeOf(box) {
  return { width: Math.max(1, Math.floor(box.clientWidth)), height: Math.max(1, Math.floor(box.clientHeight)) };
}

function font() {
  return `500 13px ${colour("--font")}`;
}

/** @param {number} at */
function clockText(at) {
  const date = new Date(at * 1000);
  const time = date.toLocaleTimeString("en-GB", { timeZone: trend.zone, hour: "2-digit", minute: "2-digit" });
  return hours > 24 && time === "00:00" ? date.toLocaleDateString(LANGUAGE, { timeZone: trend.zone, weekday: "short", day: "numeric" }) : time;
}

/** @param {number} at */
function fullText(at) {
  const date = new Date(at * 1000);
  return hours > 24 ? date.toLocaleString(LANGUAGE, { timeZone: trend.zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) : clockText(at);
}

/** @param {string} selector @param {string} text */
function write(selector, text) {
  const element = sheet?.querySelector(selector);
  if (element && element.textContent !== text) element.textContent = text;
}
