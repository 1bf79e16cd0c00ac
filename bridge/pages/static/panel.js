// The conversation on screen: who answers, what was said, where to write, and the way out.
import { Composer } from "./composer.js";
import { h, icon, moment } from "./dom.js";
import { Transcript } from "./transcript.js";

/** The element of one Talk. `shared`: a screen for strangers. `onEnd` is called when END is pressed. */
export class Panel {
  constructor(talk, words, language, { shared, onEnd }) {
    Object.assign(this, { talk, words, language });
    this.transcript = new Transcript(talk, words, language, { shared });
    this.composer = new Composer(talk, words, language, { shared });
    this.face = h("span", { class: "face", "aria-hidden": "true" });
    this.title = h("h1", { class: "agent", tabindex: "-1" });
    this.line = h("p", { class: "line", role: "status" });
    this.endButton = h("button", { class: "end", type: "button", onclick: onEnd }, icon("cross"), words("end"));
    this.header = h("header", {}, this.face, h("div", { class: "about" }, this.title, this.line), this.endButton);
    this.foot = h("div", { class: "panel-foot" }, this.composer.element);
    this.element = h("section", { class: "panel" }, this.header, this.transcript.element, this.foot);
    this.draw = () => this.#draw();
    talk.addEventListener("change", this.draw);
    if (!shared) this.#takeDrops();
  }

  /** Shows the newest state; also the first time, once the element is in the page. */
  #draw() {
    const { agent } = this.talk.state;
    this.#set(this.title, agent?.name ?? this.words("someone"));
    this.#set(this.line, this.#lineWords());
    this.line.dataset.line = this.talk.online ? this.talk.state.status : "down";
    if (agent?.name) this.#set(this.face, [...agent.name][0].toUpperCase());
    else if (!this.face.firstElementChild) this.face.replaceChildren(icon("talk"));
    this.transcript.draw();
  }

  /** Only when it differs: a live region that is written again is read aloud again. */
  #set(element, words) {
    if (element.textContent !== words) element.textContent = words;
  }

  #lineWords() {
    const { status, agent, queuePosition, opensAt } = this.talk.state;
    if (status === "ended") return this.words("over");
    if (!this.talk.online) return this.words("reconnecting");
    if (status === "open") return agent?.name ? this.words("connected") : this.words("looking");
    if (opensAt) return this.words("opens", { when: moment(opensAt, this.language) });
    if (queuePosition === 1) return this.words("next");
    return queuePosition ? this.words("position", { n: queuePosition }) : this.words("looking");
  }

  #takeDrops() {
    const over = (event) => {
      event.preventDefault();
      this.element.classList.toggle("dropping", event.type === "dragover" && event.dataTransfer.types.includes("Files"));
    };
    this.element.dataset.drop = this.words("dropHere");
    for (const name of ["dragover", "dragleave", "drop"]) this.element.addEventListener(name, over);
    this.element.addEventListener("drop", (event) => {
      if (event.dataTransfer.files.length && !this.talk.closed) this.composer.choose(event.dataTransfer.files);
    });
  }

  /** Nothing can be written any more; `children` stand where the customer wrote. */
  close(...children) {
    this.composer.wipe();
    this.endButton.remove();
    this.element.classList.add("closed");
    this.foot.replaceChildren(...children);
  }

  wipe() {
    this.talk.removeEventListener("change", this.draw);
    this.composer.wipe();
    this.transcript.wipe();
    this.element.replaceChildren();
    this.element.remove();
  }
}
