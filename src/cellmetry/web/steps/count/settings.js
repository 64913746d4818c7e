/** How cells are counted: what finds them, in which channel, how wide they are, inside or outside of what. @module */
import { get } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { labelled } from "../../controls/labelled.js";
import { SchemaForm } from "../../controls/schema_form.js";
import { MainFields } from "../segment/main.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{look?: Record<string, any>, labels?: string, density?: boolean, outside?: boolean}} Wanted */

const ELSEWHERE = ["images", "look", "labels", "shapes", "regions", "table"];
const TITLES = { density: "Check by the density", outside: "Count what lies outside all regions too" };

/** The form of a job `count`. Tells `change`. */
export class CountSettings extends Emitter {
  element = h("div.stack");
  #app;
  #which = h("select");
  #whichField = labelled("Cells to count", this.#which);
  #look = h("div.stack");
  #more = h("div.form");
  /** @type {MainFields|null} */
  #fields = null;
  /** @type {SchemaForm|null} */
  #form = null;

  /** @param {App} app */
  constructor(app) {
    super();
    this.#app = app;
    const more = h("details.fold-fields", {}, h("summary", {}, "More settings"), this.#more);
    fill(this.element, this.#whichField, this.#look, more);
    this.#which.addEventListener("change", () => this.#chosen());
  }

  /** Read what may be chosen, and show how was counted before. @param {Wanted} before */
  async load(before) {
    const { openStudy: study } = this.#app;
    const [kind, engines, shared, made] = await Promise.all([
      get("job-kinds/count"),
      get("engines"),
      get("models"),
      study.get("models"),
    ]);
    const usable = engines.filter((/** @type {any} */ engine) => engine.name !== "labels");
    this.#fields = new MainFields(
      this.#app,
      {
        key: "look",
        step: { engine: "cellmetry" },
        given: new Map(Object.entries(before.look ?? {}).map(([name, value]) => [`look.${name}`, value])),
        several: false,
        engines: usable.map((/** @type {any} */ engine) => ({ ...engine, parameters: { properties: {} } })),
        models: [...made, ...shared],
      },
      () => this.tell("change", this),
    );
    const { density, outside } = before;
    const values = Object.fromEntries(Object.entries({ density, outside }).filter(([, value]) => value !== undefined));
    this.#form = new SchemaForm(kind.parameters, { hidden: ELSEWHERE, values, titles: TITLES });
    this.#form.on("change", () => this.tell("change", this));
    fill(this.#look, this.#fields.element);
    fill(this.#more, this.#fields.engine, this.#form.element);
    this.follow(typeof before.labels === "string" ? before.labels : "");
  }

  get loaded() {
    return this.#form !== null;
  }

  /** Name of the labels whose objects are counted; null where the model finds them. @returns {string|null} */
  get labels() {
    return this.#which.value || null;
  }

  /** As jobs and previews take it. @returns {Wanted} @throws {Error} Where a field is wrong. */
  get wanted() {
    const { labels } = this;
    const look = lookOf(this.#fields?.set ?? []);
    const { density, ...rest } = this.#form?.values ?? {};
    const asked = labels === null ? rest : { ...rest, labels, ...(density === undefined ? {} : { density }) };
    return Object.keys(look).length && (labels === null || density !== false) ? { look, ...asked } : asked;
  }

  /** Show the labels that there are (those that are counted stay chosen where they went), and channels and pixel size of the image that is seen. @param {string} [chosen] */
  follow(chosen = this.#which.value) {
    const { labels } = this.#app.openStudy;
    const missing = chosen && !labels.names.includes(chosen);
    const options = labels.names.map((name) => h("option", { value: name }, `Labels “${name}”, as edited`));
    const gone = missing && h("option", { value: chosen }, `Labels “${chosen}”, which are not there now`);
    fill(this.#which, h("option", { value: "" }, "Those that the model finds"), options, gone);
    this.#which.value = chosen;
    this.#whichField.hidden = !labels.names.length && !missing;
    this.#fields?.follow();
    this.#showDensity();
  }

  /** @param {any} error @returns {boolean} Whether a field is named. */
  showError(error) {
    return this.#form?.showError(error) ?? false;
  }

  #chosen() {
    if (this.labels !== null) this.#app.openStudy.labels.select(this.labels);
    this.#showDensity();
    this.tell("change", this);
  }

  /** The choice of density is one only where objects are known. */
  #showDensity() {
    const field = this.#form?.element.querySelector("[data-field=density]");
    if (field instanceof HTMLElement) field.hidden = this.labels === null;
  }
}

/** @param {string[]} set As `MainFields` gives it. @returns {Record<string, any>} */
function lookOf(set) {
  return Object.fromEntries(
    set.map((change) => {
      const at = change.indexOf("=");
      return [change.slice("look.".length, at), JSON.parse(change.slice(at + 1))];
    }),
  );
}
