/** The step Train: a better model from corrected cells, judged on images that did not teach it. @module */
import { fill, h } from "../../kernel/dom.js";
import { tabs } from "../../controls/tabs.js";
import { Fields } from "./fields.js";
import { TrainForm } from "./form.js";
import { Models, Versions } from "./models.js";
import { TrainingView } from "./result.js";

/** @typedef {import("../../app/app.js").App} App */

/** @type {import("../../app/steps.js").Step} */
export default { name: "train", title: "Train", centre: "own", open: (app, panes) => new TrainStep(app, panes) };

class TrainStep {
  #app;
  #models;
  #form;
  #versions;
  #fields;
  #training;
  #tabs;
  #off;
  /** Id of the training that ran last. @type {string|undefined} */
  #ran;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    this.#models = new Models(app);
    this.#form = new TrainForm(app, this.#models);
    this.#versions = new Versions(app, this.#models);
    this.#fields = new Fields(app, () => this.#form.labels);
    this.#training = new TrainingView(app, this.#models);
    this.#form.follow(this.#fields);
    const job = this.#wanted;
    this.#ran = this.#running?.id;
    this.#tabs = tabs(
      "What is shown",
      [
        { name: "fields", title: "Images", make: () => this.#fields.element },
        { name: "training", title: "Training", make: () => this.#training.element },
      ],
      { chosen: app.place.get("tab") ?? (job ? "training" : "fields"), onchange: (tab) => app.place.note({ tab }) },
    );
    this.#training.show(job);
    this.#form.on("labels", () => this.#fields.show());
    this.#form.on("begun", (begun) => this.#show(begun.id));
    this.#versions.on("show", (id) => this.#show(id));
    this.#off = app.openStudy.jobs.on("change", () => this.#begunElsewhere());
    fill(panes.left, h("div.stack", {}, h("h2", {}, "Train a model"), this.#form.element, this.#versions.element));
    fill(panes.centre, h("div.train", {}, this.#tabs.element));
  }

  close() {
    this.#off();
    for (const part of [this.#training, this.#fields, this.#versions, this.#form, this.#models]) part.close();
  }

  get #running() {
    return this.#app.openStudy.jobs.running.find((job) => job.kind === "train");
  }

  /** Id of the training in the address, else the one that runs, else the last. @returns {string|null} */
  get #wanted() {
    const trainings = this.#app.openStudy.jobs.all.filter((job) => job.kind === "train");
    const asked = trainings.find((job) => job.id === this.#app.place.get("training"));
    return (asked ?? this.#running ?? trainings[0])?.id ?? null;
  }

  /** @param {string} id */
  #show(id) {
    this.#app.place.note({ training: id });
    this.#training.show(id);
    this.#tabs.choose("training");
  }

  /** Another window may have begun one; it is shown once, so that others can be looked at while it runs. */
  #begunElsewhere() {
    const id = this.#running?.id;
    if (!id || id === this.#ran) return;
    this.#ran = id;
    this.#training.show(id);
  }
}
