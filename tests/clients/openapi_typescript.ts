// Holds a conversation with plain fetch, under the types that openapi-typescript made.
import type { components, paths } from "./types";

type State = components["schemas"]["State"];
type Messages = paths["/v1/conversations/{id}/messages"]["get"]["responses"][200]["content"]["application/json"];
const talk = JSON.parse(process.env.TALK!);
const headers = { Authorization: `Bearer ${talk.key}`, "Content-Type": "application/json" };

async function call<T>(path: string, method = "GET", body?: unknown): Promise<T> {
  const answer = await fetch(`${talk.url}/v1/conversations/${talk.id}${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as T;
}

const state = await call<State>("");
if (state.status !== "open") throw new Error(state.status);
const words: components["schemas"]["Words"] = { text: talk.words };
await call<components["schemas"]["Taken"]>("/messages", "POST", words);
for (let turn = 0; ; turn++) {
  const { items } = await call<Messages>("/messages");
  if (items.some((item) => item.from === "agent" && item.text === talk.answer)) break;
  if (turn > 600) throw new Error("the answer never came");
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const ended = await call<State>("/end", "POST");
if (ended.status !== "ended") throw new Error(ended.status);
