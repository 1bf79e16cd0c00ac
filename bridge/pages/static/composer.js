// Where the customer writes: a growing field, one file, Enter to send.
import { h, icon, size } from "./dom.js";

const LONGEST = 8000; // the server takes no more

/** What may be stored as a text: no lone half of a character and no NUL, which the server would refuse. */
export function clean(text) {
  const whole = text.toWellFormed ? text.toWellFormed() : text.replace(/\p{Surrogate}/gu, "\uFFFD");
  return whole.replaceAll("\0", "").trim();
}

/** Says words and hands files to a Talk. `drops`: files may also be dropped on `dropZone`. */
export class Composer {
  #talk;
  #words;
  #language;
  #file = null;

  constructor(talk, words, language, { shared }) {
    this.#talk = talk;
    this.#words = words;
    this.#language = language;
    this.field = h("textarea", {
      id: "words",
      rows: "1",
      maxlength: LONGEST,
      autocomplete: "off",
      enterkeyhint: "send",
      spellcheck: shared ? "false" : null,
      placeholder: words("writeHere"),
      "aria-label": words("writeHere"),
    });
    this.chosen = h("div", { class: "chosen", hidden: true });
    this.notice = h("p", { class: "composer-notice", role: "status" });
    this.element = h("form", { class: "composer", autocomplete: "off" }, this.chosen, this.notice, this.#row());
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("input", () => this.#grow());
  }

  #row() {
    this.picker = h("input", { type: "file", hidden: true, tabindex: "-1", "aria-hidden": "true" });
    this.picker.addEventListener("change", () => {
      this.choose(this.picker.files);
      // Emptied at once, so that the same file can be picked again and no path stays behind.
      this.picker.value = "";
    });
    const attach = h("button", { class: "round quiet", type: "button", "aria-label": this.#words("attach") }, icon("clip"));
    attach.addEventListener("click", () => this.picker.click());
    const send = h("button", { class: "round primary", type: "submit", "aria-label": this.#words("send") }, icon("send"));
    return h("div", { class: "row" }, attach, this.picker, this.field, send);
  }

  /** Enter sends, Shift+Enter breaks the line; not while an input method is still composing a character. */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #grow() {
    this.field.rows = Math.min(5, this.field.value.split("\n").length);
  }

  #send() {
    const text = clean(this.field.value);
    if (text) this.#talk.say(text);
    if (this.#file) this.#talk.hand(this.#file);
    this.field.value = "";
    this.#grow();
    this.choose([]);
    this.field.focus();
  }

  /** Takes the one file of a picker or a drop; several are refused in words, none forgets the former. */
  choose(files) {
    this.notice.textContent = files.length > 1 ? this.#words("oneFile") : "";
    this.#file = files.length === 1 ? files[0] : null;
    this.chosen.hidden = !this.#file;
    this.chosen.replaceChildren(...(this.#file ? this.#named(this.#file) : []));
    if (this.#file) this.field.focus();
  }

  #named(file) {
    const label = this.#words("removeFile", { name: file.name });
    const remove = h("button", { class: "round quiet small", type: "button", "aria-label": label }, icon("cross"));
    remove.addEventListener("click", () => {
      this.choose([]);
      this.field.focus();
    });
    const amount = h("span", { class: "file-size" }, size(file.size, this.#language));
    return [icon("file"), h("span", { class: "file-name" }, file.name), amount, remove];
  }

  focus() {
    this.field.focus();
  }

  wipe() {
    this.#file = null;
    this.field.value = "";
    this.element.replaceChildren();
    this.element.remove();
  }
}
