/** What is most worth correcting, the most first; progress of reviewed fields, and when to stop. @module */
import { at } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { cornersOf } from "./correct_live.js";
import { outlinesOf } from "./correct_questions.js";
import { markReviewed, worthOf } from "./correct_worth.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("./correct_desk.js").Desk} Desk */
/** @typedef {import("./correct_worth.js").Task} Task */
/** @typedef {import("./correct_worth.js").Worth} Worth */

const ROOM = 1.6;
const LEAST_PX = 120;
const MARK = "#ffcf5c";

/** A list in the right pane, worked through with N and P. */
export class CorrectionQueue {
  #app;
  #desk;
  #progress = h("div.correct-progress", { "aria-live": "polite" });
  #list = h("ol.correct-tasks", { "aria-label": "Worth correcting", "aria-busy": "true" });
  #foot = h("div.correct-task-foot");
  /** @type {Worth} */
  #worth = { tasks: [], reviewed: null, total: null, stop: false, advice: "", ranked: false };
  /** @type {string|null} */
  #current = null;
  #turn = 0;
  #offs;

  /** @param {App} app @param {Desk} desk */
  constructor(app, desk) {
    this.#app = app;
    this.#desk = desk;
    this.element = h("div.stack", {}, this.#progress, this.#foot, this.#list);
    const some = () => this.#worth.tasks.length > 0;
    const editable = () => some() && !app.openStudy.readOnly && this.#task !== null;
    const group = "Queue";
    this.#offs = [
      app.shortcuts.bind("n", "Next of the queue", () => this.#step(1), { group, when: some }),
      app.shortcuts.bind("p", "Previous of the queue", () => this.#step(-1), { group, when: some }),
      app.shortcuts.bind("r", "Mark as reviewed", () => this.#review(), { group, when: () => editable() && !this.#task?.question }),
      app.openStudy.on("act", (act) => !act.edit && this.#read()),
      app.openStudy.labels.on("select", () => this.#read()),
    ];
    void this.#read();
  }

  close() {
    this.#app.viewer.setLayer("queue", null);
    this.#turn++;
    for (const off of this.#offs) off();
  }

  async #read() {
    const turn = ++this.#turn;
    const { openStudy: study } = this.#app;
    try {
      const worth = await worthOf(study, study.labels.name);
      if (turn !== this.#turn) return;
      this.#worth = worth;
      this.#show();
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @returns {Task|null} */
  get #task() {
    return this.#worth.tasks.find((task) => task.key === this.#current) ?? null;
  }

  /** @param {number} by */
  #step(by) {
    const { tasks } = this.#worth;
    const now = tasks.findIndex((task) => task.key === this.#current);
    const next = tasks[now < 0 ? 0 : Math.min(Math.max(now + by, 0), tasks.length - 1)];
    if (next) void this.#go(next);
  }

  /** Look at one. @param {Task} task */
  async #go(task) {
    const { viewer, look, openStudy: study } = this.#app;
    this.#current = task.key;
    this.#show();
    study.images.select(task.image);
    look.go({ t: task.t, z: task.z });
    await shown(viewer, task.image);
    if (this.#current !== task.key) return;
    viewer.select(task.ids);
    viewer.goToBox(roomy(task.box));
    await this.#mark(task);
  }

  /** @param {Task} task */
  async #mark(task) {
    /** @type {any[]} */
    let shapes = [{ points: cornersOf(task.box), closed: true, colour: MARK, dashed: true, width: 1.5 }];
    if (task.question) shapes = await outlinesOf(this.#app.openStudy, task.question).catch(() => shapes);
    if (this.#current === task.key) this.#app.viewer.setLayer("queue", { kind: "shapes", shapes });
  }

  async #review() {
    const task = this.#task;
    if (!task) return;
    const after = this.#worth.tasks[this.#worth.tasks.indexOf(task) + 1] ?? null;
    try {
      await this.#app.undoable(markReviewed(this.#app.openStudy, task), "Marked as reviewed");
      this.#leave(task);
      if (after) await this.#go(after);
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {Task} task @param {"mine"|"theirs"} answer */
  async #answer(task, answer) {
    const text = answer === "mine" ? "Your version stays" : "The new version was taken";
    const { tasks } = this.#worth;
    const after = tasks[tasks.indexOf(task) + 1] ?? null;
    try {
      await this.#app.undoable(this.#app.openStudy.post(at`questions/${/** @type {string} */ (task.question)}/answer`, { answer }), text);
      this.#leave(task);
      if (after) await this.#go(after);
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {Task} task */
  #leave(task) {
    this.#worth.tasks = this.#worth.tasks.filter((each) => each !== task);
    this.#current = null;
    this.#app.viewer.setLayer("queue", null);
    this.#show();
    void this.#read();
  }

  #show() {
    const { tasks } = this.#worth;
    this.#list.removeAttribute("aria-busy");
    this.#showProgress();
    this.#showFoot();
    fill(this.#list, tasks.map((task, k) => this.#row(task, k)));
  }

  #showProgress() {
    const { reviewed, total, stop, advice, tasks, ranked } = this.#worth;
    const bar = total ? h("progress", { "aria-label": "Fields reviewed", max: total, value: reviewed ?? 0 }) : null;
    const count = total ? h("p.number", {}, `${reviewed ?? 0} of ${total} fields reviewed`) : null;
    const said = advice && h("p", { class: stop ? "correct-enough" : "quiet-text" }, stop && icon("check"), advice);
    fill(this.#progress, bar && h("div.progress", {}, bar), count, said, !tasks.length && this.#empty(ranked));
  }

  /** @param {boolean} ranked */
  #empty(ranked) {
    const text = ranked
      ? "Nothing stands out: what is left to correct would hardly change the result."
      : "No open questions. Look through the images and correct what is not right.";
    return h("p.quiet-text", {}, text);
  }

  #showFoot() {
    const { tasks } = this.#worth;
    const task = this.#task;
    const locked = Boolean(this.#app.openStudy.readOnly);
    const now = task ? tasks.indexOf(task) : -1;
    const turn = (/** @type {string} */ text, /** @type {string} */ picture, /** @type {string} */ key, /** @type {number} */ by, /** @type {boolean} */ can) =>
      h("button", { type: "button", title: `${text} (${key})`, "aria-label": text, disabled: !can, onclick: () => this.#step(by) }, icon(picture));
    const act = !task ? h("button.primary.grow", { type: "button", onclick: () => this.#step(1) }, "Begin")
      : task.question ? this.#answers(task, locked)
        : h("button.primary.grow", { type: "button", title: "Mark as reviewed (R)", disabled: locked, onclick: () => this.#review() }, "Mark as reviewed");
    fill(this.#foot, tasks.length > 0 && [turn("Previous", "back", "P", -1, now > 0), act, turn("Next", "forward", "N", 1, now < tasks.length - 1)]);
  }

  /** @param {Task} task @param {boolean} locked */
  #answers(task, locked) {
    const button = (/** @type {string} */ text, /** @type {"mine"|"theirs"} */ answer, /** @type {string} */ title) =>
      h(`button.grow.correct-${answer}`, { type: "button", title, disabled: locked, onclick: () => this.#answer(task, answer) }, h("span.correct-swatch"), text);
    return [button("Keep mine", "mine", "What you made stays"), button("Take theirs", "theirs", "What the new model sees takes its place")];
  }

  /** @param {Task} task @param {number} k */
  #row(task, k) {
    const image = this.#app.openStudy.images.find(task.image);
    const effect = task.effect === null ? null : h("span.correct-effect.number", { title: "How much it may move the result" }, inPercent(task.effect));
    return h("li", {}, h("button.quiet.correct-task", { type: "button", "aria-current": task.key === this.#current ? "true" : null, onclick: () => this.#go(task) },
      h("span.correct-rank.number", {}, task.question ? "?" : String(k + 1)),
      h("span.correct-task-said", {}, h("span", {}, task.reason), h("span.quiet-text.cut", {}, image?.name ?? "")), effect));
  }
}

/** @param {number} share */
const inPercent = (share) => `±${(share * 100).toPrecision(2)} %`;

/** @param {number[]} box @returns {number[]} */
function roomy([y0, y1, x0, x1]) {
  const half = (Math.max(y1 - y0, x1 - x0, LEAST_PX / ROOM) * ROOM) / 2;
  const [y, x] = [(y0 + y1) / 2, (x0 + x1) / 2];
  return [y - half, y + half, x - half, x + half];
}

/** Wait until the viewer shows an image. @param {any} viewer @param {string} image @returns {Promise<void>} */
function shown(viewer, image) {
  if (viewer.image?.id === image) return Promise.resolve();
  return new Promise((done) => {
    const end = viewer.on("shown", () => {
      if (viewer.image?.id !== image) return;
      end();
      done();
    });
  });
}
