// In place of the npm package `webex`: records what is asked of it, and shows the browser's fake camera.
window.asked = [];
const note = (...what) => window.asked.push(what);

class Emitter {
  #listeners = {};
  on(name, listener) {
    (this.#listeners[name] ??= []).push(listener);
  }
  once(name, listener) {
    this.on(name, listener);
  }
  emit(name, data) {
    for (const listener of this.#listeners[name] ?? []) listener(data);
  }
}

class Meeting extends Emitter {
  async joinWithMedia({ mediaOptions }) {
    if (!mediaOptions.allowMediaInLobby) throw new Error("joinWithMedia() needs allowMediaInLobby");
    note("join", Object.keys(mediaOptions.localStreams).sort().join());
    const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
    this.emit("media:ready", { type: "remoteVideo", stream });
    this.emit("media:ready", { type: "remoteAudio", stream });
  }
  async leave() {
    note("leave");
  }
}

async function local(constraints) {
  const outputStream = await navigator.mediaDevices.getUserMedia(constraints);
  return {
    outputStream,
    stop() {
      note("stop");
      for (const track of outputStream.getTracks()) track.stop();
    },
  };
}

window.Webex = {
  init({ credentials }) {
    note("init", credentials.access_token);
    const models = [{ scope: "spark:kms" }];
    const webex = new Emitter();
    webex.credentials = {
      userTokens: { models, remove: (model) => models.splice(models.indexOf(model), 1) },
      set supertoken(token) {
        note("token", token.access_token);
      },
    };
    window.derived = models;
    webex.meetings = {
      register: async () => note("register"),
      unregister: async () => note("unregister"),
      create: async (address) => {
        note("create", address);
        return (window.meeting = new Meeting());
      },
      mediaHelpers: {
        createMicrophoneStream: () => local({ audio: true }),
        createCameraStream: () => local({ video: true }),
      },
    };
    setTimeout(() => webex.emit("ready"));
    return webex;
  },
};
