// A video call from the store: a conversation as any other, and beside it a Webex call with the guest's own token.
// How it is served and addressed: docs/video.md.

const given = new URLSearchParams(location.search);
const bridge = (given.get("bridge") ?? location.origin).replace(/\/$/, "");
const source = given.get("source") ?? "video";
const topic = given.get("topic") ?? undefined;
const element = (id) => document.getElementById(id);
const SINKS = { local: "local", remoteVideo: "remote", remoteAudio: "sound" };

function say(text) {
  element("said").textContent = text;
}

/** A call to the bridge; an Error with its own words where it refuses. */
async function ask(path, key, options = {}) {
  const headers = { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
  const response = await fetch(`${bridge}/v1${path}`, { ...options, headers });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail ?? `The bridge answered ${response.status}.`);
  return body;
}

/** One visit: from the pressed button to the end of the call. */
class Visit {
  #path;
  #key;
  #stream;
  #webex;
  #meeting;
  #streams = [];
  #ended = false;

  async begin(displayName) {
    const wish = { displayName, message: "I am at the kiosk and would like to talk by video.", topic };
    const started = await ask(`/pages/${encodeURIComponent(source)}`, null, { method: "POST", body: JSON.stringify(wish) });
    this.#key = started.conversationKey;
    this.#path = `/conversations/${started.conversationId}`;
    this.#stream = new EventSource(`${bridge}/v1${this.#path}/stream?key=${encodeURIComponent(this.#key)}`);
    this.#stream.addEventListener("status", (event) => this.#follow(JSON.parse(event.data)));
    this.#stream.addEventListener("token", () => this.#takeToken().catch(() => {}));
    this.#stream.addEventListener("ended", () => this.end("The call is over. Thank you!"));
  }

  #follow(state) {
    if (state.status === "open" && !this.#meeting) {
      say(`Calling ${state.agent?.name ?? "our colleague"} ...`);
      this.#meeting = this.#call().catch(() => {
        this.end("The call did not work. Please ask somebody in the store.");
      });
    } else if (state.status === "queued") {
      say(state.opensAt ? `We are back ${new Date(state.opensAt).toLocaleString()}.` : `You are number ${state.queuePosition}.`);
    }
  }

  async #call() {
    const { accessToken, agent } = await ask(`${this.#path}/guest-token`, this.#key);
    this.#webex = window.Webex.init({ credentials: { access_token: accessToken } });
    await new Promise((resolve) => this.#webex.once("ready", resolve));
    await this.#webex.meetings.register();
    const meeting = await this.#webex.meetings.create(agent.email);
    meeting.on("media:ready", ({ type, stream }) => this.#show(type, stream));
    meeting.on("media:stopped", ({ type }) => this.#show(type, null));
    meeting.on("meeting:self:left", () => this.end("The call is over. Thank you!"));
    const { createMicrophoneStream, createCameraStream } = this.#webex.meetings.mediaHelpers;
    const microphone = await createMicrophoneStream({ echoCancellation: true, noiseSuppression: true });
    const camera = await createCameraStream({ width: 1280, height: 720 });
    this.#streams = [microphone, camera];
    if (!this.#ended) this.#show("local", camera.outputStream);
    await meeting.joinWithMedia({ mediaOptions: { allowMediaInLobby: true, localStreams: { microphone, camera } } });
    if (!this.#ended) say("You are talking to us.");
    return meeting;
  }

  /** The bridge has re-issued the guest's token: the SDK goes on with it, and the call is not touched. */
  async #takeToken() {
    if (!this.#webex) return;
    const { accessToken } = await ask(`${this.#path}/guest-token`, this.#key);
    const { credentials } = this.#webex;
    credentials.supertoken = { access_token: accessToken, token_type: "Bearer" };
    // What the SDK derived from the old token: it derives it anew when it needs it.
    for (const derived of [...credentials.userTokens.models]) credentials.userTokens.remove(derived);
  }

  #show(type, stream) {
    if (SINKS[type]) element(SINKS[type]).srcObject = stream;
  }

  /** Hangs up, tells the bridge, and leaves nothing of this customer on the machine. */
  async end(words) {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream?.close();
    for (const type of Object.keys(SINKS)) this.#show(type, null);
    ready(words);
    if (this.#path) ask(`${this.#path}/end`, this.#key, { method: "POST", keepalive: true }).catch(() => {});
    // The call may be on its way still: what it has taken is given back once it is there.
    const meeting = await this.#meeting;
    for (const stream of this.#streams) stream.stop();
    await meeting?.leave().catch(() => {});
    await this.#webex?.meetings.unregister().catch(() => {});
  }
}

let visit = null;

function ready(words) {
  visit = null;
  element("start").reset();
  element("start").hidden = false;
  element("end").hidden = true;
  say(words);
}

element("start").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = new FormData(event.target).get("name");
  element("start").hidden = true;
  element("end").hidden = false;
  element("end").focus();
  say("One moment ...");
  const mine = (visit = new Visit());
  await mine.begin(name).catch((error) => mine.end(error.message));
});
element("end").addEventListener("click", () => visit?.end("Thank you!"));
addEventListener("pagehide", () => visit?.end(""));
