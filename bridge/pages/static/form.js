// A form in a web site that turns into the conversation in place. It survives a reload in its own tab until its end.
import { Conversation } from "./api.js";
import { confirm } from "./dialogs.js";
import { h } from "./dom.js";
import { Panel } from "./panel.js";
import { readAddress, speak, StartForm } from "./page.js";
import { Talk } from "./talk.js";

const place = readAddress("form");
const words = speak(place.language, "formTitle");
const app = document.getElementById("app");
const SLOT = `webex-guest-bridge:${place.base}:${place.source}`;

let current = null;

/** The tab's own memory; in a frame a browser may refuse it, then a reload simply starts anew. */
const memory = {
  read() {
    try {
      return JSON.parse(sessionStorage.getItem(SLOT));
    } catch {
      return null;
    }
  },
  write(value) {
    try {
      if (value) sessionStorage.setItem(SLOT, JSON.stringify(value));
      else sessionStorage.removeItem(SLOT);
    } catch {
      // Refused: see above.
    }
  },
};

function show(name, ...children) {
  document.body.dataset.screen = name;
  app.replaceChildren(...children);
}

function blank({ focus = false, note = "" } = {}) {
  const form = new StartForm(words, place, {
    shared: false,
    started: ({ conversationId: id, conversationKey: key }, message) => {
      memory.write({ id, key });
      talk({ id, key }, message);
    },
  });
  const heading = h("header", {}, h("h1", {}, words("formTitle")), h("p", { class: "lead" }, words("formLead")));
  const over = note && h("p", { class: "note", role: "status" }, note);
  show("start", h("section", { class: "card" }, heading, over || null, form.element));
  if (focus) form.focus();
}

function talk({ id, key }, message) {
  const talking = new Talk(new Conversation(place.base, id, key));
  const panel = new Panel(talking, words, place.language, { shared: false, onEnd: () => askEnd(talking, panel) });
  current = { talking, panel };
  talking.addEventListener("ended", () => ended(panel, words("endedByThem")));
  talking.addEventListener("gone", () => {
    memory.write(null);
    leave();
    blank({ note: words("gone") });
  });
  talking.addEventListener("warning", (event) => warned(talking, panel, event.detail.endsAt));
  show("talk", panel.element);
  talking.begin(message);
  panel.composer.focus();
}

async function askEnd(talking, panel) {
  const asked = confirm({ title: words("endTitle"), text: words("endForm"), yes: words("endYes"), no: words("endNo") });
  if (!(await asked) || talking.closed) return;
  talking.removeEventListener("change", panel.draw);
  talking.state = { ...talking.state, status: "ended" };
  panel.line.textContent = words("over");
  panel.line.dataset.line = "ended";
  talking.end();
  ended(panel, words("over"));
}

/** What was said stays to be read until the customer leaves or starts anew; the key is forgotten at once. */
function ended(panel, note) {
  memory.write(null);
  for (const dialog of document.querySelectorAll("dialog.question")) dialog.remove();
  const again = h("button", { class: "primary", type: "button" }, words("newOne"));
  again.addEventListener("click", () => {
    leave();
    blank({ focus: true });
  });
  panel.close(h("div", { class: "closing" }, h("p", { role: "status" }, note), again));
  panel.title.focus();
}

/** The server is about to end it: said beside the field, because a dialog would take the keys of who is writing. */
function warned(talking, panel, endsAt) {
  panel.element.querySelector(".warning")?.remove();
  const here = h("button", { type: "button", class: "quiet" }, words("warnYes"));
  const left = h("span", { class: "left", "aria-hidden": "true" });
  const bar = h("div", { class: "warning", role: "alert" }, h("p", {}, words("idleTitle"), " ", words("warnText"), " ", left), here);
  const show = () => (left.textContent = words("seconds", { n: Math.max(0, Math.ceil(talking.until(endsAt) / 1e3)) }));
  const timer = setInterval(() => (bar.isConnected ? show() : clearInterval(timer)), 500);
  here.addEventListener("click", () => talking.say(words("hereWords")));
  talking.addEventListener("said", () => bar.remove(), { once: true });
  show();
  panel.foot.prepend(bar);
}

/** Wipes what was said. */
function leave() {
  current?.panel.wipe();
  current?.talking.close();
  current = null;
}

addEventListener("pagehide", () => {
  // Still going: the tab's memory brings it back. The words themselves never stay.
  leave();
  app.replaceChildren();
});
addEventListener("pageshow", (event) => event.persisted && location.reload());

const former = memory.read();
if (former?.id && former?.key) talk(former);
else blank();
