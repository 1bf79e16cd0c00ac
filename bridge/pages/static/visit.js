// A conversation shown in place of whatever was there before, for the pages of one person: the form, and the page at `/talk`.
import { Conversation } from "./api.js";
import { confirm } from "./dialogs.js";
import { h } from "./dom.js";
import { Panel } from "./panel.js";
import { Talk } from "./talk.js";

/** The tab's own memory of {id, key}; in a frame a browser may refuse it, then a reload simply starts anew. */
export function memoryOf(slot) {
  return {
    read() {
      try {
        return JSON.parse(sessionStorage.getItem(slot));
      } catch {
        return null;
      }
    },
    write(value) {
      try {
        if (value) sessionStorage.setItem(slot, JSON.stringify(value));
        else sessionStorage.removeItem(slot);
      } catch {
        // Refused: see above.
      }
    },
  };
}

/** Shows a screen's elements; its name is what the style sheets go by. */
export function show(name, ...children) {
  document.body.dataset.screen = name;
  document.getElementById("app").replaceChildren(...children);
}

/** One conversation after the other on a page. `blank({focus, note})` shows what stands there without one. */
export class Visit {
  #words;
  #place;
  #memory;
  #blank;
  #again;
  #current = null;

  constructor({ words, place, memory, blank, again }) {
    this.#words = words;
    this.#place = place;
    this.#memory = memory;
    this.#blank = blank;
    this.#again = again;
    addEventListener("pagehide", () => {
      // Still going: the tab's memory brings it back. The words themselves never stay.
      this.leave();
      document.getElementById("app").replaceChildren();
    });
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  /** Shows the conversation {id, key} and goes on with it; `message` is what its start carried. */
  begin({ id, key }, message) {
    const words = this.#words;
    const talking = new Talk(new Conversation(this.#place.base, id, key));
    const panel = new Panel(talking, words, this.#place.language, { shared: false, onEnd: () => this.#askEnd(talking, panel) });
    this.#current = { talking, panel };
    talking.addEventListener("ended", () => this.#ended(panel, words("endedByThem")));
    talking.addEventListener("gone", () => {
      this.#memory.write(null);
      this.leave();
      this.#blank({ note: words("gone") });
    });
    talking.addEventListener("warning", (event) => this.#warned(talking, panel, event.detail.endsAt));
    show("talk", panel.element);
    talking.begin(message);
    panel.composer.focus();
  }

  /** Wipes what was said. */
  leave() {
    this.#current?.panel.wipe();
    this.#current?.talking.close();
    this.#current = null;
  }

  async #askEnd(talking, panel) {
    const words = this.#words;
    const asked = confirm({ title: words("endTitle"), text: words("endForm"), yes: words("endYes"), no: words("endNo") });
    if (!(await asked) || talking.closed) return;
    talking.removeEventListener("change", panel.draw);
    talking.state = { ...talking.state, status: "ended" };
    panel.line.textContent = words("over");
    panel.line.dataset.line = "ended";
    talking.end();
    this.#ended(panel, words("over"));
  }

  /** What was said stays to be read until the customer leaves or starts anew; the key is forgotten at once. */
  #ended(panel, note) {
    this.#memory.write(null);
    for (const dialog of document.querySelectorAll("dialog.question")) dialog.remove();
    panel.close(h("div", { class: "closing" }, h("p", { role: "status" }, note), this.#again ? this.#newOne() : null));
    panel.title.focus();
  }

  #newOne() {
    const again = h("button", { class: "primary", type: "button" }, this.#words("newOne"));
    again.addEventListener("click", () => {
      this.leave();
      this.#blank({ focus: true });
    });
    return again;
  }

  /** The server is about to end it: said beside the field, because a dialog would take the keys of who is writing. */
  #warned(talking, panel, endsAt) {
    const words = this.#words;
    panel.element.querySelector(".warning")?.remove();
    const here = h("button", { type: "button", class: "quiet" }, words("warnYes"));
    const left = h("span", { class: "left", "aria-hidden": "true" });
    const bar = h("div", { class: "warning", role: "alert" }, h("p", {}, words("idleTitle"), " ", words("warnText"), " ", left), here);
    const tick = () => (left.textContent = words("seconds", { n: Math.max(0, Math.ceil(talking.until(endsAt) / 1e3)) }));
    const timer = setInterval(() => (bar.isConnected ? tick() : clearInterval(timer)), 500);
    here.addEventListener("click", () => talking.say(words("hereWords")));
    talking.addEventListener("said", () => bar.remove(), { once: true });
    tick();
    panel.foot.prepend(bar);
  }
}
