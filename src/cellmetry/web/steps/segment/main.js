/** The few things that matter of a segmentation: model, channel, diameter. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { SchemaForm } from "../../controls/schema_form.js";
import { inWords } from "../../controls/schema.js";
import { isNuclear, pixelSizeOf } from "../../app/images.js";
import { measureLine } from "../../app/ruler.js";
import { channelChoices, namedChannels, showChannels } from "./channels.js";

/** @typedef {import("../../app/app.js").App} App */
/**
 * @typedef {{key: string, step: any, given: Map<string, any>, several: boolean, engines: any[], models: any[]}} Offer
 */

/** Controls of one segmenting step of a recipe. */
export class MainFields {
  #app;
  #offer;
  #change;
  #model = h("select");
  #channel = h("select");
  /** The channel that was chosen, also while an image is looked at that lacks it. */
  #wanted = "";
  #diameter = h("input", {
    type: "text",
    inputmode: "decimal",
    placeholder: "Automatic",
    class: "number",
    autocomplete: "off",
  });
  #unit = h("span.field-unit");
  #engine = h("select");
  #options = h("div.form");
  /** @type {SchemaForm|null} */
  #optionsForm = null;
  #modelField;
  #channelField;

  /** @param {App} app @param {Offer} offer @param {() => void} change */
  constructor(app, offer, change) {
    this.#app = app;
    this.#offer = offer;
    this.#change = change;
    this.key = offer.key;
    this.#modelField = labelled("Model", this.#model);
    this.#channelField = labelled("Channel", this.#channel);
    const ruler = h(
      "button.square",
      {
        type: "button",
        "aria-label": "Measure the diameter with a ruler",
        title: "Measure it with a ruler",
        onclick: () => this.#measure(),
      },
      icon("ruler"),
    );
    const diameter = labelled(["Diameter of a cell ", this.#unit], this.#diameter, { grow: true });
    this.element = h(
      "div.stack",
      {},
      offer.several && h("h3", {}, inWords(offer.step.labels)),
      this.#channelField,
      h("div.row.bottom", {}, diameter, ruler),
      this.#modelField,
    );
    this.engine = h("div.form", {}, labelled("Engine", this.#engine), this.#options);
    this.#channel.addEventListener("change", () => (this.#wanted = this.#channel.value));
    for (const input of [this.#model, this.#channel, this.#diameter]) input.addEventListener("change", change);
    this.#engine.addEventListener("change", () => {
      this.#layEngine({});
      change();
    });
    this.#begin();
  }

  /** Changes of the recipe. @returns {string[]} */
  get set() {
    const { key, step } = this.#offer;
    const engine = this.#engine.value !== step.engine ? [`engine=${JSON.stringify(this.#engine.value)}`] : [];
    const model = this.#model.value && !this.#modelField.hidden ? [`model=${JSON.stringify(this.#model.value)}`] : [];
    const channel =
      this.#channel.value && !this.#channelField.hidden ? [`channel=${JSON.stringify(this.#channel.value)}`] : [];
    const options = Object.entries(this.#optionsForm?.values ?? {}).map(
      ([name, value]) => `options.${name}=${JSON.stringify(value)}`,
    );
    return [...engine, ...model, ...channel, ...this.#diameterSet, ...options].map((change) => `${key}.${change}`);
  }

  /** What is looked for and in which channel; null where there is no choice. @returns {[string, string]|null} */
  get chosen() {
    return this.#channelField.hidden ? null : [inWords(this.#offer.step.labels), this.#channel.value];
  }

  /** Show the channels and the unit of the image that is looked at. */
  follow() {
    const choices = channelChoices(this.#app);
    showChannels(this.#channel, choices, this.#wanted, this.#guess(choices));
    this.#channelField.hidden = choices.length < 2 || namedChannels(this.#offer.step).length > 0;
    fill(this.#unit, this.#um ? "µm" : "px");
  }

  #begin() {
    const { key, step, given, engines } = this.#offer;
    const said = (/** @type {string} */ name) => given.get(`${key}.${name}`) ?? step[name] ?? "";
    fill(
      this.#engine,
      engines.map((engine) =>
        h(
          "option",
          { value: engine.name, disabled: Boolean(engine.problem) },
          `${inWords(engine.name)}${engine.problem ? " (not installed)" : ""}`,
        ),
      ),
    );
    this.#engine.value = said("engine");
    const options = [...given]
      .filter(([address]) => address.startsWith(`${key}.options.`))
      .map(([address, value]) => [address.slice(key.length + 9), value]);
    this.#layEngine({ ...step.options, ...Object.fromEntries(options) });
    this.#model.value = said("model");
    this.#diameter.value = this.#um ? said("diameter_um") : said("diameter_px");
    this.#wanted = String(said("channel"));
    this.follow();
  }

  /** @param {Record<string, any>} options */
  #layEngine(options) {
    const engine = this.#offer.engines.find((each) => each.name === this.#engine.value);
    const known = new Set(engine?.models ?? []);
    const models = this.#offer.models
      .filter((model) => model.id || known.has(model.name))
      .filter((model) => !model.problem && (model.card.engine ?? "cellmetry") === engine?.name);
    const names = new Set(models.map((model) => model.name));
    const others = [...known].filter((name) => !names.has(name)).map((name) => ({ name, id: "", active: false }));
    fill(
      this.#model,
      h("option", { value: "" }, automatic(models)),
      [...models, ...others].map((model) => h("option", { value: model.id || model.name }, modelName(model))),
    );
    this.#modelField.hidden = models.length + others.length < 1;
    this.#optionsForm = engine
      ? new SchemaForm(engine.parameters, { values: options, hidden: ["file", "folder", "pattern"] })
      : null;
    this.#optionsForm?.on("change", this.#change);
    fill(
      this.#options,
      engine?.summary && h("p.quiet-text", {}, `${inWords(engine.summary.replace(/; --.*$/, ""))}.`),
      this.#optionsForm?.element,
    );
  }

  /** The channel of nuclei; for cells beside nuclei another one. @param {import("./channels.js").Choice[]} choices */
  #guess(choices) {
    const nuclei = Math.max(
      0,
      choices.findIndex(({ text }) => isNuclear(text)),
    );
    const wantsCells = this.#offer.several && !/nuc/i.test(this.#offer.step.labels);
    const at = wantsCells ? choices.findIndex((_, k) => k !== nuclei) : nuclei;
    return choices[at]?.value ?? "";
  }

  /** Whether every image says the size of its pixels, and the recipe does not count in pixels itself. */
  get #um() {
    if (this.#offer.step.diameter_px) return false;
    const { ready } = this.#app.openStudy.images;
    return ready.length > 0 && ready.every((image) => pixelSizeOf(image) !== null);
  }

  get #diameterSet() {
    const text = this.#diameter.value.trim().replace(",", ".");
    if (!text) return [];
    if (!(Number(text) > 0)) throw new Error(`Diameter: ${text} is not a number above 0.`);
    return [`diameter_${this.#um ? "um" : "px"}=${Number(text)}`];
  }

  async #measure() {
    const px = await measureLine(this.#app, "Draw a line across one cell.");
    const image = this.#app.viewer.image;
    if (px === null || !image) return;
    const um = this.#um ? (pixelSizeOf(image) ?? 1) : 1;
    this.#diameter.value = String(Number((px * um).toPrecision(3)));
    this.#change();
  }
}

/** @param {any[]} models */
function automatic(models) {
  const active = models.find((model) => model.active);
  return active ? `Automatic: ${active.name}, the active one` : "Automatic: Cellmetry's own";
}

/** @param {{id: string, name: string, active: boolean}} model */
function modelName({ id, name, active }) {
  const shown = !id && name === "base" ? "Cellmetry's own" : name;
  return active ? `${shown} (active)` : shown;
}
