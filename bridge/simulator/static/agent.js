// The inbox of a simulated agent. The server says only that something changed; the page asks again for what it shows.
import { make, renderCard } from "./card.js";

const find = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const state = { agent: "", room: "", other: null, shown: new Map(), drafts: new Map() };

async function ask(path, options) {
  const answer = await fetch(`/_sim${path}`, options);
  const body = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) {
    throw Object.assign(new Error(body.error ?? `The simulator answered ${answer.status}.`), { status: answer.status });
  }
  return body;
}

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const as = () => `as=${encodeURIComponent(state.agent)}`;

async function showAgents() {
  const { items } = await ask("/agents");
  const select = find("agent");
  select.replaceChildren(
    ...items.map((each) => {
      const unread = each.unread && each.email !== state.agent ? ` (${each.unread} new)` : "";
      const option = make("option", "", `${each.name}${unread}`);
      option.value = each.email;
      return option;
    }),
  );
  if (!items.some((each) => each.email === state.agent)) state.agent = items[0]?.email ?? "";
  select.value = state.agent;
}

async function showThreads() {
  const agent = state.agent;
  const { items } = await ask(`/threads?${as()}`);
  if (agent !== state.agent) return;
  const list = find("threads");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.room : null;
  list.replaceChildren(...items.map(threadRow));
  if (focused) list.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  find("none").hidden = items.some((each) => each.with.type !== "bot");
  const unread = items.reduce((sum, each) => sum + each.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ""}Agent inbox (simulated Webex)`;
}

function threadRow(thread) {
  const button = make("button", thread.unread ? "new" : "");
  button.type = "button";
  button.dataset.room = thread.id;
  button.setAttribute("aria-current", String(thread.id === state.room));
  const face = make("span", "face", thread.with.type === "bot" ? "⚙" : [...thread.with.name][0]);
  face.setAttribute("aria-hidden", "true");
  const last = thread.last?.text || thread.last?.file?.name || (thread.last ? "Card" : "Nothing written yet");
  const when = make("time", "", thread.last ? clock.format(new Date(thread.last.created)) : "");
  const mark = thread.unread ? make("span", "badge", String(thread.unread)) : make("span");
  if (thread.unread) mark.append(make("span", "unseen", " unread"));
  button.append(face, make("span", "name", thread.with.name), when, make("span", "last", last), mark);
  button.addEventListener("click", () => open(thread));
  const row = make("li");
  row.append(button);
  return row;
}

function open(thread) {
  state.drafts.set(state.room, find("answer").value);
  Object.assign(state, { room: thread.id, other: thread.with, shown: new Map() });
  find("messages").replaceChildren();
  find("answer").value = state.drafts.get(thread.id) ?? "";
  find("who").textContent = thread.with.name;
  find("kind").textContent = { bot: "bot", appuser: "guest" }[thread.with.type] ?? thread.with.email;
  find("form").hidden = false;
  document.body.dataset.view = "thread";
  problem("");
  refresh();
  find("answer").focus();
}

function close() {
  Object.assign(state, { room: "", other: null, shown: new Map() });
  find("messages").replaceChildren();
  find("who").textContent = "Choose a conversation";
  find("kind").textContent = "";
  find("form").hidden = true;
  document.body.dataset.view = "list";
}

async function showMessages() {
  const room = state.room;
  if (!room || room.includes("@")) return;
  const { items } = await ask(`/threads/${encodeURIComponent(room)}?${as()}`);
  if (room !== state.room) return;
  const list = find("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  place(list, items);
  if (atEnd || items.at(-1)?.mine) list.scrollTop = list.scrollHeight;
  if (document.visibilityState === "visible") {
    await ask(`/threads/${encodeURIComponent(room)}/read?${as()}`, { method: "POST" });
  }
}

// Rows that did not change stay where they are, so that a half-filled card and the reader's place survive.
function place(list, items) {
  const rows = new Map();
  let day = "";
  for (const item of items) {
    const date = calendar.format(new Date(item.created));
    if (date !== day) rows.set((day = date), state.shown.get(date) ?? dayRow(date));
    const key = JSON.stringify(item);
    rows.set(key, state.shown.get(key) ?? messageRow(item));
  }
  for (const [key, row] of state.shown) if (!rows.has(key)) row.remove();
  let before = list.firstChild;
  for (const row of rows.values()) {
    if (row === before) before = before.nextSibling;
    else list.insertBefore(row, before);
  }
  state.shown = rows;
}

function dayRow(date) {
  return make("li", "day", date);
}

function messageRow(item) {
  const row = make("li", item.mine ? "mine" : "");
  row.append(make("span", "unseen", item.mine ? "You:" : `${state.other.name}:`));
  const words = item.card ? "" : item.text; // beside a card the text is only for clients that show no cards
  if (words || item.file) {
    const bubble = make("div", "bubble", words);
    if (item.file) bubble.append(fileLink(item.file));
    row.append(bubble);
  }
  if (item.card) row.append(renderCard(item.card, (inputs, button) => press(item.id, inputs, button)));
  const when = make("time", "", clock.format(new Date(item.created)) + (item.edited ? ", edited" : ""));
  when.dateTime = item.created;
  row.append(when);
  return row;
}

function fileLink(file) {
  const link = make("a", "file", `${file.name} (${Math.max(1, Math.round(file.size / 1024))} KB)`);
  link.href = file.url;
  link.download = file.name;
  return link;
}

async function press(messageId, inputs, button) {
  if (button) button.disabled = true;
  try {
    await post("/press", { from: state.agent, messageId, inputs });
    find("spoken").textContent = "Sent";
  } catch (error) {
    problem(error.message);
  }
  if (button) button.disabled = false;
}

async function send(event) {
  event.preventDefault();
  const box = find("answer");
  const [file] = find("file").files;
  const text = box.value.trim();
  if (!text && !file) return;
  const form = new FormData();
  const room = state.room;
  form.set("from", state.agent);
  form.set("to", room);
  form.set("text", text);
  if (file) form.set("file", file);
  box.value = "";
  try {
    const sent = await ask("/say", { method: "POST", body: form });
    if (state.room === room) state.room = sent.roomId;
    unchoose();
    problem("");
  } catch (error) {
    box.value = text;
    problem(error.message);
  }
  grow();
  refresh();
}

function problem(sentence) {
  find("problem").textContent = sentence;
}

function unchoose() {
  find("file").value = "";
  find("chosen").hidden = true;
}

function grow() {
  const box = find("answer");
  box.rows = Math.min(6, box.value.split("\n").length);
}

// One round at a time; news that comes meanwhile asks for one more.
let running = false;
let again = false;
async function refresh() {
  if (running) return void (again = true);
  running = true;
  do {
    again = false;
    try {
      await Promise.all([showAgents(), state.agent ? showThreads() : null, showMessages()]);
    } catch (error) {
      if (error.status === 404) close();
      else problem("The simulator cannot be reached just now.");
    }
  } while (again);
  running = false;
}

find("agent").addEventListener("change", (event) => {
  state.agent = event.target.value;
  history.replaceState(null, "", `?${as()}`);
  close();
  refresh();
});
find("back").addEventListener("click", () => {
  const room = state.room;
  close();
  document.querySelector(`[data-room="${CSS.escape(room)}"]`)?.focus();
});
find("form").addEventListener("submit", send);
find("unchoose").addEventListener("click", unchoose);
find("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  find("chosen").hidden = !file;
  find("chosen").querySelector("span").textContent = file ? file.name : "";
});
find("answer").addEventListener("input", grow);
find("answer").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find("form").requestSubmit();
});
document.addEventListener("visibilitychange", refresh);

state.agent = new URLSearchParams(location.search).get("as") ?? "";
await showAgents();
new EventSource("/_sim/news").addEventListener("change", refresh);
