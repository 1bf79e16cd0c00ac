// One conversation as the page knows it: what was said, what waits to be sent, how the line is. No elements in here.
import { newKey } from "./api.js";

const TRIES = 7;
/** Milliseconds without a word from the server, which pings every 15 s, after which the line is dead, open or not. */
const SILENCE = 40_000;

/**
 * Fires `change` whenever something to be seen changed, `warning` (detail: {endsAt}, by the server's clock),
 * `ended` when it was ended and may still be read, `gone` when the key is dead: whoever shows it must wipe it.
 */
export class Talk extends EventTarget {
  /** Of the server, by seq. Each has a `key` of ours that stays when a message of the outbox comes back. */
  items = new Map();
  /** Not yet heard back from the server: {key, text, file, progress, state: waiting|taken|failed, ...}. */
  outbox = [];
  state = { status: "queued", agent: null, queuePosition: null, opensAt: null };
  online = true;

  #conversation;
  #stream = null;
  #closed = false;
  #dead = false;
  #settling = false;
  #sending = false;
  #resumeAt = 0;
  #wake = () => {};
  #timers = new Set();
  #watchdog = 0;

  constructor(conversation) {
    super();
    this.#conversation = conversation;
    this.onOnline = () => {
      this.#wake();
      this.#listen();
    };
    this.onOffline = () => this.#line(false);
    addEventListener("online", this.onOnline);
    addEventListener("offline", this.onOffline);
  }

  get closed() {
    return this.#closed;
  }

  /** Milliseconds until a moment of the server's clock. */
  until(iso) {
    return Date.parse(iso) - this.#conversation.now();
  }

  /** Begins to listen. `said` is what the start itself carried; it will come back as a message. */
  begin(said) {
    if (said) this.outbox.push({ key: newKey(), text: said, state: "taken", first: true });
    this.#listen();
    this.#changed();
  }

  say(text) {
    this.#queue({ text });
  }

  hand(file) {
    this.#queue({ file, text: "" });
  }

  /** Tries a failed one again: under the same key, so that what did arrive is not said twice. */
  retry(entry) {
    entry.state = "waiting";
    entry.problem = null;
    this.#changed();
    this.#pump();
  }

  file(address) {
    return this.#conversation.file(address);
  }

