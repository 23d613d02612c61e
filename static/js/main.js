// @ts-check
// What runs on every page for people: the stream, the acts, the ticking ages, what is told of all that.

import { startActs } from "./acts.js";
import { startAges } from "./ages.js";
import { startBoards } from "./boards.js";
import { startAttention } from "./attention.js";
import { startBars } from "./bars.js";
import { startBulk } from "./bulk.js";
import { startFilters } from "./filters.js";
import { startFreshness } from "./freshness.js";
import { startKeys } from "./keys.js";
import { startMissed } from "./missed.js";
import { startNotes } from "./notes.js";
import { startObserving } from "./observe.js";
import { startPatients } from "./patients.js";
import { startPreferences } from "./preferences.js";
import { startReports } from "./reports.js";
import { startSession } from "./session.js";
import { startSound } from "./sound.js";
import { startStream } from "./stream.js";
import { startTheme } from "./theme.js";
import { afterEachChange } from "./upsert.js";
import { startUrgent, tellUrgent } from "./urgent.js";

if (document.body.dataset.person) {
  startReports();
  startSession();
  startFilters(); // first: it completes the list
  startAges();
  startBars();
  startActs();
  startNotes();
  startBulk();
  startKeys();
  startObserving();
  startPatients();
  startUrgent();
  startMissed();
  startBoards();
  startTheme();
  startPreferences();
  afterEachChange(tellUrgent);
  if (document.body.dataset.stream) {
    startFreshness();
    startSound();
    startAttention();
    startStream(document.body.dataset.stream, document.body.dataset.cursor ?? "");
  }
}
