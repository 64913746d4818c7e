/** The form of the step Two channels: channels, and a section for each part of a quantification. @module */
import { get } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { labelled } from "../controls/labelled.js";
import { SchemaForm } from "../controls/schema_form.js";
import { channelNames } from "./images_details.js";
import { sectionsOf } from "./dual_sections.js";
import { parametersOf, valuesOf } from "./dual_values.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("./dual_sections.js").Section} Section */
/** @typedef {import("./dual_sections.js").Schemas} Schemas */
/** @typedef {{section: Section, form: SchemaForm, title: HTMLElement, fold: HTMLDetailsElement}} Part */

const NO_REFERENCE = "";
const GREY = ["gray", "R", "G", "B"];
/**
 * What ranges are in each unit, when another is chosen.
 * @type {Record<string, Record<string, Record<string, number>>>}
 */
const RANGES = {
  radial: { percent: { inner: 0, outer: 100 }, um: { inner: -0.5, outer: 0.5 }, px: { inner: -3, outer: 0 } },
  profile: {
    percent: { start: 0, end: 150, window: 5, stride: 1 },
    um: { start: -10, end: 5, window: 0.5, stride: 0.1 },
    px: { start: -30, end: 10, window: 2, stride: 1 },
  },
};
/** @type {Record<string, {lowest: number, uppermost: number}>} */
const PEAKS = {
  percent: { lowest: 60, uppermost: 100 },
  um: { lowest: -10, uppermost: 0 },
  px: { lowest: -30, uppermost: 0 },
};

