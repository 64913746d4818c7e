/** What is most worth correcting, the most first; progress of reviewed fields, and when to stop. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { lengthOf } from "../../app/images.js";
import { cutName } from "../../controls/cut_name.js";
import { icon } from "../../controls/icons.js";
import { fieldAt, ReviewedFields } from "./fields.js";
import { cornersOf } from "./live.js";
import { ReviewMaps } from "./maps.js";
import { outlinesOf } from "./questions.js";
import { ResultChoice } from "./result.js";
import { ReviewOffer } from "./review.js";
import { NOTHING, worthOf } from "./worth.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./edits.js").Item} Item */
/** @typedef {import("./worth.js").Task} Task */
/** @typedef {import("./worth.js").Worth} Worth */

const ROOM = 1.6;
const LEAST_PX = 120;
const MARK = "#ffcf5c";
const READ_MS = 600;

/** A list in the right pane, worked through with N and P. */
export class CorrectionQueue {
  #app;
  #desk;
  #progress = h("div.correct-progress", { "aria-live": "polite" });
  #list = h("ol.correct-tasks", { "aria-label": "Worth correcting", "aria-busy": "true" });
  #foot = h("div.correct-task-foot");
  /** @type {Worth} */
  #worth = NOTHING;
  /** @type {string|null} */
  #current = null;
  /** Where in the list the last one was, which may have left it. */
  #index = -1;
  #turn = 0;
  #later = 0;
  #fields;
  #offer;
  #maps;
  #result;
  #offs;

