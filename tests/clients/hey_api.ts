// Holds a conversation with what @hey-api/openapi-ts made.
import { client } from "./hey/client.gen";
import { endConversation, getConversation, getMessages, postMessage } from "./hey/sdk.gen";

const talk = JSON.parse(process.env.TALK!);
client.setConfig({ baseUrl: talk.url, auth: () => talk.key });
const path = { id: talk.id };
const state = await getConversation({ path, throwOnError: true });
if (state.data.status !== "open") throw new Error(state.data.status);
await postMessage({ path, body: { text: talk.words }, throwOnError: true });
for (let turn = 0; ; turn++) {
  const { data } = await getMessages({ path, throwOnError: true });
  if (data.items.some((item) => item.from === "agent" && item.text === talk.answer)) break;
  if (turn > 600) throw new Error("the answer never came");
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const ended = await endConversation({ path, throwOnError: true });
if (ended.data.status !== "ended") throw new Error(ended.data.status);
