// A screen in a shop, shared with strangers: START, a short question, the conversation, END, and nothing left.
// Everything of a visit lives in one Visit object and in one element; both are dropped at its end.
import { Conversation } from "./api.js";
import { confirm, stillThere } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { Idle } from "./idle.js";
import { Panel } from "./panel.js";
import { readAddress, speak, StartForm } from "./page.js";
import { STRINGS } from "./strings.js";
import { Talk } from "./talk.js";

const place = readAddress("kiosk");
const idleSeconds = Math.min(Math.max(Number(place.query.get("idle")) || 60, 1), 3600);
const graceSeconds = Math.min(20, idleSeconds);
const READING_SECONDS = 45;
const BYE_SECONDS = 6;
const app = document.getElementById("app");

let language = place.language;
let words = speak(language, "kioskTitle");
let visit = null;

function show(name, ...children) {
  document.body.dataset.screen = name;
  app.replaceChildren(...children);
}

// Nobody here

function attract() {
  words = speak(language, "kioskTitle");
  const start = h("button", { class: "start", type: "button", onclick: () => (visit = new Visit()) });
  start.append(h("span", {}, words("start")));
  const greeting = h("div", { class: "greeting" }, h("h1", {}, words("kioskTitle")), h("p", {}, words("kioskLead")));
  const rings = h("div", { class: "rings" }, start, h("p", { class: "start-hint", "aria-hidden": "true" }, words("startHint")));
  const last = h("footer", {}, languages(), h("p", { class: "privacy" }, words("privacy")));
  show("attract", h("div", { class: "attract" }, greeting, rings, last));
  start.focus({ preventScroll: true });
}

function languages() {
  const choose = (code) => {
    language = code;
    attract();
    app.querySelector(`[lang=${code}]`).focus();
  };
  return h("div", { class: "languages" }, Object.entries(STRINGS).map(([code, texts]) =>
    h("button", { type: "button", lang: code, "aria-pressed": String(code === language), onclick: () => choose(code) }, texts.language),
  ));
}

// Somebody here

class Visit {
  talk = null;
  panel = null;
  question = null;
  idle = new Idle(idleSeconds, () => this.lapsed());

  constructor() {
    const chosen = place.wished && language === place.language ? {} : { wished: language };
    this.form = new StartForm(words, { ...place, ...chosen }, {
      shared: true,
      started: (answer, message) => this.started(answer, message),
    });
    const cancel = h("button", { class: "quiet", type: "button", onclick: () => this.over() }, words("back"));
    const header = h("header", {}, h("h1", {}, words("askTitle")), cancel);
    show("ask", h("div", { class: "ask" }, header, this.form.element, h("p", { class: "privacy" }, words("privacy"))));
    this.form.focus();
  }

  started({ conversationId, conversationKey }, message) {
    const conversation = new Conversation(place.base, conversationId, conversationKey);
    const talk = new Talk(conversation);
    // They went away while it was being made: the agent must not wait for nobody.
    if (visit !== this) return void talk.end();
    this.talk = talk;
    this.panel = new Panel(talk, words, language, { shared: true, onEnd: () => this.askEnd() });
    talk.addEventListener("change", () => this.idle.touch());
    talk.addEventListener("warning", (event) => this.warned(event.detail.endsAt));
    talk.addEventListener("said", () => this.question?.cancel());
    talk.addEventListener("ended", () => this.ended());
    talk.addEventListener("gone", () => this.over(words("gone")));
    show("talk", this.panel.element);
    talk.begin(message);
    this.panel.composer.focus();
  }

  async askEnd() {
    const asked = confirm({ title: words("endTitle"), text: words("endKiosk"), yes: words("endYes"), no: words("endNo") });
    if ((await asked) && visit === this) this.over(words("byeTitle"));
  }

  lapsed() {
    const until = performance.now() + graceSeconds * 1e3;
    this.ask(words("idleText"), words("idleYes"), () => until - performance.now());
  }

  /** The server is about to end it; only the customer's words keep it open, so the answer says some. */
  async warned(endsAt) {
    this.question?.cancel();
    const answer = await this.ask(words("warnText"), words("warnYes"), () => this.talk.until(endsAt));
    if (answer === "here") this.talk.say(words("hereWords"));
  }

  async ask(text, here, left) {
    if (this.question) return null;
    this.question = stillThere({
      title: words("idleTitle"), text, here, left, end: words("end"), seconds: (n) => words("seconds", { n }),
    });
    const answer = await this.question.answer;
    this.question = null;
    if (visit !== this) return null;
    if (answer === "here" || answer === "moot") this.idle.touch();
    else this.over(this.talk && words("byeTitle"));
    return answer;
  }

  /** Somebody else ended it: the last words may still be read for a while. */
  ended() {
    this.idle.stop();
    this.question?.cancel();
    const left = h("p", { class: "clears" });
    const done = h("button", { class: "primary", type: "button", onclick: () => this.over(words("byeTitle")) }, words("done"));
    this.panel.close(h("div", { class: "closing" }, h("p", { role: "status" }, words("over")), left, done));
    this.idle = new Idle(READING_SECONDS, () => this.over(words("byeTitle")));
    const tick = () => (left.textContent = words("clears", { n: this.idle.left() }));
    const ticking = setInterval(() => (left.isConnected ? tick() : clearInterval(ticking)), 500);
    tick();
    done.focus();
  }

  /** Ends and wipes; `farewell` is shown for a moment, without it the start screen comes at once. */
  over(farewell) {
    this.wipe();
    if (!farewell) return attract();
    bye(farewell);
  }

  wipe() {
    visit = null;
    this.idle.stop();
    this.question?.cancel();
    this.talk?.end();
    this.panel?.wipe();
    this.form.element.replaceChildren();
    for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
    getSelection()?.removeAllRanges();
    show("empty");
    language = place.language;
  }
}

function bye(farewell) {
  const said = h("h1", { tabindex: "-1" }, farewell);
  const done = h("button", { class: "quiet", type: "button" }, words("done"));
  show("bye", h("div", { class: "bye", role: "status" }, icon("check"), said, h("p", {}, words("byeText")), done));
  said.focus();
  const timer = setTimeout(attract, BYE_SECONDS * 1e3);
  done.addEventListener("click", () => {
    clearTimeout(timer);
    attract();
  });
}

// Leaving the page in any way ends the visit, and coming back to it shows a fresh one.
addEventListener("pagehide", () => visit?.wipe());
addEventListener("pageshow", (event) => event.persisted && location.reload());
// Strangers share the clipboard, the menus and the screen.
for (const name of ["contextmenu", "copy", "cut", "dragstart", "dragover", "drop"]) {
  addEventListener(name, (event) => event.preventDefault());
}
attract();
