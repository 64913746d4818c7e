/** The form of the step Two channels: channels, and a section for each part of a quantification. @module */
import { get } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { SchemaForm } from "../../controls/schema_form.js";
import { channelNames } from "../images/details.js";
import { sectionsOf } from "./sections.js";
import { parametersOf, valuesOf } from "./values.js";
import { backgroundSaid, sameChannelText, usualRoles } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./sections.js").Section} Section */
/** @typedef {import("./sections.js").Schemas} Schemas */
/** @typedef {{section: Section, form: SchemaForm, title: HTMLElement, fold: HTMLDetailsElement}} Part */
/** @typedef {"target"|"reference"} Role Of a channel. */
/** @typedef {{value: string, text: string}} Choice */

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

/** The channel of a name, or of the index that a former job may have been asked. @param {Choice[]} channels @param {string} wished */
const channelOf = (channels, wished) =>
  channels.find((each) => each.value === wished) ??
  channels.find((each) => each.value.toLowerCase() === wished.toLowerCase()) ??
  (/^\d+$/.test(wished) ? channels[Number(wished)] : undefined);

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
  #same = h("p.notice", { id: "dual-same", role: "alert", hidden: true });
  #background = h("p.quiet-text.dual-background", { "aria-live": "polite" });
  #sections = h("div.dual-sections");
  /** @type {Part[]} */
  #parts = [];
  /** What was asked to be shown while the schemas were on their way. @type {Record<string, any>|null} */
  #early = null;
  /** @type {Schemas|null} */
  #schemas = null;

  /** Channels that are wished, by name: another image does not change them. @type {Record<Role, string|null>} */
  #wished = { target: null, reference: null };
  /** Those of them that the image that is seen has not. @type {string[]} */
  missing = [];

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
      this.#same,
      labelled("Rules", this.#rules),
      this.#background,
      this.#sections,
    );
    for (const select of [this.#target, this.#reference]) select.setAttribute("aria-describedby", this.#same.id);
    this.#target.addEventListener("change", () => this.#wish({ target: this.#target.value }));
    this.#reference.addEventListener("change", () => this.#wish({ reference: this.#reference.value }));
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
    this.show(this.#early ?? asked);
  }

  /** Whether it can be asked what is wanted. */
  get isReady() {
    return this.#schemas !== null;
  }

  /** Show the parameters of a job; channels stay as they are where none is named. @param {Record<string, any>} asked */
  show(asked) {
    this.#early = asked;
    if (!this.isReady) return;
    const all = valuesOf(asked);
    this.#rules.value = all.channels.rules;
    const { target, reference = NO_REFERENCE } = asked;
    if (target !== undefined) this.#wished = { target: String(target), reference: String(reference) };
    this.#lay(all);
    this.follow();
  }

  /** What a job is asked. @returns {Record<string, any>} @throws {Error} Where a field is wrong. */
  get wanted() {
    return parametersOf({ channels: this.#channels, ...this.#read() });
  }

  /** @param {any} error @returns {boolean} Whether a field is named. */
  showError(error) {
    const message = String(error?.message ?? "").replace(/^job \w+: /, "");
    const role = /^plan\.(target|reference)\./.exec(message)?.[1];
    const parts = role ? this.#parts.filter(({ section }) => section.name === role) : this.#parts;
    return parts.some(({ form, fold }) => form.showError({ message }) && (fold.open = true));
  }

  /** Show the channels of the image that is looked at; what is wished stays, also where the image has it not. */
  follow() {
    const image = this.#app.openStudy.images.current;
    if (image?.state !== "ready") return;
    /** @type {string[]} */
    const names = image.header.colour ? GREY : channelNames(image);
    if (!names.length) return;
    const channels = names.map((text, k) => ({ value: names.indexOf(text) === k ? text : String(k), text }));
    const usual = usualRoles(channels);
    this.#wished.target ??= usual.target.value;
    this.#wished.reference ??= usual.reference?.value ?? NO_REFERENCE;
    const none = { value: NO_REFERENCE, text: "None" };
    this.missing = [
      ...this.#offer("target", this.#target, channels),
      ...this.#offer("reference", this.#reference, channels, none),
    ];
    this.#showSame();
    if (this.isReady) this.#showFields();
  }

  /** Whether both roles are played by one channel, which no quantification can mean. */
  get isSame() {
    return sameChannelText(this.#wished.target, this.#wished.reference) !== "";
  }

  #showSame() {
    const text = sameChannelText(this.#wished.target, this.#wished.reference);
    this.#same.hidden = !text;
    fill(this.#same, text && [icon("warning"), h("span.grow", {}, text)]);
  }

  /**
   * Fill a choice, and choose what is wished.
   * @param {Role} role @param {HTMLSelectElement} select @param {Choice[]} channels @param {Choice} [none]
   * @returns {string[]} What is wished and not there.
   */
  #offer(role, select, channels, none) {
    const wished = this.#wished[role] ?? "";
    const found = none?.value === wished ? none : channelOf(channels, wished);
    const lost = { value: wished, text: `${wished} (not in this image)` };
    fill(
      select,
      [...(none ? [none] : []), ...channels, ...(found ? [] : [lost])].map(({ value, text }) =>
        h("option", { value }, text),
      ),
    );
    select.value = this.#wished[role] = found?.value ?? wished;
    return found ? [] : [wished];
  }

  #showBackground() {
    if (!this.#parts.every(({ form }) => form.isValid)) return;
    const { text, raw } = backgroundSaid({ channels: this.#channels, ...this.#read() });
    fill(this.#background, raw && icon("warning"), text);
    this.#background.classList.toggle("dual-raw", raw);
  }

  /** @param {Partial<Record<Role, string>>} channels */
  #wish(channels) {
    Object.assign(this.#wished, channels);
    this.follow();
    this.#changed();
  }

  /** Wish the channels that are usual, as at first. */
  forgetChannels() {
    this.#wished = { target: null, reference: null };
    this.follow();
  }

  /** By whose rules: "cellmetry" or "dualcellquant". */
  get rules() {
    return this.#rules.value;
  }

  get #channels() {
    const { target, reference } = this.#wished;
    return { target: target ?? "", reference: reference ?? NO_REFERENCE, rules: this.#rules.value };
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
    this.#showBackground();
    const seen = { pair: this.#channels.reference !== NO_REFERENCE, compat: this.#compat };
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
