// The page at `/talk/<id>#key=...`, to which an answer or a callback leads: it goes on with that one conversation.
import { h } from "./dom.js";
import { readAddress, speak } from "./page.js";
import { memoryOf, show, Visit } from "./visit.js";

const place = readAddress("talk");
const words = speak(place.language, "formTitle");
const memory = memoryOf(`webex-guest-bridge:${place.base}:talk:${place.source}`);
const visit = new Visit({ words, place, memory, blank, again: false });

function blank({ note = words("gone") } = {}) {
  const heading = h("h1", { tabindex: "-1" }, words("formTitle"));
  show("start", h("section", { class: "card" }, heading, h("p", { class: "note", role: "status" }, note)));
  heading.focus();
}

/** The key goes from the address into the tab's memory, so that nobody reads it over the customer's shoulder. */
function keyOfAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) history.replaceState(null, "", location.pathname + location.search);
  return key;
}

const key = keyOfAddress() ?? memory.read()?.key;
if (key) {
  const id = place.source;
  memory.write({ id, key });
  visit.begin({ id, key });
} else {
  blank();
}
