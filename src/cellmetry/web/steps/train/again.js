/** Segmenting again by the active model, with what becomes of the corrections. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { progressBar } from "../../controls/progress.js";
import { hasEnded } from "../../app/jobs.js";
import { counted } from "../../app/said.js";
import { rebasedOf } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/jobs.js").Job} Job */

/** Changes of a recipe that would keep it from the active model. */
const OF_MODEL = /^(\w+)\.(engine|model|options\.[\w.]+)=/;

/** The engine of models that a study trains. */
const OWN = "cellmetry";

const PROMISE = "What you corrected is put onto the new labels; nothing of it is lost.";

/** A card beside what a training came to; it works once the model is active. */
export class SegmentAgain {
  element = h("section.card.train-again");
  #app;
  #training;
  #bar = progressBar("Segment again");
  #active;
  #state = "";
  #offs;
  /** Id of the segmentation that this card began, which the address keeps. @type {string|null} */
  #begun;

  /** @param {App} app @param {Job} training @param {boolean} active Whether its model is. */
  constructor(app, training, active) {
    this.#app = app;
    this.#training = training;
    this.#active = active;
    this.#begun = app.place.get("again");
    const { jobs, images, labels } = app.openStudy;
    this.#offs = [jobs, images, labels].map((list) => list.on("change", () => this.#show()));
    this.#show();
  }

  close() {
    for (const off of this.#offs) off();
  }

  get #labels() {
    return this.#training.parameters.labels ?? "cells";
  }

  /** The segmentation that the card began since the training. @returns {Job|undefined} */
  get #job() {
    const segments = this.#app.openStudy.jobs.all.filter((job) => job.kind === "segment");
    const begun = segments.find((job) => job.id === this.#begun && job.seq > this.#training.seq);
    return this.#active ? begun : undefined;
  }

  /** What the last segmentation into the labels that were trained was asked for. @returns {Record<string, any>|undefined} */
  get #last() {
    return lastInto(this.#app.openStudy.jobs.all, this.#labels)?.parameters;
  }

  /** Images that a model may know better; what people called right stays as it is. */
  get #wanted() {
    return this.#app.openStudy.images.used.filter(
      (image) => !this.#app.openStudy.labels.areRight(image.id, this.#labels),
    );
  }

  #show() {
    const job = this.#job;
    const state = `${job ? `${job.id} ${job.state}` : "none"} ${this.#wanted.length}`;
    if (job && !hasEnded(job)) this.#bar.show(this.#app.openStudy.jobs.progress(job));
    if (state === this.#state) return;
    this.#state = state;
    const done = job?.state === "done" ? rebasedOf(job.result) : null;
    fill(
      this.element,
      h("h3", {}, "Segment again"),
      job && !hasEnded(job) ? this.#bar.element : done ? this.#fate(done) : this.#about(job),
      this.#buttons(job, done?.questions ?? 0),
    );
  }

  /** @param {Job|undefined} job */
  #about(job) {
    const count = this.#wanted.length;
    const right = this.#app.openStudy.images.used.length - count;
    const anew = `The new model finds the cells of ${counted(count, "image")} anew.`;
    const text = job?.state === "done" ? "The images are segmented by the new model." : `${anew} ${PROMISE}`;
    const others = otherEngines(this.#last?.set ?? []);
    return [
      h("p.quiet-text", {}, text),
      others.length > 0 && job?.state !== "done" && h("p.notice", {}, engineText(others)),
      right > 0 &&
        h(
          "p.quiet-text",
          {},
          `${counted(right, "image")} whose cells are all right ${right === 1 ? "stays as it is" : "stay as they are"}.`,
        ),
      !this.#active && h("p.quiet-text", {}, "Activate the model first."),
    ];
  }

  /** @param {NonNullable<ReturnType<typeof rebasedOf>>} done */
  #fate({ total, lines }) {
    return [
      h("p", {}, `Of ${counted(total, "correction")}:`),
      h(
        "ul.train-fate",
        {},
        lines.map((line) => h("li", {}, icon("check"), line)),
      ),
    ];
  }

  /** @param {Job|undefined} job @param {number} questions */
  #buttons(job, questions) {
    const running = job && !hasEnded(job);
    const {
      openStudy: { readOnly, jobs },
    } = this.#app;
    const cancel = () => jobs.cancel(/** @type {Job} */ (job).id).catch((error) => this.#app.error(error));
    if (running)
      return h(
        "div.row.end",
        {},
        h("button", { type: "button", disabled: Boolean(readOnly), onclick: cancel }, "Cancel"),
      );
    const first = job?.state !== "done";
    return h(
      "div.row",
      {},
      questions > 0 &&
        h(
          "button.primary",
          { type: "button", onclick: () => this.#app.goStep("correct", { labels: this.#labels, tab: null }) },
          `Answer ${counted(questions, "question")}`,
          icon("forward"),
        ),
      h(
        "button",
        {
          type: "button",
          class: first && this.#active ? "primary" : "",
          disabled: Boolean(readOnly) || !this.#active || !this.#wanted.length,
          onclick: () => this.#run(),
        },
        "Segment again",
      ),
      !first &&
        !questions &&
        h("button", { type: "button", onclick: () => this.#app.goStep("measure") }, "Measure", icon("forward")),
    );
  }

  async #run() {
    const { jobs } = this.#app.openStudy;
    const last = this.#last;
    const known = last ?? { labels_name: this.#labels };
    const images = this.#wanted.map((image) => image.id);
    try {
      const set = withActive(last?.set ?? []);
      const job = await jobs.submit("segment", { ...known, images, set, edits: "rebase" });
      this.#begun = job.id;
      this.#app.place.note({ again: job.id });
      this.#show();
    } catch (error) {
      this.#app.error(error);
    }
  }
}

/**
 * Return the changes of a recipe without those that name another engine or model.
 * @param {string[]} set
 */
function withActive(set) {
  const engines = set.flatMap((change) => (/\.engine=/.test(change) ? [OF_MODEL.exec(change)?.[1]] : []));
  return [...set.filter((change) => !OF_MODEL.test(change)), ...engines.map((key) => `${key}.engine="${OWN}"`)];
}

/**
 * Return the engines other than the active model's that changes of a recipe name.
 * @param {string[]} set @returns {string[]}
 */
export function otherEngines(set) {
  const named = set.flatMap((change) => /\.engine="?([\w-]+)/.exec(change)?.[1] ?? []);
  return [...new Set(named)].filter((engine) => engine !== OWN);
}

/** @param {string[]} engines */
const engineText = (engines) =>
  `Last time the cells were found by ${engines.join(", ")}; the new model takes that place, by Cellmetry's own engine.`;

/**
 * Return the last segmentation into labels of a name by a recipe that has a name, too.
 * @param {Job[]} jobs The newest first. @param {string} name
 */
export function lastInto(jobs, name) {
  const segments = jobs.filter((job) => job.kind === "segment" && !job.parameters.recipe_text);
  return segments.find((job) => makesLabels(job, name));
}

/**
 * Whether a segmentation makes labels of a name.
 * @param {Job} job @param {string} name
 */
function makesLabels({ parameters, result }, name) {
  const made = Object.values(result?.labels ?? {});
  return made.length ? made.some((labels) => name in labels) : (parameters.labels_name ?? "cells") === name;
}
