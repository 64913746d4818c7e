/** Short notes at the foot of the page, read out politely by screen readers. @module */
import { h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";

/** @typedef {{text: string, run: () => any}} Action */

const SECONDS = { info: 5, done: 6, error: 15 };
const MOST = 4;

/** The notes that are shown; the oldest leave first, failures last. A failure that can be looked at stays until it is closed. */
export class Toasts {
  #host = h("div.toasts", { role: "region", "aria-label": "Notes" });
  #polite = h("div", { "aria-live": "polite" });
  #urgent = h("div", { "aria-live": "assertive" });

  /** @param {Element} page */
  constructor(page) {
    this.#host.append(this.#urgent, this.#polite);
    page.append(this.#host);
  }

  /**
   * Show a note.
   * @param {string} text
   * @param {{kind?: "info"|"done"|"error", action?: Action|null}} [more]
   * @returns {() => void} What takes it away.
   */
  show(text, { kind = "info", action = null } = {}) {
    this.#dropSame(text);
    const note = h(`div.toast.toast-${kind}`, {}, h("p", {}, text));
    const leave = () => note.remove();
    if (action) note.append(actionButton(action, leave));
    note.append(
      h("button.quiet.square", { type: "button", "aria-label": "Close this note", onclick: leave }, icon("close")),
    );
    (kind === "error" ? this.#urgent : this.#polite).append(note);
    this.#dropOldest();
    if (kind !== "error" || !action) leaveInTime(note, SECONDS[kind] + (action ? 6 : 0));
    return leave;
  }

  /** What is said again takes the place of what was said. @param {string} text */
  #dropSame(text) {
    for (const note of this.#host.querySelectorAll(".toast"))
      if (note.querySelector("p")?.textContent === text) note.remove();
  }

  #dropOldest() {
    const all = [...this.#polite.children, ...this.#urgent.children];
    for (let k = 0; k < all.length - MOST; k++) all[k].remove();
  }
}

/** @param {Action} action @param {() => void} leave */
function actionButton({ text, run }, leave) {
  const act = () => {
    leave();
    run();
  };
  return h("button.toast-action", { type: "button", onclick: act }, text);
}

/**
 * Take a note away after a while, but not while somebody reads it.
 * @param {HTMLElement} note
 * @param {number} seconds
 */
function leaveInTime(note, seconds) {
  let timer = setTimeout(() => note.remove(), seconds * 1000);
  note.addEventListener("pointerenter", () => clearTimeout(timer));
  note.addEventListener("pointerleave", () => (timer = setTimeout(() => note.remove(), 3000)));
}
