/** The step Correct: put right by hand what the recipe got wrong, the worst first. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { tabs } from "../../controls/tabs.js";
import { Bench } from "../../viewer/tools/bench.js";
import { deskOf } from "./desk.js";
import { EditHistory } from "./history.js";
import { Palette } from "./palette.js";
import { CorrectionQueue } from "./queue.js";
import { drawByHand } from "../draw_by_hand.js";
import { SaveState } from "./state.js";
import { Selection } from "./selection.js";

/** @typedef {import("../../app/app.js").App} App */

/** @type {import("../../app/steps.js").Step} */
export default {
  name: "correct",
  title: "Correct",
  centre: "viewer",
  rightWidth: 320,
  async open(app, panes) {
    return new CorrectStep(app, panes, await deskOf(app));
  },
};

class CorrectStep {
  #app;
  #panes;
  #desk;
  #bench;
  /** @type {{close(): void}[]} */
  #parts = [];
  #working = false;
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes @param {import("./desk.js").Desk} desk */
  constructor(app, panes, desk) {
    this.#app = app;
    this.#panes = panes;
    this.#desk = desk;
    this.#bench = new Bench(app.viewer, desk);
    desk.session.isDrawing = () => this.#bench.busy;
    const { images, labels } = app.openStudy;
    this.#offs = [images.on("change", () => this.#show()), labels.on("change", () => this.#show())];
    this.#show(true);
  }

  close() {
    this.#closeParts();
    this.#desk.session.isDrawing = () => false;
    for (const off of this.#offs) off();
  }

  #closeParts() {
    for (const part of this.#parts) part.close();
    this.#parts = [];
  }

  /** Tools where there are cells; else what to do first. */
  #show(anew = false) {
    const { images, labels } = this.#app.openStudy;
    const working = images.current !== null && labels.of(images.current.id) !== null;
    if (working === this.#working && !anew) return;
    this.#working = working;
    this.#closeParts();
    if (working) this.#work();
    else this.#teach(images.ready.length > 0);
  }

  #work() {
    const [app, desk] = [this.#app, this.#desk];
    const state = new SaveState(app, desk);
    const selection = new Selection(app, desk, this.#bench);
    const palette = new Palette(app, this.#bench, selection.cells);
    const queue = new CorrectionQueue(app, desk);
    /** @type {EditHistory|null} */
    let history = null;
    const right = tabs(
      "Correct",
      [
        { name: "queue", title: "Queue", make: () => queue.element },
        { name: "history", title: "History", make: () => (history = new EditHistory(app, desk)).element },
      ],
      {
        chosen: app.place.get("tab") ?? "queue",
        onchange: (name) => app.place.note({ tab: name === "queue" ? null : name }),
      },
    );
    this.#parts = [state, palette, selection, queue, { close: () => history?.close() }];
    fill(
      this.#panes.left,
      h("div.stack.correct", {}, state.element, palette.element, state.notices, selection.element),
    );
    fill(this.#panes.right, h("div.correct-right", {}, right.element));
  }

  /** @param {boolean} images */
  #teach(images) {
    const { labels } = this.#app.openStudy;
    const name = labels.all.length ? "This image is not segmented." : "There are no cells yet.";
    const [step, title] = images ? ["segment", "Segment"] : ["images", "Images"];
    fill(this.#panes.right);
    fill(
      this.#panes.left,
      h(
        "div.stack",
        {},
        h("h2", {}, "Correct"),
        h("p", {}, name),
        h(
          "p.quiet-text",
          {},
          "Find cells first; then brush, split, merge and delete here what is not right. ",
          "Your corrections also train a better model.",
        ),
        h("button.primary", { type: "button", onclick: () => this.#app.goStep(step) }, title, icon("forward")),
        drawByHand(this.#app),
      ),
    );
  }
}