  /** @param {App} app @param {Desk} desk */
  constructor(app, desk) {
    this.#app = app;
    this.#desk = desk;
    this.#fields = new ReviewedFields(app);
    this.#offer = new ReviewOffer(app);
    this.#maps = new ReviewMaps(app);
    this.#result = new ResultChoice(app);
    const choices = h("div.correct-choices", {}, this.#result.element, this.#maps.element);
    this.element = h("div.stack", {}, this.#foot, choices, this.#progress, this.#offer.element, this.#list);
    this.#showFoot();
    const some = () => this.#all.length > 0;
    const editable = () => !app.openStudy.readOnly && !this.#task?.question;
    const group = "Queue";
    this.#offs = [
      app.shortcuts.bind("n", "Next of the queue", () => this.#step(1), { group, when: some }),
      app.shortcuts.bind("p", "Previous of the queue", () => this.#step(-1), { group, when: some }),
      app.shortcuts.bind("r", "Mark the field as reviewed", () => this.#review(), { group, when: editable }),
      app.openStudy.on("act", () => this.#readSoon()),
      desk.session.on("saved", ({ item }) => this.#saved(item)),
      app.openStudy.labels.on("select", () => this.#read()),
      this.#result.on("change", () => this.#read()),
    ];
    void this.#read();
  }

  close() {
    this.#app.viewer.setLayer("queue", null);
    this.#turn++;
    clearTimeout(this.#later);
    this.#fields.close();
    this.#offer.close();
    this.#maps.close();
    for (const off of this.#offs) off();
  }

  /** Where the cell that is looked at was deleted, nothing is left to settle: go on. @param {Item} item */
  #saved({ kind, operation, labels, parameters }) {
    const task = this.#task;
    const gone = kind === "edit" && operation === "delete" ? (parameters.ids ?? []) : [];
    if (task?.ids.length && task.labels === labels && task.ids.every((id) => gone.includes(id))) {
      this.#worth = { ...this.#worth, tasks: this.#worth.tasks.filter((each) => each.key !== task.key) };
      this.#current = null;
      this.#show();
      this.#step(1);
    }
    this.#readSoon();
  }

  /** Not at every stroke. */
  #readSoon() {
    clearTimeout(this.#later);
    this.#later = window.setTimeout(() => this.#read(), READ_MS);
  }

  async #read() {
    const turn = ++this.#turn;
    const { openStudy: study } = this.#app;
    try {
      const worth = await worthOf(study, study.labels.name, this.#result.value);
      if (turn !== this.#turn) return;
      this.#worth = worth;
      if (!this.#task) this.#app.viewer.setLayer("queue", null);
      this.#show();
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** What is doubtful, then what nobody has looked at. @returns {Task[]} */
  get #all() {
    return [...this.#worth.tasks, ...this.#worth.open];
  }

  /** @returns {Task|null} */
  get #task() {
    return this.#all.find((task) => task.key === this.#current) ?? null;
  }

  /** @param {number} by */
  #step(by) {
    const tasks = this.#all;
    const left = this.#task === null && this.#index >= 0 && by > 0;
    const to = left ? this.#index : this.#index + by;
    const next = tasks[Math.min(Math.max(to, 0), tasks.length - 1)];
    if (next) void this.#go(next);
  }

  /** Look at one. @param {Task} task */
  async #go(task) {
    const { viewer, look, openStudy: study } = this.#app;
    this.#current = task.key;
    this.#index = this.#all.indexOf(task);
    this.#show();
    study.images.select(task.image);
    look.go({ t: task.t, z: task.z });
    await shown(viewer, task.image);
    if (this.#current !== task.key) return;
    viewer.select(task.ids);
    viewer.goToBox(this.#worth.open.includes(task) ? task.box : roomy(task.box));
    await this.#mark(task);
  }

  /** @param {Task} task */
  async #mark(task) {
    /** @type {any[]} */
    let shapes = [{ points: cornersOf(task.box), closed: true, colour: MARK, dashed: true, width: 1.5 }];
    if (task.question) shapes = await outlinesOf(this.#app.openStudy, task.question).catch(() => shapes);
    if (this.#current === task.key) this.#app.viewer.setLayer("queue", { kind: "shapes", shapes });
  }

  /** Note that the field was looked through in which the present one lies, or the middle of what is seen instead. */
  #review() {
    const { viewer, openStudy } = this.#app;
    const task = this.#task && isSeen(viewer, this.#task, this.#desk.plane) ? this.#task : null;
    const image = openStudy.images.find(task?.image ?? viewer.image?.id);
    if (!image) return;
    const { y, x } = task ? middleOf(task.box) : viewer.camera;
    const { labels, t, z } = task ?? { labels: viewer.labels, ...this.#desk.plane };
    const field = { image: image.id, labels, t, z, box: fieldAt(image, y, x) };
    return this.#settle(this.#fields.mark(field), "Field marked as reviewed", task);
  }

  /** @param {Task} task @param {"mine"|"theirs"} answer */
  #answer(task, answer) {
    const text = answer === "mine" ? "Your version stays" : "The new version was taken";
    const path = at`questions/${/** @type {string} */ (task.question)}/answer`;
    return this.#settle(this.#app.openStudy.post(path, { answer }), text, task);
  }

  /**
   * Go on to what is next once something is settled.
   * @param {Promise<any>} done @param {string} text @param {Task|null} task What is settled by it.
   */
  async #settle(done, text, task) {
    try {
      await this.#app.undoable(done, text);
      if (task && this.#current === task.key) this.#current = null;
      await this.#read();
      if (task && !this.#current && this.#all.length) this.#step(1);
    } catch (error) {
      this.#app.error(error);
    }
  }

  #show() {
    const { tasks, open } = this.#worth;
    this.#list.removeAttribute("aria-busy");
    this.#showProgress();
    this.#showFoot();
    fill(
      this.#list,
      tasks.map((task, k) => this.#row(task, task.question ? "?" : String(k + 1))),
      open.map((task) => this.#row(task, icon("eye"))),
    );
  }

  #showProgress() {
    const { reviewed, total, stop, advice, tasks, guessed, stale } = this.#worth;
    const bar = h("progress", { "aria-label": "Fields reviewed", max: Math.max(total, 1), value: reviewed });
    const said = h("p", { class: stop ? "correct-enough" : "quiet-text" }, stop && icon("check"), advice);
    const empty = h("p.quiet-text", {}, "Nothing is doubtful any more.");
    const count = h("p.number", {}, `${reviewed} of ${total} ${total === 1 ? "field" : "fields"} reviewed`);
    fill(
      this.#progress,
      total > 0 && [count, h("div.progress", {}, bar)],
      advice && !guessed && !stale && said,
      total > 0 && !tasks.length && !guessed && !stale && !stop && empty,
    );
    this.#offer.show(this.#worth);
  }

  #showFoot() {
    const tasks = this.#all;
    const task = this.#task;
    const last = task !== null && tasks.indexOf(task) === tasks.length - 1;
    fill(
      this.#foot,
      this.#turnButton("Previous", "back", "P", -1, tasks.length > 0 && this.#index > 0),
      task?.question ? this.#answers(task) : this.#reviewButton(),
      this.#turnButton("Next", "forward", "N", 1, tasks.length > 0 && !last),
    );
  }

  /** @param {string} text @param {string} picture @param {string} key @param {number} by @param {boolean} can */
  #turnButton(text, picture, key, by, can) {
    const said = { type: "button", title: `${text} (${key})`, "aria-label": text, disabled: !can };
    return h("button", { ...said, onclick: () => this.#step(by) }, icon(picture));
  }

  get #locked() {
    return Boolean(this.#app.openStudy.readOnly);
  }

  #reviewButton() {
    const title = "Nothing is left to correct in this field (R)";
    const said = { type: "button", title, disabled: this.#locked, onclick: () => this.#review() };
    return h("button.grow", said, "Mark field as reviewed");
  }

  /** @param {Task} task */
  #answers(task) {
    const button = (/** @type {string} */ text, /** @type {"mine"|"theirs"} */ answer, /** @type {string} */ title) => {
      const said = { type: "button", title, disabled: this.#locked, onclick: () => this.#answer(task, answer) };
      return h(`button.grow.correct-${answer}`, said, h("span.correct-swatch"), text);
    };
    return [
      button("Keep mine", "mine", "What you made stays"),
      button("Take theirs", "theirs", "What the new model sees takes its place"),
    ];
  }

  /** @param {Task} task @param {any} mark */
  #row(task, mark) {
    const { effect } = task;
    const { images } = this.#app.openStudy;
    const place = placeOf(task, images);
    const go = () => this.#go(task);
    const moves = h("span.correct-effect.number", { title: "How much it may move the result" }, inPercent(effect ?? 0));
    const current = task.key === this.#current ? "true" : null;
    return h(
      "li",
      {},
      h(
        "button.quiet.correct-task",
        { type: "button", "aria-current": current, onclick: go },
        h("span.correct-rank.number", {}, mark),
        h("span.correct-task-said", {}, h("span", {}, task.reason), h("span.quiet-text", {}, place)),
        effect !== null && moves,
      ),
    );
  }
}

/** @param {Task} task @param {import("../../app/images.js").ImageList} images */
function placeOf({ image: id, t, z }, images) {
  const image = images.find(id);
  if (!image) return "";
  const plane = lengthOf(image, "Z") > 1 && `plane ${z + 1}`;
  const frame = lengthOf(image, "T") > 1 && `frame ${t + 1}`;
  const parts = [images.shortName(image), plane, frame].filter(Boolean);
  return cutName(parts.join(" · "), image.name);
}

/** @param {number} share */
const inPercent = (share) => `±${(share * 100).toPrecision(2)} %`;

/** @param {number[]} box @returns {number[]} */
function roomy([y0, y1, x0, x1]) {
  const half = (Math.max(y1 - y0, x1 - x0, LEAST_PX / ROOM) * ROOM) / 2;
  const { y, x } = middleOf([y0, y1, x0, x1]);
  return [y - half, y + half, x - half, x + half];
}

/** @param {number[]} box */
const middleOf = ([y0, y1, x0, x1]) => ({ y: (y0 + y1) / 2, x: (x0 + x1) / 2 });

/**
 * Whether the middle of something is seen.
 * @param {any} viewer @param {Task} task @param {{t: number, z: number}} plane Of the labels that are shown.
 */
function isSeen(viewer, { image, t, z, box }, plane) {
  const { y, x } = middleOf(box);
  const at = viewer.toScreen(y, x);
  const { clientWidth, clientHeight } = viewer.element;
  const here = viewer.image?.id === image && plane.t === t && plane.z === z;
  return here && at.x >= 0 && at.y >= 0 && at.x < clientWidth && at.y < clientHeight;
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
