// Notices that nobody has touched the screen for a while.

const SIGNS = ["pointerdown", "pointermove", "keydown", "input", "wheel", "touchstart"];

/** Calls `lapsed` once after so many seconds without a sign of life; `touch` counts as one, `stop` ends it. */
export class Idle {
  #timer = null;
  #due = 0;

  constructor(seconds, lapsed) {
    this.touch = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(lapsed, seconds * 1e3);
      this.#due = performance.now() + seconds * 1e3;
    };
    for (const sign of SIGNS) addEventListener(sign, this.touch, { capture: true, passive: true });
    this.touch();
  }

  /** Whole seconds until it lapses. */
  left() {
    return Math.max(0, Math.ceil((this.#due - performance.now()) / 1e3));
  }

  stop() {
    clearTimeout(this.#timer);
    for (const sign of SIGNS) removeEventListener(sign, this.touch, { capture: true });
  }
}
