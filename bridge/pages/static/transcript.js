// What was said, as bubbles: one element per message, kept while the message changes.
import { clock, h, icon } from "./dom.js";
import { Files } from "./files.js";
import { htmlToNodes, wordsToNodes } from "./safe.js";

const NEAR_END = 80;

/** The log of one Talk. `shared`: a screen for strangers, so there are no links and nothing is saved. */
export class Transcript {
  #talk;
  #words;
  #language;
  #links;
  #files;
  #shown = new Map();
  #newest = null;

  constructor(talk, words, language, { shared }) {
    this.#talk = talk;
    this.#words = words;
    this.#language = language;
    this.#links = { links: !shared };
    this.#files = new Files(talk, words, language, { shared });
    this.list = h("div", { class: "bubbles" });
    this.hint = h("p", { class: "hint" }, words("firstWords"));
    this.log = h(
      "div",
      { class: "log", role: "log", "aria-live": "polite", "aria-label": words("conversation"), tabindex: "0" },
      this.hint,
      this.list,
    );
    this.jump = h("button", { class: "jump", type: "button", hidden: true, onclick: () => this.toEnd() });
    this.jump.append(icon("down"), words("newWords"));
    this.log.addEventListener("scroll", () => this.#atEnd() && (this.jump.hidden = true), { passive: true });
    this.element = h("div", { class: "transcript" }, this.log, this.jump);
    // A keyboard on the screen or a turned tablet must not hide the newest words.
    this.resized = new ResizeObserver(() => this.#follows && this.toEnd());
    this.resized.observe(this.log);
    this.log.addEventListener("scroll", () => (this.#follows = this.#atEnd()), { passive: true });
  }

  #follows = true;

  #atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.jump.hidden = true;
  }

  /** Draws what is new or different, in order. */
  draw() {
    const follows = this.#atEnd();
    const entries = [...this.#talk.items.values(), ...this.#talk.outbox.map(asItem)];
    this.hint.hidden = entries.some((entry) => entry.from !== "system");
    const gone = new Set(this.#shown.keys());
    let before = null;
    entries.forEach((entry, index) => {
      gone.delete(entry.key);
      before = this.#place(entry, before, entries[index - 1]?.from === entry.from);
    });
    for (const key of gone) this.#remove(key);
    const news = this.#isNews(entries.at(-1));
    if (follows || news === "own") this.toEnd();
    else if (news) this.jump.hidden = false;
  }

  #isNews(entry) {
    if (!entry || entry.key === this.#newest) return null;
    this.#newest = entry.key;
    return entry.from === "customer" ? "own" : "theirs";
  }

  #remove(key) {
    this.#shown.get(key).element.remove();
    this.#shown.delete(key);
  }

  #place(entry, before, again) {
    const shown = this.#shown.get(entry.key) ?? this.#frame(entry);
    // The name stays: a message is its writer's, also after somebody else has taken over.
    shown.who ??= this.#who(entry);
    shown.element.classList.toggle("again", again);
    this.#fill(shown, entry);
    const spot = before ? before.nextSibling : this.list.firstChild;
    if (spot !== shown.element) this.list.insertBefore(shown.element, spot);
    return shown.element;
  }

  #frame(entry) {
    const [who, body, foot] = [h("p", { class: "who" }), h("div", { class: "body" }), h("p", { class: "foot" })];
    foot.setAttribute("aria-live", "off");
    const element = h("article", { class: "bubble", "data-from": entry.from }, who, body, foot);
    const shown = { element, who: null, parts: { who, body, foot }, looks: {} };
    this.#shown.set(entry.key, shown);
    return shown;
  }

  /** Redraws only what looks different, so that a screen reader does not read a message twice. */
  #fill(shown, entry) {
    const { key: _key, at, delivery, state, problem, wait } = entry;
    const html = entry.from === "customer" ? null : (entry.html ?? null);
    this.#part(shown, "who", [shown.who], () => [shown.who ?? this.#words("someone")]);
    this.#part(shown, "body", [entry.text, html, entry.files ?? [], entry.file?.name, state === "failed"], () => this.#body(shown, entry, html));
    this.#part(shown, "foot", [at, delivery, state, problem?.status, wait], () => this.#foot(entry));
    if (shown.bar) shown.bar.value = entry.progress ?? 1;
  }

  #part(shown, part, looks, make) {
    const look = JSON.stringify(looks);
    if (shown.looks[part] === look) return;
    shown.looks[part] = look;
    shown.parts[part].replaceChildren(...make());
  }

  #who(entry) {
    if (entry.from === "customer") return this.#words("you");
    return entry.from === "agent" ? (this.#talk.state.agent?.name ?? null) : "";
  }

  #body(shown, entry, html) {
    const nodes = html ? htmlToNodes(html, this.#links) : wordsToNodes(entry.text ?? "", this.#links);
    const text = html || entry.text ? [h("div", { class: "text" }, nodes)] : [];
    const files = (entry.files ?? []).map((file) => this.#files.show(file, () => this.#follows && this.toEnd()));
    const upload = entry.file ? [this.#files.upload(entry.file, entry.state !== "failed")] : [];
    shown.bar = upload[0]?.bar;
    return [...text, ...files, ...upload];
  }

  #foot(entry) {
    if (entry.from === "system") return [];
    const time = entry.at ? [h("time", { datetime: entry.at }, clock(entry.at, this.#language))] : [];
    return entry.from === "customer" ? [...time, ...this.#delivery(entry)] : time;
  }

  #delivery(entry) {
    const note = (name, state, values) => h("span", { class: "delivery", "data-state": state }, this.#words(name, values));
    if (entry.state === "failed") return [this.#refusal(entry, note), this.#again(() => this.#talk.retry(entry.entry))];
    if (entry.state === "waiting" && entry.problem?.status === 0) return [note("waiting", "waiting")];
    if (entry.state === "waiting" && entry.problem) return [note("busy", "waiting", { n: entry.wait })];
    if (entry.delivery === "failed") {
      const again = entry.files?.length ? [] : [this.#again(() => this.#talk.say(entry.text))];
      return [note("failed", "failed"), ...again];
    }
    return entry.delivery === "sent" ? [note("sent", "sent")] : [note("sending", "pending")];
  }

  #refusal(entry, note) {
    const label = note("failed", "failed");
    if (entry.problem?.detail) label.append(" · ", entry.problem.detail);
    label.setAttribute("role", "alert");
    return label;
  }

  #again(action) {
    return h("button", { class: "retry", type: "button", onclick: action }, this.#words("again"));
  }

  /** Takes everything off the screen and out of memory. */
  wipe() {
    this.resized.disconnect();
    this.#files.wipe();
    this.#shown.clear();
    this.element.replaceChildren();
    this.element.remove();
  }
}

/** An entry of the outbox in the shape of a message. */
function asItem(entry) {
  return { ...entry, from: "customer", entry };
}
