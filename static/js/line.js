// @ts-check
// The line to the server: Server-Sent Events, or a WebSocket where something swallows those. No DOM: for worker and page.

const FIRST_WORD_MS = 10_000; // an answer of 200 with nothing behind it for so long: a proxy holds it back
const SWALLOWED_TIMES = 2; // one after the other; then a WebSocket is tried
const SSE_AGAIN_MS = 600_000; // on a WebSocket: how often the better way is tried, beside it
const SILENT_MS = 15_000; // three beats: the line is dead, whatever the browser thinks
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MOST_MS = 30_000;
const RETRY_AFTER_MOST_MS = 120_000; // a proxy that says "tomorrow" must not keep a ward in the dark
const RESTART_MS = 5_000; // a restart that did not say how long it takes

/** @typedef {{event: string, id: string, data: string}} News one event of the stream */
/** @typedef {"ended" | "swallowed" | "unheard" | "restart" | "refused" | "signed-out"} Why */
/** @typedef {{why: Why, retryAfterMs?: number}} End how a connection ended; unheard: a WebSocket that never said a word */
/** @typedef {(address: string, mine: AbortController, hear: (news: News) => void) => Promise<End>} Transport */
/**
 * What becomes of a line. `address`: where to listen, asked anew for each try. `down`: nothing is heard for now, it is
 * tried again. `refused`: this address never will be heard; `open` with another one.
 * @typedef {{address: () => string, hear: (news: News) => void, down: () => void, refused: () => void}} Owner
 */

