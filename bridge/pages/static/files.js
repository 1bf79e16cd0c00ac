// Files in a conversation: pictures are shown, others are saved on demand (never on a shared screen).
import { h, icon, size } from "./dom.js";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
const LARGEST_PREVIEW = 12e6;
const SAVED_AFTER = 10e3;

/** Makes the elements for the files of one Talk, and forgets their bytes on `wipe`. */
export class Files {
  #pictures = new Set();
  #wiped = false;

  constructor(talk, words, language, { shared }) {
    Object.assign(this, { talk, words, language, shared });
  }

  /** One file of a message from the server: {name, type, size, url}. `loaded` is called when a picture takes its place. */
  show(file, loaded) {
    if (PICTURES.has(file.type) && (file.size ?? 0) <= LARGEST_PREVIEW) return this.#picture(file, loaded);
    return this.#unseen(file);
  }

  #unseen(file) {
    return this.shared ? this.#named(file) : this.#saved(file);
  }

  /** One file on its way to the server (`going`) or refused; the element's `bar` shows how far it is. */
  upload(file, going) {
    const label = this.words("uploading", { name: file.name });
    const bar = h("progress", { max: "1", value: "0", "aria-label": label });
    const element = h("div", { class: "file" }, icon("file"), this.#label(file), going && bar);
    return Object.assign(element, { bar });
  }

  /** Frees the pictures' bytes. */
  wipe() {
    this.#wiped = true;
    for (const address of this.#pictures) URL.revokeObjectURL(address);
    this.#pictures.clear();
  }

  #label({ name, size: bytes }) {
    const amount = size(bytes, this.language);
    return h(
      "span",
      { class: "file-label" },
      h("span", { class: "file-name" }, name),
      h("span", { class: "file-size" }, amount),
    );
  }

  #named(file) {
    const note = h("span", { class: "file-note" }, this.words("noSaving"));
    return h("div", { class: "file" }, icon("file"), this.#label(file), note);
  }

  #saved(file) {
    const amount = size(file.size, this.language);
    const named = { name: [file.name, amount].filter(Boolean).join(", ") };
    const button = h("button", { class: "file", type: "button", "aria-label": this.words("download", named) });
    button.append(icon("file"), this.#label(file), icon("down"));
    button.addEventListener("click", () => this.#save(file, button));
    return button;
  }

  async #save(file, button) {
    try {
      const bytes = await this.talk.file(file.url);
      // Never as its own type: a page from a stranger must not open as one of ours.
      const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
      h("a", { href: address, download: file.name }).click();
      setTimeout(() => URL.revokeObjectURL(address), SAVED_AFTER);
    } catch (problem) {
      this.#refused(button, problem);
    }
  }

  #refused(element, problem) {
    const words = problem.detail || this.words("fileFailed");
    element.querySelector(".file-note")?.remove();
    element.append(h("span", { class: "file-note", role: "alert" }, words));
  }

  #picture(file, loaded) {
    const frame = h("div", { class: "picture" }, this.#label(file));
    this.#load(file, frame, loaded).catch((problem) => this.#refused(frame, problem));
    return frame;
  }

  async #load(file, frame, loaded) {
    const bytes = await this.talk.file(file.url);
    if (this.#wiped) return;
    const address = URL.createObjectURL(new Blob([bytes], { type: file.type }));
    this.#pictures.add(address);
    const image = h("img", { src: address, alt: this.words("picture", { name: file.name }), onload: loaded });
    // Called a picture by its sender, and none.
    image.addEventListener("error", () => frame.replaceWith(this.#unseen(file)));
    const label = this.words("enlarge", { name: file.name });
    const button = h("button", { class: "enlarge", type: "button", "aria-label": label }, image);
    button.addEventListener("click", () => this.#enlarge(frame, address, file));
    frame.prepend(button);
  }

  #enlarge(frame, address, file) {
    const image = h("img", { src: address, alt: this.words("picture", { name: file.name }) });
    const close = h("button", { class: "primary", type: "button", onclick: () => dialog.close() }, this.words("close"));
    const dialog = h("dialog", { class: "viewer", "aria-label": file.name }, image, close);
    dialog.addEventListener("close", () => dialog.remove());
    frame.append(dialog);
    dialog.showModal();
  }
}