/** Tells `change` when somebody changes something. */
export class DualForm extends Emitter {
  element = h("div.stack");
  #app;
  #target = h("select");
  #reference = h("select");
  #rules = h(
    "select",
    {},
    h("option", { value: "cellmetry" }, "Cellmetry"),
    h("option", { value: "dualcellquant" }, "DualCellQuant, to the letter"),
  );
  #sections = h("div.dual-sections");
  /** @type {Part[]} */
  #parts = [];
  /** @type {Schemas|null} */
  #schemas = null;

  /** @param {App} app */
  constructor(app) {
    super();
    this.#app = app;
    fill(
      this.element,
      h(
        "div.row.bottom",
        {},
        labelled("Target", this.#target, { grow: true }),
        labelled("Reference", this.#reference, { grow: true }),
      ),
      labelled("Rules", this.#rules),
      this.#sections,
    );
    this.#target.addEventListener("change", () => this.#changed());
    this.#reference.addEventListener("change", () => this.#changed());
    this.#rules.addEventListener("change", () => this.#turnRules());
    this.follow();
  }

  /**
   * Read the schemas, and show what was asked before.
   * @param {Record<string, any>} asked Parameters of a job `quantify`.
   */
  async load(asked) {
    const [job, ...steps] = await Promise.all([
      get("job-kinds/quantify"),
      ...["radial", "profile", "peaks"].map((name) => get(`steps/${name}`)),
    ]);
    const [radial, profile, peaks] = steps.map((step) => step.parameters);
    this.#schemas = { job: job.parameters, radial, profile, peaks };
    this.show(asked);
  }

  /** Whether it can be asked what is wanted. */
  get isReady() {
    return this.#schemas !== null;
  }

  /** Show the parameters of a job; channels stay as they are where none is named. @param {Record<string, any>} asked */
  show(asked) {
    const all = valuesOf({ target: this.#target.value, reference: this.#reference.value, ...asked });
    this.#rules.value = all.channels.rules;
    if (asked.target !== undefined) {
      this.#target.value = this.#optionOf(asked.target);
      this.#reference.value = asked.reference === undefined ? NO_REFERENCE : this.#optionOf(asked.reference);
    }
    this.#lay(all);
  }

  /** What a job is asked. @returns {Record<string, any>} @throws {Error} Where a field is wrong. */
  get wanted() {
    return parametersOf({ channels: this.#channels, ...this.#read() });
  }

  /** @param {any} error @returns {boolean} Whether a field is named. */
  showError(error) {
    return this.#parts.some(({ form }) => form.showError(error));
  }

  /** Show the channels of the image that is looked at. */
  follow() {
    const {
      images: { current: image, ready },
    } = this.#app.openStudy;
    if (image?.state !== "ready") return;
    const names = image.header.colour ? GREY : channelNames(image);
    const alike = ready.every((each) => JSON.stringify(channelNames(each)) === JSON.stringify(channelNames(image)));
    const options = names.map((/** @type {string} */ name, /** @type {number} */ k) => ({
      value: alike || image.header.colour ? name : String(k),
      text: name,
    }));
    const [target, reference, first] = [this.#target.value, this.#reference.value, !this.#target.options.length];
    fill(
      this.#target,
      options.map(({ value, text }) => h("option", { value }, text)),
    );
    fill(
      this.#reference,
      h("option", { value: NO_REFERENCE }, "None"),
      options.map(({ value, text }) => h("option", { value }, text)),
    );
    this.#target.value = target;
    if (!this.#target.value) this.#target.value = options[0]?.value ?? "";
    this.#reference.value = first ? (options[1]?.value ?? NO_REFERENCE) : reference;
    if (this.#reference.selectedIndex < 0) this.#reference.value = NO_REFERENCE;
  }

  get #channels() {
    return { target: this.#target.value, reference: this.#reference.value, rules: this.#rules.value };
  }

  /** The option of a channel by its name or index. @param {string} channel */
  #optionOf(channel) {
    const options = [...this.#target.options];
    return (
      options.find((each) => each.value === channel || each.text === channel)?.value ??
      options[Number(channel)]?.value ??
      ""
    );
  }

  get #compat() {
    return this.#rules.value === "dualcellquant";
  }

  /** @returns {Record<string, any>} */
  #read() {
    const all = Object.fromEntries(this.#parts.map(({ section, form }) => [section.name, form.all]));
    return { ...all, peaks: { ...all.peaks, judged: this.#formOf("peaks").values.judged ?? {} } };
  }

  /** The saturation limit of the other rules is on another scale. */
  #turnRules() {
    const all = this.#read();
    const [from, to] = this.#compat ? ["100%", "254"] : ["254", "100%"];
    for (const role of [all.target, all.reference]) if (role.saturation === from) role.saturation = to;
    if (this.#compat)
      for (const part of [all.radial, all.profile])
        if (part.unit !== "percent") Object.assign(part, { on: false, unit: "percent" });
    this.#lay(all);
    this.#changed();
  }

  /** @param {Record<string, any>} all */
  #lay(all) {
    const open = new Map(this.#parts.map(({ section, fold }) => [section.name, fold.open]));
    const sections = sectionsOf(/** @type {Schemas} */ (this.#schemas), this.#compat);
    this.#parts = sections.map((section) =>
      this.#part(section, all[section.name], open.get(section.name) ?? section.open ?? false),
    );
    fill(
      this.#sections,
      this.#parts.map(({ fold }) => fold),
    );
    this.#showFields();
  }

  /** @param {Section} section @param {Record<string, any>} values @param {boolean} open @returns {Part} */
  #part(section, values, open) {
    const form = new SchemaForm(section.schema, { ...section.wishes, values });
    const title = h("span");
    const fold = h(
      "details.dual-section",
      { open, dataset: { section: section.name } },
      h("summary", {}, title),
      form.element,
    );
    form.on("change", ({ name }) => {
      this.#follow(section.name, name);
      this.#changed();
    });
    return { section, form, title, fold };
  }

  /** A range in another unit. @param {string} section @param {string} name */
  #follow(section, name) {
    if (name !== "unit") return;
    const form = this.#formOf(section);
    const { unit } = form.all;
    for (const [field, value] of Object.entries(RANGES[section][unit])) form.setOne(field, value);
    if (section !== "profile") return;
    for (const [field, value] of Object.entries(PEAKS[unit])) this.#formOf("peaks").setOne(field, value);
  }

  /** @param {string} section */
  #formOf(section) {
    return /** @type {Part} */ (this.#parts.find((part) => part.section.name === section)).form;
  }

  #changed() {
    if (!this.isReady) return;
    this.#showFields();
    this.tell("change", this);
  }

  /** Only fields that matter are seen. */
  #showFields() {
    const seen = { pair: this.#reference.value !== NO_REFERENCE, compat: this.#compat };
    for (const { section, form, title, fold } of this.#parts) {
      if (!form.isValid) continue;
      const shown = section.shown(form.all, seen);
      fill(title, section.title(seen));
      fold.hidden = !shown.length;
      for (const field of form.element.querySelectorAll(".field"))
        field.hidden = !shown.includes(field.dataset.field ?? "");
      const inner = form.element.querySelector("details");
      if (inner) inner.hidden = !shown.includes("judged");
    }
  }
}
