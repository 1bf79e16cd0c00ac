// The public API, as any customer's page may use it. Nothing else in these pages makes a request.

// The browser keeps a list of addresses that were asked; one of them carries the key of the stream.
performance.setResourceTimingBufferSize(0);
performance.clearResourceTimings();

/** Milliseconds for one call, its answer's beginning included. */
const PATIENCE = 30_000;

/** A refusal or a failure. `status` 0: no answer came. `retryAfter`: seconds, or null. `fields`: {name: sentence}. */
export class Problem extends Error {
  constructor(status, body = {}, retryAfter = null) {
    super(`problem ${status}`);
    this.status = status;
    this.detail = typeof body.detail === "string" ? body.detail : "";
    this.retryAfter = retryAfter;
    this.fields = fieldsOf(body.errors);
  }

  /** The key opens nothing any more: the conversation is over. */
  get over() {
    return this.status === 401 || this.status === 410;
  }

  /** Nothing is wrong with what was asked; it may work later. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

function fieldsOf(errors) {
  if (!Array.isArray(errors)) return {};
  const named = errors.map((error) => [String(error?.field ?? "").split(/[./]/).pop(), String(error?.detail ?? "")]);
  return Object.fromEntries(named.filter(([name]) => name));
}

function bodyOf(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function secondsOf(header) {
  if (!header) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 3600) : null;
}

/** A key for one attempt to send something; works without a secure context, which randomUUID does not. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Starts a conversation; the answer is {eventId, conversationId, conversationKey, status}. Raises Problem. */
export async function startConversation(base, source, wish, idempotencyKey) {
  const response = await reach(`${base}/v1/pages/${encodeURIComponent(source)}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey },
    body: JSON.stringify(wish),
  });
  return response.json();
}

async function reach(address, options) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE), ...options });
  } catch {
    throw new Problem(0);
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => "");
  throw new Problem(response.status, bodyOf(text), secondsOf(response.headers.get("Retry-After")));
}

/** One conversation's calls. The key lives in this object and nowhere else. */
export class Conversation {
  #base;
  #key;
  #skew = 0;

  constructor(base, id, key) {
    this.id = id;
    this.#base = `${base}/v1/conversations/${encodeURIComponent(id)}`;
    this.#key = key;
  }

  /** Milliseconds by the server's clock; a kiosk's own may be wrong. */
  now() {
    return Date.now() + this.#skew;
  }

  async state() {
    return (await this.#call("")).json();
  }

  async say(text, idempotencyKey) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey };
    const response = await this.#call("/messages", { method: "POST", headers, body: JSON.stringify({ text }) });
    return response.json().catch(() => ({}));
  }

  /** Sends a file; `progress` is called with 0..1. XMLHttpRequest, because fetch tells nothing about an upload. */
  hand(file, idempotencyKey, progress) {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file, file.name);
    return new Promise((resolve, reject) => {
      request.open("POST", `${this.#base}/messages`);
      request.setRequestHeader("Authorization", `Bearer ${this.#key}`);
      request.setRequestHeader("Idempotency-Key", idempotencyKey);
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onerror = () => reject(new Problem(0));
      request.onload = () => {
        const answer = bodyOf(request.responseText);
        if (request.status >= 200 && request.status < 300) resolve(answer);
        else reject(new Problem(request.status, answer, secondsOf(request.getResponseHeader("Retry-After"))));
      };
      request.send(body);
    });
  }

  /** A file's bytes. An address of another origin is refused, so that the key cannot be lured away. */
  async file(address) {
    const url = new URL(address, location.href);
    if (url.origin !== location.origin) throw new Problem(400);
    return (await reach(url.href, { headers: { Authorization: `Bearer ${this.#key}` } })).blob();
  }

  /** Ends it. Survives the page that calls it. */
  async end() {
    await this.#call("/end", { method: "POST", keepalive: true });
  }

  stream() {
    return new EventSource(`${this.#base}/stream?key=${encodeURIComponent(this.#key)}`);
  }

  async #call(path, options = {}) {
    const headers = { ...options.headers, Authorization: `Bearer ${this.#key}` };
    const response = await reach(this.#base + path, { ...options, headers });
    const date = Date.parse(response.headers.get("Date") ?? "");
    // The header counts whole seconds, so a small difference says nothing.
    const skew = date - Date.now();
    if (Number.isFinite(skew)) this.#skew = Math.abs(skew) > 2000 ? skew : 0;
    return response;
  }
}
