// A form in a web site that turns into the conversation in place. It survives a reload in its own tab until its end.
import { h } from "./dom.js";
import { readAddress, speak, StartForm } from "./page.js";
import { memoryOf, show, Visit } from "./visit.js";

const place = readAddress("form");
const words = speak(place.language, "formTitle");
const memory = memoryOf(`webex-guest-bridge:${place.base}:${place.source}`);
const visit = new Visit({ words, place, memory, blank, again: true });

function blank({ focus = false, note = "" } = {}) {
  const form = new StartForm(words, place, {
    shared: false,
    started: ({ conversationId: id, conversationKey: key }, message) => {
      memory.write({ id, key });
      visit.begin({ id, key }, message);
    },
  });
  const heading = h("header", {}, h("h1", {}, words("formTitle")), h("p", { class: "lead" }, words("formLead")));
  const over = note && h("p", { class: "note", role: "status" }, note);
  show("start", h("section", { class: "card" }, heading, over || null, form.element));
  if (focus) form.focus();
}

const former = memory.read();
if (former?.id && former?.key) visit.begin(former);
else blank();
