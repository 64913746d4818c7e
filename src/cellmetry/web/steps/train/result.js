/** One training: its curves while it learns, what it came to, and what is done with its model. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { progressBar } from "../../controls/progress.js";
import { hasEnded } from "../../app/jobs.js";
import { showLog } from "../../app/jobs_panel.js";
import { tookInWords, whenInWords } from "../../app/times.js";
import { Curves } from "../../plot/curves.js";
import { SegmentAgain } from "./again.js";
import { Course } from "./course.js";
import { changePictures, scoresTable } from "./scores.js";
import { cautionsOf, outcomeOf, sentencesOf, VERDICTS } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/jobs.js").Job} Job */
/** @typedef {import("./models.js").Models} Models */
/** @typedef {import("./words.js").Outcome} Outcome */

/** @type {Record<string, string>} */
const EARLY = {
  failed: "The training failed.",
  cancelled: "The training was cancelled.",
  interrupted: "The training was interrupted.",
};

/** The tab Training. */
export class TrainingView {
  element = h("div.train-result");
  #app;
  #models;
  /** @type {string|null} */
  #id = null;
  /** State that is shown. */
  #state = "";
  #top = h("div.train-top");
  #below = h("div.train-below");
  #bar = progressBar("Train");
  #loss = new Curves("Loss while learning", { height: 210 });
  #precision = new Curves("Cells found right while learning", { height: 210 });
  #curves;
  /** @type {Course|null} */
  #course = null;
  /** @type {SegmentAgain|null} */
  #again = null;
  /** What is kept of a training that is done. @type {{job: string, details: any, pictures: HTMLElement|null}|null} */
  #kept = null;
  #offs;

  /** @param {App} app @param {Models} models */
  constructor(app, models) {
    this.#app = app;
    this.#models = models;
    const card = (/** @type {string} */ title, /** @type {string} */ about, /** @type {HTMLElement} */ plot) =>
      h("section.card", {}, h("h3", {}, title), h("p.quiet-text", {}, about), plot);
    this.#curves = h(
      "div.train-curves",
      {},
      card("Error while learning", "How far the model is from your outlines; lower is better.", this.#loss.element),
      card(
        "Cells found right",
        "Of all that were found or missed, 1 is all; higher is better.",
        this.#precision.element,
      ),
    );
    this.#offs = [app.openStudy.jobs.on("change", () => this.#follow()), models.on("change", () => this.#showEnd())];
    this.show(null);
  }

