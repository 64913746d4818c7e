/** Undo, redo, and whether all is saved. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { whenInWords } from "../../app/times.js";
import { counted } from "../../app/said.js";
import { forget, leftOf } from "./kept.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./desk.js").Desk} Desk */

/** The row above the tools. */
export class SaveState {
  #app;
  #desk;
  #said = h("span.correct-saved", { role: "status" });
  #away = h("div.notice.correct-left.correct-away", { hidden: true });
  #left = h("div");
  #undo = h("button", { type: "button", title: "Undo (Ctrl+Z)" }, icon("undo"), "Undo");
  #redo = h("button", { type: "button", title: "Redo (Ctrl+Shift+Z)" }, icon("redo"), "Redo");
  #offs;
  #saved = false;

  /** @param {App} app @param {Desk} desk */
  constructor(app, desk) {
    this.#app = app;
    this.#desk = desk;
    const row = h("div.row", {}, this.#undo, this.#redo, h("span.grow"), this.#said);
    this.element = h("div.correct-state", {}, row);
    this.notices = h("div.correct-notices", {}, this.#away, this.#left);
    this.#undo.addEventListener("click", desk.undo);
    this.#redo.addEventListener("click", desk.redo);
    const when = () => !app.openStudy.readOnly;
    this.#offs = [
      app.shortcuts.bind("Ctrl+z", "Undo", desk.undo, { when }),
      app.shortcuts.bind("Ctrl+Shift+z", "Redo", desk.redo, { when }),
      app.shortcuts.bind("Ctrl+y", "Redo", desk.redo, { when }),
      desk.session.on("change", () => this.#show()),
      desk.turns.on("change", () => this.#showTurns()),
    ];
    this.#show();
    this.#showTurns();
    void this.#offerLeft();
  }

  close() {
    for (const off of this.#offs) off();
  }

  #showTurns() {
    const { turns } = this.#desk;
    const locked = Boolean(this.#app.openStudy.readOnly);
    this.#undo.disabled = locked || !turns.canUndo;
    this.#redo.disabled = locked || !turns.canRedo;
  }

  #show() {
    const { session } = this.#desk;
    const { state } = session;
    this.#saved ||= session.waiting > 0;
    this.#said.dataset.state = state;
    if (state === "saved") fill(this.#said, this.#saved && [icon("check"), "Saved"]);
    else fill(this.#said, state === "saving" ? "Saving…" : "Not saved");
    this.#showAway(session.waiting, state === "away");
  }

  /** @param {number} count @param {boolean} away */
  #showAway(count, away) {
    this.#away.hidden = !away;
    if (!away) return void fill(this.#away);
    const waits = `${counted(count, "edit")} ${count === 1 ? "waits" : "wait"}`;
    const text = `The server cannot be reached. ${waits}; go on, they are kept in this browser.`;
    const button = h("button", { type: "button", onclick: this.#desk.session.nudge }, "Try now");
    fill(this.#away, h("p", {}, text), button);
  }

  /** Those that are not in the log: the answer may be lost. @param {import("./edits.js").Item[]} items */
  async #unanswered(items) {
    const { session } = this.#desk;
    const isOpen = (/** @type {import("./edits.js").Item} */ item) =>
      !item.sent
        ? Promise.resolve(true)
        : session.answered(item).then(
            (answer) => answer === null,
            (error) => error.status !== 409, // refused is an answer; a server that is away has said nothing
          );
    const open = await Promise.all(items.map(isOpen));
    return items.filter((_, k) => open[k]);
  }

  /** Offer what was not saved when a window of this browser was closed. */
  async #offerLeft() {
    const { id } = this.#app.openStudy;
    const { session } = this.#desk;
    if (this.#app.openStudy.readOnly) return;
    const found = await leftOf(id, session);
    const items = found.flatMap((kept) => kept.items);
    const open = await this.#unanswered(items);
    if (!open.length) return found.forEach(forget);
    const answer = (/** @type {boolean} */ save) => {
      fill(this.#left);
      if (save) session.takeOver(items);
      found.forEach(forget);
    };
    const one = open.length === 1;
    const when = whenInWords(open[0].at);
    const which = `${counted(open.length, "edit")} of ${when} ${one ? "was" : "were"}`;
    const name = one ? "Save it now" : "Save them now";
    const save = h("button.primary", { type: "button", onclick: () => answer(true) }, name);
    const discard = h("button", { type: "button", onclick: () => answer(false) }, "Discard");
    fill(
      this.#left,
      h(
        "div.notice.correct-left",
        { role: "alert" },
        h("p.grow", {}, `${which} not saved when the page was left.`),
        h("div.row", {}, save, discard),
      ),
    );
  }
}