export class Line {
  /** @type {AbortController | null} */
  #current = null;
  /** Is to take the place of the current one, which goes on until then. @type {AbortController | null} */
  #next = null;
  #timer = 0;
  #probe = 0;
  #failures = 0;
  #swallowed = 0;
  #restarting = false;

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
  }

  /** Listen at the address as it is now. What is heard now goes on until the new connection has said its first word. */
  open() {
    this.#try(this.#swallowed < SWALLOWED_TIMES ? sse : socket);
  }

  /** The same, at a random moment within this time: not all screens at once. @param {number} withinMs */
  openWithin(withinMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), Math.random() * withinMs);
  }

  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#probe);
    const open = [this.#current, this.#next];
    this.#current = this.#next = null;
    this.#restarting = false;
    for (const one of open) one?.abort();
  }

  /** @param {Transport} transport */
  async #try(transport) {
    clearTimeout(this.#timer);
    const mine = new AbortController();
    const before = this.#next;
    this.#next = mine;
    before?.abort();
    const end = await transport(this.owner.address(), mine, (news) => this.#heard(mine, transport, news));
    if (mine === this.#current || mine === this.#next) this.#ended(mine, transport, end);
  }

  /** @param {AbortController} mine @param {Transport} transport @param {News} news */
  #heard(mine, transport, news) {
    if (mine === this.#next) this.#replace(mine, transport);
    if (mine !== this.#current) return;
    if (news.event === "beat") this.#failures = 0; // not at hello: a server that greets and dies is no success
    if (news.event === "drain") this.#restart(JSON.parse(news.data).within_s * 1000);
    if (news.event === "auth") this.close();
    this.owner.hear(news);
  }

  /** @param {AbortController} mine @param {Transport} transport */
  #replace(mine, transport) {
    const before = this.#current;
    this.#current = mine;
    this.#next = null;
    this.#restarting = false;
    before?.abort();
    if (transport === sse) this.#swallowed = 0;
    this.#tryBetter();
  }

  /** On a WebSocket: look now and then whether Server-Sent Events come through again. */
  #tryBetter() {
    clearTimeout(this.#probe);
    if (this.#swallowed >= SWALLOWED_TIMES) this.#probe = setTimeout(() => this.#try(sse), SSE_AGAIN_MS);
  }

  /** This server goes. That is no failure: what stands on the screen is judged by its age alone. @param {number} withinMs */
  #restart(withinMs) {
    if (!this.#restarting) this.openWithin(withinMs);
    this.#restarting = true;
  }

  /** @param {AbortController} mine @param {Transport} transport @param {End} end */
  #ended(mine, transport, { why, retryAfterMs = 0 }) {
    if (why === "signed-out") {
      this.close();
      return this.owner.hear({ event: "auth", id: "", data: "{}" });
    }
    const tried = mine === this.#next;
    if (tried) this.#next = null;
    else this.#current = null;
    if (why === "swallowed") this.#swallowed++;
    if (why === "unheard") this.#swallowed = SWALLOWED_TIMES - 1; // one more look at the other way, then here again
    if (why === "restart" && !tried) this.#restart(RESTART_MS);
    if (tried && !this.#current) this.#restarting = false; // it is not back yet
    if (!this.#current && !this.#restarting) this.owner.down();
    if (why === "refused") return this.owner.refused();
    if (this.#next || (this.#restarting && !tried)) return; // the next try is on its way
    if (this.#current && transport === sse && this.#swallowed >= SWALLOWED_TIMES) return this.#tryBetter();
    this.#timer = setTimeout(() => this.open(), retryAfterMs + this.#backoff());
  }

  /** Full jitter, so that a thousand screens do not come back at the same instant. */
  #backoff() {
    return Math.random() * Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** this.#failures++);
  }
}

/** @type {Transport} */
async function sse(address, mine, hear) {
  const patience = new Patience(mine);
  let said = false;
  try {
    patience.wait(SILENT_MS); // some networks swallow a request; and Firefox tells of an answer with its first byte only
    const headers = { Accept: "text/event-stream" };
    const response = await fetch(address, { headers, cache: "no-store", signal: mine.signal });
    const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!response.ok || !response.body || !isStream) return refusal(response);
    patience.wait(FIRST_WORD_MS);
    for await (const block of blocks(response.body, () => patience.wait(said ? SILENT_MS : FIRST_WORD_MS))) {
      said = true;
      hear(parse(block));
    }
    return { why: "ended" };
  } catch {
    return { why: !said && patience.lost ? "swallowed" : "ended" };
  } finally {
    patience.stop();
    mine.abort();
  }
}

/** @param {ReadableStream<Uint8Array>} body @param {() => void} alive called whenever a byte has come */
async function* blocks(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const found = (text + value).split("\n\n");
    text = found.pop() ?? "";
    yield* found;
  }
}

/** @param {Response} response @returns {End} */
function refusal({ status, headers }) {
  if (status === 401 || status === 403) return { why: "signed-out" };
  if (status === 400 || status === 404) return { why: "refused" };
  const retryAfterMs = Math.min(Number(headers.get("Retry-After")) * 1000 || 0, RETRY_AFTER_MOST_MS);
  return { why: "ended", retryAfterMs };
}

/** The same query, the same text, the same cursor. @type {Transport} */
function socket(address, mine, hear) {
  const url = new URL(address.replace("/live/stream", "/live/socket"), location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const patience = new Patience(mine);
  let said = false;
  return new Promise((resolve) => {
    const line = new WebSocket(url);
    patience.wait(FIRST_WORD_MS);
    line.onmessage = ({ data }) => {
      said = true;
      patience.wait(SILENT_MS);
      hear(parse(data));
    };
    line.onclose = ({ code }) => {
      patience.stop();
      resolve({ why: code === 4401 ? "signed-out" : code === 1012 ? "restart" : said ? "ended" : "unheard" });
    };
    mine.signal.addEventListener("abort", () => {
      line.close();
      line.onclose?.(new CloseEvent("close")); // the answer to a close over a dead line never comes
    });
  });
}

/** Gives a silent connection up. */
class Patience {
  lost = false;
  #timer = 0;

  /** @param {AbortController} mine */
  constructor(mine) {
    this.mine = mine;
  }

  /** @param {number} ms from now */
  wait(ms) {
    this.stop();
    this.#timer = setTimeout(() => {
      this.lost = true;
      this.mine.abort();
    }, ms);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** @param {string} block without its closing blank line @returns {News} */
function parse(block) {
  const found = { event: "message", id: "", data: /** @type {string[]} */ ([]) };
  for (const row of block.split("\n")) {
    const [, field, value] = /^([a-z]+): ?(.*)$/.exec(row) ?? [];
    if (field === "event") found.event = value;
    if (field === "id") found.id = value;
    if (field === "data") found.data.push(value);
  }
  return { ...found, data: found.data.join("\n") };
}
