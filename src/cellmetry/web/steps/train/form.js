/** What a training is to be like: the left pane of the step Train. @module */
import { showLabelNames } from "../../app/label_names.js";
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { counted } from "../../app/said.js";
import { noteTaste, taste } from "../../app/tastes.js";
import { channelNames } from "../images/details.js";
import { warningsOf } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./models.js").Models} Models */
/** @typedef {import("./fields.js").Fields} Fields */

const MINUTES = [1, 5, 15, 60];
const USUAL_MINUTES = 5;
const OWN = "base";
const TASTE = "train.minutes";

/** The form and its button. Tells `labels` when others are chosen, and `begun` with the job. */
export class TrainForm extends Emitter {
  #app;
  #models;
  /** @type {Fields|null} */
  #fields = null;
  #labels = h("select", { onchange: () => this.tell("labels", this.labels) });
  #labelsField = labelled("Labels", this.#labels, { hidden: true });
  #channel = h("select");
  #channelField = labelled("Channel", this.#channel, { hidden: true });
  #start = h("select", { onchange: () => (this.#wished = this.#start.value) });
  /** The model that a person chose to start from; the active one if none. */
  #wished = "";
  #minutes = h("input", {
    type: "number",
    min: 0.1,
    max: 600,
    step: "any",
    value: taste(TASTE, USUAL_MINUTES),
    class: "number",
    oninput: () => this.#showMinutes(),
  });
  #presets = MINUTES.map((minutes) =>
    h(
      "button.small",
      { type: "button", "aria-label": counted(minutes, "minute"), onclick: () => this.#setMinutes(minutes) },
      String(minutes),
    ),
  );
  #name = h("input", {
    type: "text",
    maxlength: 100,
    autocomplete: "off",
    spellcheck: "false",
    onchange: () => (this.#name.value = nameOf(this.#name.value)),
  });
  #warnings = h("div.stack.train-warnings", { "aria-live": "polite" });
  #missing = "";
  #train = h("button.primary.grow", { type: "button", disabled: true, onclick: () => this.run() }, "Train");
  #offs;

  /** @param {App} app @param {Models} models */
  constructor(app, models) {
    super();
    this.#app = app;
    this.#models = models;
    const minutes = h(
      "div.field",
      {},
      h("label.field-name", { for: "train-minutes" }, "Time ", h("span.field-unit", {}, "min")),
      h("div.row.tight", {}, this.#minutes, this.#presets),
      h("p.field-help", {}, "Of learning; preparing before it and judging after it come on top."),
    );
    this.#minutes.id = "train-minutes";
    this.element = h(
      "div.stack",
      {},
      this.#labelsField,
      this.#channelField,
      labelled("Start from", this.#start),
      minutes,
      labelled("Name of the new model", this.#name),
      this.#warnings,
      h("div.left-actions", {}, h("div.row", {}, this.#train)),
    );
    const { labels, images, jobs } = app.openStudy;
    this.#offs = [
      models.on("change", () => this.#showModels()),
      labels.on("change", () => this.#showLabels()),
      images.on("change", () => this.#showChannels()),
      jobs.on("change", () => this.show()),
      app.shortcuts.bind("Ctrl+Enter", "Train", () => this.run()),
    ];
    this.#showLabels();
    this.#showChannels();
    this.#showMinutes();
  }

  close() {
    for (const off of this.#offs) off();
  }

  /** Name of the labels that are learnt. @returns {string} */
  get labels() {
    return this.#labels.value || this.#app.openStudy.labels.name || "cells";
  }

  /** Follow which images are chosen. @param {Fields} fields */
  follow(fields) {
    this.#fields = fields;
    this.#offs.push(fields.on("change", () => this.show()));
    this.show();
  }

  show() {
    const { readOnly, jobs } = this.#app.openStudy;
    const fields = this.#fields;
    const warnings = fields ? warningsOf({ chosen: fields.chosen.length, unsure: fields.unsure }) : [];
    const wait = !fields || !this.#models.loaded || jobs.running.some((job) => job.kind === "train");
    const said = [...(this.#missing ? [{ text: this.#missing, stops: true }] : []), ...warnings];
    const stopped = said.some(({ stops }) => stops) || !this.#minutes.checkValidity();
    this.#train.disabled = Boolean(readOnly) || wait || stopped;
    fill(
      this.#warnings,
      said.map(({ text, stops }) => h("p.notice", {}, icon(stops ? "warning" : "info"), h("span.grow", {}, text))),
    );
  }

  async run() {
    if (this.#train.disabled || !this.#fields) return;
    this.#train.disabled = true;
    try {
      this.tell("begun", await this.#app.openStudy.jobs.submit("train", this.#wanted(this.#fields)));
    } catch (/** @type {any} */ error) {
      if (error.status === 501) this.#missing = error.message;
      else this.#app.error(error);
    } finally {
      this.show();
    }
  }

  /** @param {Fields} fields */
  #wanted(fields) {
    const minutes = Number(this.#minutes.value);
    noteTaste(TASTE, minutes);
    return {
      images: fields.chosen.map((image) => image.id),
      labels: this.labels,
      ...(this.#channelField.hidden ? {} : { channel: this.#channel.value }),
      start: this.#start.value,
      minutes,
      name_of_model: nameOf(this.#name.value) || this.#freeName,
      keep: true, // a person decides, who sees what it changed
      changes: [`optimisation.validate_every=${minutes < 3 ? 25 : 75}`],
    };
  }

  #showModels() {
    const { own, shared, active } = this.#models;
    const option = (/** @type {string} */ value, /** @type {string} */ text) => h("option", { value }, text);
    fill(
      this.#start,
      own.map((model) => option(model.id, model.active ? `${model.name} (active)` : model.name)),
      shared.map((model) => option(model.name, model.name === OWN ? this.#models.titleOf(null) : model.name)),
    );
    this.#start.value = this.#wished || active?.id || OWN;
    if (!this.#start.value) this.#start.value = active?.id ?? OWN;
    this.#name.placeholder = this.#freeName;
    this.show();
  }

  /** A name that no version has yet. */
  get #freeName() {
    const taken = new Set(this.#models.own.map((model) => model.name));
    for (let k = 1; ; k++) if (!taken.has(`mine-${k}`)) return `mine-${k}`;
  }

  #showLabels() {
    showLabelNames(this.#labels, this.#labelsField, this.#app.openStudy.labels);
  }

  #showChannels() {
    const { images, jobs } = this.#app.openStudy;
    const image = images.ready.find((each) => !each.header.colour);
    const names = image ? channelNames(image) : [];
    const last = jobs.all.find((job) => job.kind === "train")?.parameters.channel ?? segmentedChannel(jobs.all);
    const chosen = this.#channel.value || last;
    fill(
      this.#channel,
      names.map((/** @type {string} */ name) => h("option", { value: name }, name)),
    );
    this.#channel.value = names.includes(chosen) ? chosen : (names[Number(chosen)] ?? names[0] ?? "");
    this.#channelField.hidden = names.length < 2;
  }

  /** @param {number} minutes */
  #setMinutes(minutes) {
    this.#minutes.value = String(minutes);
    this.#showMinutes();
  }

  #showMinutes() {
    this.#presets.forEach((button, k) =>
      button.setAttribute("aria-pressed", String(Number(this.#minutes.value) === MINUTES[k])),
    );
    this.#minutes.setAttribute("aria-invalid", String(!this.#minutes.checkValidity()));
    this.show();
  }
}

/** A name as models may have it. @param {string} text */
const nameOf = (text) =>
  text
    .replace(/[^A-Za-z0-9_]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 100);

/** Channel in which cells were found last. @param {import("../../app/jobs.js").Job[]} jobs */
function segmentedChannel(jobs) {
  const set = jobs.find((job) => job.kind === "segment")?.parameters.set ?? [];
  const found = set.find((/** @type {string} */ each) => /^segment\.channel=/.test(each));
  return found ? String(JSON.parse(found.split("=").slice(1).join("="))) : "";
}