  close() {
    this.#id = null;
    this.#course?.close();
    this.#again?.close();
    this.#loss.close();
    this.#precision.close();
    for (const off of this.#offs) off();
  }

  /** Show a training by the id of its job; null where there is none. @param {string|null} id */
  show(id) {
    if (id === this.#id && id !== null) return;
    this.#course?.close();
    this.#id = id;
    this.#state = "";
    this.#course = id === null ? null : new Course(this.#app.openStudy, id);
    this.#course?.on("change", () => this.#draw());
    this.#course?.on("failed", (error) => this.#app.error(error));
    if (id === null)
      fill(
        this.element,
        h(
          "div.empty",
          {},
          h("h2", {}, "No training yet"),
          h(
            "p.quiet-text",
            {},
            "Choose corrected images and press Train. Here you watch the model learn, and see whether it became better.",
          ),
        ),
      );
    this.#follow();
  }

  /** @returns {Job|undefined} */
  get #job() {
    return this.#id === null ? undefined : this.#app.openStudy.jobs.find(this.#id);
  }

  #draw() {
    const { loss, precision } = this.#course?.curves ?? { loss: [], precision: [] };
    this.#curves.hidden = !this.#course?.all.length;
    const rangeX = /** @type {[number, number]} */ ([0, this.#course?.steps ?? 1]);
    const highest = Math.max(0, ...loss.flatMap((curve) => curve.points.map(([, value]) => value)));
    this.#loss.show({ curves: loss, x: "Step", y: "Error (loss)", rangeX, rangeY: [0, highest || 1] });
    this.#precision.show({ curves: precision, x: "Step", y: "Share found right", rangeX, rangeY: [0, 1] });
  }

  /** Show how far it is; more only when its state changes. */
  #follow() {
    const job = this.#job;
    if (!job) return;
    if (!hasEnded(job)) this.#bar.show(this.#app.openStudy.jobs.progress(job));
    if (job.state === this.#state) return;
    this.#state = job.state;
    this.#draw();
    if (hasEnded(job)) this.#showEnd();
    else this.#showRunning(job);
  }

  /** @param {Job} job */
  #showRunning(job) {
    this.#endAgain();
    const { jobs, readOnly } = this.#app.openStudy;
    const cancel = () => jobs.cancel(job.id).catch((error) => this.#app.error(error));
    const name = nameOf(job);
    const goes = job.state === "stopping" ? `Stopping ${name}…` : `Training ${name}…`;
    const text = job.state === "queued" ? `${name} waits for other jobs…` : goes;
    fill(this.element, this.#top, this.#curves);
    fill(
      this.#top,
      h(
        "section.card",
        {},
        h(
          "div.row",
          {},
          h("h2.grow", {}, text),
          h(
            "button",
            { type: "button", disabled: Boolean(readOnly) || job.state === "stopping", onclick: cancel },
            "Cancel",
          ),
        ),
        this.#bar.element,
      ),
    );
  }

  #showEnd() {
    const job = this.#job;
    if (!job || !hasEnded(job)) return;
    if (job.state === "done") this.#showDone(job);
    else this.#showEarly(job);
  }

  /** One that ended before it was done. @param {Job} job */
  #showEarly(job) {
    this.#endAgain();
    const { jobs, readOnly } = this.#app.openStudy;
    const resume = () => jobs.resume(job.id).catch((error) => this.#app.error(error));
    const running = jobs.running.some((each) => each.kind === "train");
    fill(this.element, this.#top, this.#curves);
    fill(
      this.#top,
      h(
        "section.card",
        {},
        h("h2", {}, EARLY[job.state]),
        job.error ? h("p", {}, job.error) : h("p.quiet-text", {}, "It goes on where it stopped when you resume it."),
        h(
          "div.row",
          {},
          h("button", { type: "button", disabled: Boolean(readOnly) || running, onclick: resume }, "Resume"),
          h("button.quiet", { type: "button", onclick: () => showLog(this.#app, job) }, "Log"),
        ),
      ),
    );
  }

  /** @param {Job} job */
  async #showDone(job) {
    const outcome = outcomeOf(job.result);
    if (this.#kept?.job !== job.id) this.#kept = await this.#read(job);
    const { details, pictures } = this.#kept;
    if (job.id !== this.#id) return;
    fill(this.#top, this.#verdict(job, outcome, details));
    const model = this.#models.find(job.result.model);
    fill(this.#below, h("div.train-two", {}, outcome && scoresTable(outcome), this.#useOf(job, model)), pictures);
    fill(this.element, this.#top, this.#below, this.#curves);
  }

  /** @param {Job} job */
  async #read(job) {
    const id = job.result.training;
    try {
      const { details } = await this.#app.openStudy.get(at`results/${id}`);
      return { job: job.id, details, pictures: changePictures(this.#app, id, details.pictures ?? []) };
    } catch (error) {
      this.#app.error(error);
      return { job: job.id, details: {}, pictures: null };
    }
  }

  /** @param {Job} job @param {Outcome|null} outcome @param {any} details */
  #verdict(job, outcome, details) {
    const model = this.#models.find(job.result.model);
    const { images } = this.#app.openStudy;
    const facts = [nameOf(job), whenInWords(job.created), tookInWords(job.started, job.ended)].join(" · ");
    const cautions = outcome ? cautionsOf(outcome, details, (id) => images.find(id)) : [];
    const mark = outcome?.verdict === "better" ? "check" : outcome?.verdict === "worse" ? "warning" : "info";
    return h(
      "section.card.train-verdict",
      { dataset: { verdict: outcome?.verdict ?? "new" } },
      h(
        "div.row",
        {},
        h("h2.grow.train-said", {}, icon(mark), VERDICTS[outcome?.verdict ?? "new"]),
        h("span.quiet-text.number", {}, facts),
      ),
      outcome && h("p", {}, sentencesOf(outcome)),
      cautions.map((text) => h("p.notice", {}, icon("info"), text)),
      this.#buttons(model, outcome),
    );
  }

  /** @param {import("./models.js").ModelView|null} model @param {Outcome|null} outcome */
  #buttons(model, outcome) {
    const readOnly = Boolean(this.#app.openStudy.readOnly);
    if (!this.#models.loaded) return null;
    if (!model) return h("p.quiet-text", {}, "This model was discarded. Undo that in the history to have it again.");
    if (model.active)
      return h(
        "div.row",
        {},
        h("span.chip.train-active", {}, "Active"),
        h("span.quiet-text.grow", {}, "Taken wherever no other model is named."),
        h(
          "button",
          { type: "button", disabled: readOnly, onclick: () => this.#models.rollBack() },
          icon("undo"),
          "Roll back",
        ),
      );
    const worth = !outcome || ["better", "new"].includes(outcome.verdict);
    const poor = outcome?.verdict === "worse";
    const button = (/** @type {string} */ text, /** @type {boolean} */ first, /** @type {() => any} */ run) =>
      h("button", { type: "button", class: first ? "primary" : "", disabled: readOnly, onclick: run }, text);
    return h(
      "div.row",
      {},
      button("Activate", worth, () => this.#models.activate(model)),
      button("Discard", poor, () => this.#models.discard(model)),
    );
  }

  /** @param {Job} job @param {import("./models.js").ModelView|null} model */
  #useOf(job, model) {
    this.#endAgain();
    if (!model) return null;
    this.#again = new SegmentAgain(this.#app, job, model.active);
    return this.#again.element;
  }

  #endAgain() {
    this.#again?.close();
    this.#again = null;
  }
}

/** @param {Job} job */
const nameOf = (job) => job.parameters.name_of_model ?? "mine";
