// @ts-check
// What runs on every page for people: the stream, the acts, the ticking ages.

import { startActs } from "./acts.js";
import { startAges } from "./ages.js";
import { startFreshness } from "./freshness.js";
import { startStream } from "./stream.js";

if (document.body.dataset.person) {
  startFreshness();
  startAges();
  startActs();
  if (document.body.dataset.stream) startStream(document.body.dataset.stream, document.body.dataset.cursor ?? "");
}
