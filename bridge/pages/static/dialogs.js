// Questions in front of everything else. The browser's own dialog keeps the focus inside and gives it back.
import { h } from "./dom.js";

let open = 0;

/** Asks with two buttons; true for yes. Escape means no. */
export function confirm({ title, text, yes, no }) {
  return ask({ title, text, buttons: [[no, false, "quiet"], [yes, true, "danger"]], escape: false }).answer;
}

/**
 * 'Are you still there?' with seconds that run down. `left()` gives the milliseconds that remain.
 * The answer: "here", "end", "gone" when nobody answered, or "moot" after `cancel()`.
 */
export function stillThere({ title, text, here, end, seconds, left }) {
  const number = h("p", { class: "countdown", role: "timer", "aria-live": "off" });
  const buttons = [[end, "end", "quiet"], [here, "here", "primary"]];
  const { answer, settle } = ask({ title, text, buttons, escape: "here", extra: number, alert: true });
  const show = () => {
    number.textContent = seconds(Math.max(0, Math.ceil(left() / 1e3)));
    if (left() <= 0) settle("gone");
  };
  show();
  const timer = setInterval(show, 200);
  answer.then(() => clearInterval(timer));
  return { answer, cancel: () => settle("moot") };
}

function ask({ title, text, buttons, escape, extra = null, alert = false }) {
  const id = `dialog-${++open}`;
  let settle;
  const answer = new Promise((resolve) => (settle = resolve));
  const row = buttons.map(([label, value, look]) =>
    h("button", { class: look, type: "button", onclick: () => settle(value) }, label),
  );
  const named = { "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-text` };
  const dialog = h(
    "dialog",
    { class: "question", role: alert ? "alertdialog" : null, ...named },
    h("h2", { id: `${id}-title` }, title),
    h("p", { id: `${id}-text` }, text),
    extra,
    h("div", { class: "buttons" }, row),
  );
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    settle(escape);
  });
  document.body.append(dialog);
  dialog.showModal();
  // The answer that changes least has the focus, so that a stray key ends nothing.
  (alert ? row.at(-1) : row[0]).focus();
  answer.then(() => {
    dialog.close();
    dialog.remove();
  });
  return { answer, settle };
}
