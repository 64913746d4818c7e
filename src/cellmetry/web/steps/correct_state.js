/** Undo, redo, and whether all is saved. @module */
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { whenInWords } from "../app/times.js";
import { counted } from "../app/said.js";
import { forget, leftOf } from "./correct_kept.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("./correct_desk.js").Desk} Desk */

/** The row above the tools. */
export class SaveState {
  #app;
  #desk;
  #said = h("span.correct-saved", { role: "status" });
  #away = h("div.notice.correct-away", { hidden: true });
  #left = h("div");
  #offs;
  #saved = false;

  /** @param {App} app @param {Desk} desk */
  constructor(app, desk) {
    this.#app = app;
    this.#desk = desk;
    const button = (/** @type {string} */ name, /** @type {string} */ picture, /** @type {string} */ key, /** @type {() => void} */ run) =>
      h("button", { type: "button", title: `${name} (${key})`, disabled: Boolean(app.openStudy.readOnly), onclick: run }, icon(picture), name);
    const row = h("div.row", {}, button("Undo", "undo", "Ctrl+Z", desk.undo), button("Redo", "redo", "Ctrl+Shift+Z", desk.redo), h("span.grow"), this.#said);
    this.element = h("div.stack.correct-state", {}, row, this.#away, this.#left);
    const when = () => !app.openStudy.readOnly;
    this.#offs = [
      app.shortcuts.bind("Ctrl+z", "Undo", desk.undo, { when }),
      app.shortcuts.bind("Ctrl+Shift+z", "Redo", desk.redo, { when }),
      app.shortcuts.bind("Ctrl+y", "Redo", desk.redo, { when }),
      desk.session.on("change", () => this.#show()),
    ];
    this.#show();
    void this.#offerLeft();
  }

  close() {
    for (const off of this.#offs) off();
  }

  #show() {
    const { session } = this.#desk;
    const { state } = session;
    this.#saved ||= session.waiting > 0;
    this.#said.dataset.state = state;
    if (state === "saved") fill(this.#said, this.#saved && [icon("check"), "Saved"]);
    else fill(this.#said, state === "saving" ? "Saving…" : [icon("warning"), "Not saved"]);
    this.#showAway(session.waiting, state === "away");
  }

  /** @param {number} count @param {boolean} away */
  #showAway(count, away) {
    this.#away.hidden = !away;
    if (!away) return void fill(this.#away);
    const text = `The server cannot be reached. ${counted(count, "edit")} ${count === 1 ? "waits" : "wait"}; go on, they are kept in this browser.`;
    fill(this.#away, icon("warning"), h("span.grow", {}, text), h("button", { type: "button", onclick: this.#desk.session.nudge }, "Try now"));
  }

  /** Offer what was not saved when a window of this browser was closed. */
  async #offerLeft() {
    const { id } = this.#app.openStudy;
    const { session } = this.#desk;
    if (session.waiting || this.#app.openStudy.readOnly) return;
    const found = await leftOf(id, session.id);
    const items = found.flatMap((kept) => kept.items);
    if (!items.length) return;
    const answer = (/** @type {boolean} */ save) => {
      fill(this.#left);
      for (const kept of found) forget(kept);
      if (save) session.takeOver(items);
    };
    const text = `${counted(items.length, "edit")} of ${whenInWords(items[0].at)} ${items.length === 1 ? "was" : "were"} not saved when the page was left.`;
    fill(this.#left, h("div.notice.correct-left", { role: "alert" }, h("p.grow", {}, text), h("div.row", {},
      h("button.primary", { type: "button", onclick: () => answer(true) }, items.length === 1 ? "Save it now" : "Save them now"),
      h("button", { type: "button", onclick: () => answer(false) }, "Discard"))));
  }
}