  /** Ends it for good; never raises, and keeps trying for a while behind the page's back. */
  async end() {
    const conversation = this.#conversation;
    this.close();
    if (this.#dead) return undefined;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        return await conversation.end();
      } catch (problem) {
        if (!problem.passing) return undefined;
        await new Promise((resolve) => setTimeout(resolve, (problem.retryAfter ?? 2 ** attempt) * 1e3));
      }
    }
    return undefined;
  }

  /** Stops listening and sending, and forgets what was said. */
  close() {
    this.#halt();
    this.items.clear();
    this.outbox.length = 0;
  }

  #halt() {
    this.#closed = true;
    this.#stream?.close();
    this.#wake();
    for (const timer of this.#timers) clearTimeout(timer);
    removeEventListener("online", this.onOnline);
    removeEventListener("offline", this.onOffline);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #after(milliseconds, action) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) action();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  // Listening

  /** The stream tells everything from the start, or (come back by itself) from where it broke; both are welcome. */
  #listen() {
    this.#stream?.close();
    const stream = this.#conversation.stream();
    this.#stream = stream;
    this.#watch();
    const on = (name, action) =>
      stream.addEventListener(name, (event) => !this.#closed && stream === this.#stream && action(event));
    for (const name of ["open", "ping", "message", "update", "status"]) on(name, () => this.#watch());
    on("open", () => {
      this.#resumeAt = 0;
      this.#line(true);
    });
    on("message", (event) => this.#take(JSON.parse(event.data)));
    on("update", (event) => this.#take(JSON.parse(event.data)));
    on("status", (event) => this.#heardStatus(JSON.parse(event.data)));
    on("warning", (event) => this.dispatchEvent(new CustomEvent("warning", { detail: JSON.parse(event.data) })));
    on("ended", () => this.#settleEnd(this.state));
    on("error", () => this.#dropped(stream));
  }

  /** A line that is open and silent is given up; nothing else would notice a cut cable for minutes. */
  #watch() {
    clearTimeout(this.#watchdog);
    this.#timers.delete(this.#watchdog);
    this.#watchdog = this.#after(SILENCE, () => {
      this.onOffline();
      this.#listen();
    });
  }

  #line(online) {
    if (this.online === online) return;
    this.online = online;
    this.#changed();
  }

  /** The browser comes back by itself after a broken line, but not after a refusal: then we ask why. */
  async #dropped(stream) {
    this.#line(false);
    if (stream.readyState !== EventSource.CLOSED) return;
    const wait = Math.min(2 ** this.#resumeAt++, 30);
    try {
      this.#status(await this.#conversation.state());
      if (!this.#closed) this.#after(wait * 1e3, () => this.#listen());
    } catch (problem) {
      if (problem.over) this.#gone();
      else this.#after((problem.retryAfter ?? wait) * 1e3, () => this.#dropped(stream));
    }
  }

  #take(item) {
    const known = this.items.get(item.seq);
    const sent = !known && item.from === "customer" ? this.#backFromServer(item) : null;
    this.items.set(item.seq, { ...item, key: known?.key ?? sent?.key ?? `m${item.seq}` });
    this.items = new Map([...this.items].sort(([one], [other]) => one - other));
    this.#changed();
  }

  /** The entry of the outbox that has come back as `item`: the start's own words, else by id, else (its answer being still on the way) by words. */
  #backFromServer(item) {
    const same = (entry) => (entry.file ? item.files?.[0]?.name === entry.file.name : item.text === entry.text);
    const entry =
      this.outbox.find((entry) => entry.first || (entry.id && entry.id === item.id)) ??
      this.outbox.find((entry) => entry.tried && !entry.id && same(entry));
    if (entry) this.#drop(entry);
    return entry;
  }

  #drop(entry) {
    this.outbox = this.outbox.filter((other) => other !== entry);
  }

  #status(state) {
    if (this.#closed) return;
    this.state = state;
    if (state.status === "ended") this.#ended();
    this.#changed();
  }

  #heardStatus(state) {
    if (state.status === "ended") this.#settleEnd(state);
    else this.#status(state);
  }

  /** It is over; whether it may still be read is for the key to say, so we look whether it opens anything. */
  async #settleEnd(heard) {
    if (this.#settling) return;
    this.#settling = true;
    this.#stream.close();
    try {
      this.#status({ ...(await this.#conversation.state()), status: "ended" });
    } catch (problem) {
      if (problem.over) this.#gone();
      else this.#status({ ...heard, status: "ended" });
    }
  }

  #ended() {
    this.#halt();
    this.dispatchEvent(new Event("ended"));
  }

  #gone() {
    if (this.#closed) return;
    this.#dead = true;
    this.close();
    this.dispatchEvent(new Event("gone"));
  }

  // Sending

  #queue(entry) {
    this.outbox.push({ key: newKey(), state: "waiting", progress: 0, ...entry });
    this.#changed();
    this.#pump();
  }

  /** One at a time, so that words arrive in the order in which they were written. */
  async #pump() {
    if (this.#sending) return;
    this.#sending = true;
    const next = () => this.outbox.find((entry) => entry.state === "waiting");
    while (!this.#closed && next()) await this.#deliver(next());
    this.#sending = false;
  }

  async #deliver(entry) {
    for (let attempt = 1; !this.#closed; attempt++) {
      entry.tried = true;
      try {
        return this.#taken(entry, await this.#post(entry));
      } catch (problem) {
        if (problem.over) return this.#gone();
        entry.problem = problem;
        if (!problem.passing || attempt === TRIES) {
          entry.state = "failed";
          return this.#changed();
        }
        const wait = problem.retryAfter ?? Math.min(2 ** (attempt - 1), 30);
        entry.wait = Math.ceil(wait);
        this.#changed();
        await this.#pause(wait);
      }
    }
    return undefined;
  }

  #post(entry) {
    if (!entry.file) return this.#conversation.say(entry.text, entry.key);
    return this.#conversation.hand(entry.file, entry.key, (share) => {
      entry.progress = share;
      this.#changed();
    });
  }

  #taken(entry, answer) {
    if (this.#closed) return;
    entry.state = "taken";
    entry.problem = null;
    entry.id = answer.id;
    const back = entry.id && [...this.items.values()].some((item) => item.id === entry.id);
    if (back) this.#drop(entry);
    this.dispatchEvent(new Event("said"));
    this.#changed();
  }

  #pause(seconds) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#after(seconds * 1e3, resolve);
    });
  }
}
