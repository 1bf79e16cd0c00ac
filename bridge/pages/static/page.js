// What a page knows from its own address, and how it starts a conversation.
import { newKey, startConversation } from "./api.js";
import { clean } from "./composer.js";
import { h } from "./dom.js";
import { spoken, translator } from "./strings.js";

const LONGEST_NAME = 128;
const LONGEST_MESSAGE = 8000; // the server takes no more

/** {base, source, store, topics, wished, language, query} of a page at `/<kind>/<source>?store&topic&lang`. */
export function readAddress(kind) {
  const at = location.pathname.lastIndexOf(`/${kind}/`);
  const query = new URLSearchParams(location.search);
  const wished = query.get("lang");
  return {
    base: location.pathname.slice(0, Math.max(at, 0)),
    source: decodeURIComponent(location.pathname.slice(at + kind.length + 2)),
    store: query.get("store") || null,
    topics: (query.get("topic") ?? "").split(",").map((topic) => topic.trim()).filter(Boolean),
    wished,
    language: spoken([wished, ...navigator.languages].filter(Boolean)),
    query,
  };
}

/** Sets the page's language and returns the words in it. */
export function speak(language, titleName) {
  const words = translator(language);
  document.documentElement.lang = language;
  document.title = words(titleName);
  return words;
}

/** The form that starts a conversation. `started` gets ({conversationId, conversationKey}, message). */
export class StartForm {
  #words;
  #place;
  #started;
  #key = newKey();

  constructor(words, place, { shared, started }) {
    this.#words = words;
    this.#place = place;
    this.#started = started;
    const privately = shared ? { autocomplete: "off", spellcheck: "false" } : {};
    this.name = h("input", { id: "name", maxlength: LONGEST_NAME, required: true, autocomplete: "name", ...privately });
    this.message = h("textarea", { id: "message", rows: "3", maxlength: LONGEST_MESSAGE, autocomplete: "off", ...privately });
    this.problem = h("p", { class: "problem", role: "alert" });
    this.button = h("button", { class: "primary wide", type: "submit" }, words("go"));
    this.element = h("form", { class: "start-form", novalidate: true, autocomplete: shared ? "off" : "on" });
    this.element.append(
      this.#field(this.name, words("name"), words("nameHelp")),
      ...this.#topics(),
      this.#field(this.message, words("message"), null, words("optional")),
      this.problem,
      this.button,
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  #field(control, label, help, aside) {
    const error = h("p", { class: "error", id: `${control.id}-error` });
    const hint = help && h("p", { class: "help", id: `${control.id}-help` }, help);
    control.setAttribute("aria-describedby", help ? `${error.id} ${hint.id}` : error.id);
    const beside = aside && h("span", { class: "aside" }, ` (${aside})`);
    return h("div", { class: "field" }, h("label", { for: control.id }, label, beside), control, error, hint);
  }

  /** One topic in the address is simply passed on; of several the customer picks one. */
  #topics() {
    const { topics } = this.#place;
    if (topics.length < 2) return [];
    const choices = topics.map((topic, index) => {
      const radio = h("input", { type: "radio", name: "topic", value: topic, id: `topic-${index}`, "aria-describedby": "topic-error" });
      return h("label", { class: "choice", for: radio.id }, radio, h("span", {}, topic));
    });
    const error = h("p", { class: "error", id: "topic-error" });
    return [h("fieldset", { class: "field" }, h("legend", {}, this.#words("topic")), h("div", { class: "choices" }, choices), error)];
  }

  #topic() {
    const { topics } = this.#place;
    if (topics.length < 2) return topics[0] ?? null;
    return this.element.querySelector("[name=topic]:checked")?.value ?? null;
  }

  #blame(id, words) {
    const control = this.element.querySelector(`#${id}`) ?? this.element.querySelector(`[name=${id}]`);
    const error = this.element.querySelector(`#${id}-error`);
    if (!control || !error) return false;
    error.textContent = words;
    control.toggleAttribute("aria-invalid", Boolean(words));
    if (words) control.setAttribute("aria-invalid", "true");
    if (words) control.focus();
    return true;
  }

  #complete(wish) {
    for (const id of ["name", "message", "topic"]) this.#blame(id, "");
    if (this.#place.topics.length > 1 && !wish.topic) this.#blame("topic", this.#words("topicMissing"));
    if (!wish.displayName) this.#blame("name", this.#words("nameMissing"));
    return wish.displayName && (wish.topic || this.#place.topics.length < 2);
  }

  async #submit() {
    const { source, base, store, wished, language } = this.#place;
    const message = clean(this.message.value) || undefined;
    const wish = { displayName: clean(this.name.value), message, language: wished ?? language };
    Object.assign(wish, store && { store }, this.#topic() && { topic: this.#topic() });
    if (this.button.disabled || !this.#complete(wish)) return;
    this.#busy(true);
    try {
      this.#started(await startConversation(base, source, wish, this.#key), message);
    } catch (problem) {
      this.#busy(false);
      this.#refused(problem);
    }
  }

  #busy(busy) {
    this.button.disabled = busy;
    this.button.textContent = this.#words(busy ? "starting" : "go");
    this.problem.textContent = "";
  }

  #refused(problem) {
    // What was refused for good is another wish when it is corrected; what may have arrived keeps its key.
    if (!problem.passing) this.#key = newKey();
    const owners = { displayName: "name", message: "message", topic: "topic" };
    const blamed = Object.entries(problem.fields).filter(([field, words]) => owners[field] && this.#blame(owners[field], words));
    if (!blamed.length) this.problem.textContent = this.#sentence(problem);
    if (!blamed.length) this.button.focus();
  }

  #sentence({ status, retryAfter, detail }) {
    if (status === 0) return this.#words("problemNetwork");
    if (status === 429 || status === 503) return this.#words("problemBusy", { n: Math.ceil(retryAfter ?? 10) });
    if (status === 404) return this.#words("problemSource");
    return status < 500 && detail ? detail : this.#words("problemOther");
  }

  focus() {
    this.name.focus();
  }
}
