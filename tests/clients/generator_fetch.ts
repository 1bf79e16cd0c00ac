// Holds a conversation with what openapi-generator made for typescript-fetch.
import { Configuration, CustomerApi } from "./generated/index";

const talk = JSON.parse(process.env.TALK!);
const api = new CustomerApi(new Configuration({ basePath: talk.url, accessToken: talk.key }));
const { id } = talk;
const state = await api.getConversation({ id });
if (state.status !== "open") throw new Error(state.status);
await api.postMessage({ id, words: { text: talk.words } });
for (let turn = 0; ; turn++) {
  const { items } = await api.getMessages({ id });
  if (items.some((item) => item.from === "agent" && item.text === talk.answer)) break;
  if (turn > 600) throw new Error("the answer never came");
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const ended = await api.endConversation({ id });
if (ended.status !== "ended") throw new Error(ended.status);
