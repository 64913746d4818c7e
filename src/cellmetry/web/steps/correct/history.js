/** The edits of an image: who changed what and when; seeing where, taking one back, going back to a version. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { menuButton } from "../../controls/menu.js";
import { whenInWords } from "../../app/times.js";
import { cornersOf } from "./live.js";
import { doneInWords } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./desk.js").Desk} Desk */

const PAGE = 50;
const MARK = "#ffffff";
const ROOM = 40;
const NOTHING =
  "Nothing was changed by hand in this image yet. Every edit is listed here and can be taken back at any time.";

/** A list in the right pane. */
export class EditHistory {
  #app;
  #desk;
  #list = h("ul.correct-log", { "aria-busy": "true", "aria-label": "Edits of this image" });
  #more = h("button.quiet", { type: "button", hidden: true, onclick: () => this.#older() }, "Show older");
  /** @type {any[]} */
  #edits = [];
  /** @type {string|null} */
  #image = null;
  #turn = 0;
  #offs;

  /** @param {App} app @param {Desk} desk */
  constructor(app, desk) {
    this.#app = app;
    this.#desk = desk;
    this.element = h("div.stack", {}, this.#list, this.#more);
    this.#offs = [
      app.openStudy.on("act", (act) => this.#heard(act)),
      app.openStudy.images.on("select", () => this.#read()),
      app.openStudy.labels.on("change", () => this.#show(this.#edits)),
    ];
    void this.#read();
  }

  close() {
    this.#app.viewer.setLayer("history", null);
    for (const off of this.#offs) off();
  }

  /** @param {any} act */
  #heard(act) {
    if (act.edit ? act.edit.image === this.#image : act.undoes !== null) void this.#read();
  }

  async #read() {
    const image = (this.#image = this.#app.openStudy.images.current?.id ?? null);
    const turn = ++this.#turn;
    if (!image) return this.#show([]);
    const edits = await this.#page(image, Math.max(PAGE, this.#edits.length));
    if (turn === this.#turn) this.#show(edits);
  }

  async #older() {
    const older = await this.#page(/** @type {string} */ (this.#image), PAGE, this.#edits.at(-1)?.act.seq);
    this.#show([...this.#edits, ...older]);
  }

  /** @param {string} image @param {number} limit @param {number} [before] @returns {Promise<any[]>} */
  async #page(image, limit, before) {
    try {
      const page = await this.#app.openStudy.get(at`images/${image}/edits`, { before, limit: Math.min(limit, 1000) });
      this.#more.hidden = page.length < limit;
      return page;
    } catch (error) {
      this.#app.error(error);
      return [];
    }
  }

  /** @param {any[]} edits */
  #show(edits) {
    this.#edits = edits;
    const seen = edits.filter((edit) => edit.act.undoes === null);
    this.#list.removeAttribute("aria-busy");
    fill(
      this.#list,
      seen.map((edit) => this.#row(edit)),
      !seen.length && h("li.quiet-text", {}, NOTHING),
    );
  }

  /** @param {any} edit */
  #row(edit) {
    const refused = edit.version === null;
    const undone = edit.act.undone_by !== null;
    const older = !this.#app.openStudy.labels.find(edit.labels);
    const state = refused ? "refused" : undone ? "undone" : older ? "of labels that newer ones replaced" : "";
    const can = !older && !this.#app.openStudy.readOnly;
    const see = () => this.#see(edit);
    const said = h(
      "button.quiet.correct-log-said",
      { type: "button", onclick: see, title: "Show where" },
      h("span.correct-log-what", { class: refused || undone ? `correct-log-${state}` : "" }, doneInWords(edit)),
      h("span.quiet-text", {}, [whenInWords(edit.act.at), edit.act.who, state].filter(Boolean).join(" · ")),
    );
    return h("li.correct-log-row", {}, said, can && this.#actions(edit, refused, undone));
  }

  /** @param {any} edit @param {boolean} refused @param {boolean} undone */
  #actions(edit, refused, undone) {
    const what = doneInWords(edit);
    const small = (/** @type {string} */ text, /** @type {string} */ picture, /** @type {() => any} */ run) =>
      h("button.quiet.small", { type: "button", "aria-label": `${text}: ${what}`, onclick: run }, icon(picture), text);
    if (refused) return small("Do it again", "redo", () => this.#doAgain(edit));
    const { openStudy: study } = this.#app;
    const {
      labels,
      version,
      act: { seq },
    } = edit;
    const turn = undone
      ? small("Redo", "redo", () => this.#act(study.redo(seq)))
      : small("Undo", "undo", () => this.#act(study.undo(seq)));
    const item = (/** @type {string} */ when, /** @type {number} */ to) => ({
      text: `Go back to how it was ${when} this edit`,
      icon: "history",
      run: () => this.#restore(labels, to),
    });
    const items = () => [item("after", version), item("before", version - 1)];
    return [turn, menuButton({ label: `More: ${what}`, content: icon("more"), align: "right" }, items)];
  }

  /** @param {Promise<any>} done */
  async #act(done) {
    try {
      await done;
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {any} edit */
  #doAgain({ labels, operation, parameters }) {
    const base = this.#app.openStudy.labels.find(labels)?.version ?? null;
    this.#desk.session.edit({ labels, operation, parameters, base });
  }

  /** @param {string} labels @param {number} version */
  async #restore(labels, version) {
    const done = this.#app.openStudy.post(at`labels/${labels}/versions/${version}/restore`);
    await this.#act(this.#app.undoable(done, `Labels are as in version ${version}`));
  }

  /** Show where an edit was. @param {any} edit */
  async #see(edit) {
    const { viewer, openStudy: study, look } = this.#app;
    try {
      const { boxes } = await study.get(at`labels/${edit.labels}/edits/${edit.act.seq}`);
      if (!boxes.length) return this.#desk.hint("It changed nothing.");
      const { t, z } = boxes[0];
      look.go({ t, z });
      const isHere = (/** @type {any} */ box) => box.t === t && box.z === z;
      const here = boxes.filter(isHere).map((/** @type {any} */ { y0, y1, x0, x1 }) => [y0, y1, x0, x1]);
      viewer.setLayer("history", { kind: "shapes", shapes: here.map(markOf) });
      viewer.goToBox(around(here, ROOM));
    } catch (error) {
      this.#app.error(error);
    }
  }
}

/** @param {number[]} box */
const markOf = (box) => ({ points: cornersOf(box), closed: true, dashed: true, colour: MARK, width: 1.5 });

/** The box round boxes, with room. @param {number[][]} boxes @param {number} room */
export function around(boxes, room) {
  const edge = (/** @type {number} */ k, /** @type {(...all: number[]) => number} */ of) =>
    of(...boxes.slice(0, 1000).map((box) => box[k]));
  return [edge(0, Math.min) - room, edge(1, Math.max) + room, edge(2, Math.min) - room, edge(3, Math.max) + room];
}
