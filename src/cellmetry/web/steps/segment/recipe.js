/** Which recipe finds the cells, and what is changed in it: forms of its steps. @module */
import { at, get } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { SchemaForm } from "../../controls/schema_form.js";
import { inWords, isSame } from "../../controls/schema.js";
import { NamedChannels, namedChannels } from "./channels.js";
import { MainFields } from "./main.js";
import { StackField, hasPlanes } from "./stack.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{recipe: string, set: string[]}} Wanted */

const HIDDEN = [
  "engine",
  "model",
  "channel",
  "diameter_um",
  "diameter_px",
  "stack",
  "options",
  "labels",
  "maps",
  "device",
];
const LINKING = ["link_iou", "link_gap"];
/** @type {Record<string, string>} */
const TITLES = {
  "cleanup.keep_border": "Keep cells at the border",
  "cleanup.min_area_px": "Smallest area",
  "cleanup.max_area_px": "Largest area",
  "cleanup.min_area_um2": "Smallest area",
  "cleanup.max_area_um2": "Largest area",
  tile_px: "Side of tiles",
  link_iou: "Least overlap of planes",
  link_gap: "Planes it may miss",
};

/** The recipe and its changes. Tells `change`. */
export class RecipeForm extends Emitter {
  element = h("div.stack");
  #app;
  #choice = h("select");
  #about = h("p.quiet-text");
  #stack;
  #main = h("div.stack");
  /** @type {NamedChannels|null} */
  #named = null;
  #doubt = h("div.segment-doubt", { role: "status" });
  #more = h("div.form");
  /** @type {any[]} */
  #recipes = [];
  /** @type {{engines: any[], models: any[]}} */
  #offers = { engines: [], models: [] };
  /** @type {{key: string, form: SchemaForm, base: Record<string, any>}[]} */
  #forms = [];
  /** @type {MainFields[]} */
  #fields = [];
  /** @type {Map<string, Promise<any>>} */
  #schemas = new Map();

  /** @param {App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.#stack = new StackField(app, () => this.tell("change", this));
    const label = labelled("What to find", this.#choice);
    fill(
      this.element,
      label,
      this.#about,
      this.#doubt,
      this.#main,
      this.#stack.element,
      h("details.fold-fields", {}, h("summary", {}, "More settings"), this.#more),
    );
    this.#choice.addEventListener("change", async () => {
      await this.#lay([]);
      this.tell("change", this);
    });
  }

  /** Read what may be chosen, and show what was wanted. @param {Wanted} wanted */
  async load(wanted) {
    const { openStudy: study } = this.#app;
    const [shipped, own, engines, models, made] = await Promise.all([
      get("recipes"),
      study.get("recipes"),
      get("engines"),
      get("models"),
      study.get("models"),
    ]);
    this.#recipes = [...shipped, ...own].filter(findsCells);
    this.#offers = {
      engines: engines.filter((/** @type {any} */ engine) => engine.name !== "labels"),
      models: [...made, ...models],
    };
    fill(
      this.#choice,
      this.#recipes.map((recipe, k) => h("option", { value: String(k) }, titleOf(recipe))),
    );
    this.#choice.value = String(
      Math.max(
        0,
        this.#recipes.findIndex((recipe) => nameOf(recipe) === wanted.recipe || recipe.name === wanted.recipe),
      ),
    );
    await this.#lay(wanted.set);
  }

  /** @returns {Wanted} @throws {Error} Where a field is wrong. */
  get wanted() {
    const set = this.#forms.flatMap(({ key, form, base }) => changes(key, form.all, base));
    const fields = this.#fields.flatMap((fields) => [...fields.set, ...this.#stack.setOf(fields.key)]);
    return { recipe: nameOf(this.#recipe), set: [...(this.#named?.set ?? []), ...fields, ...set] };
  }

  /** Whether there is something that can be applied. */
  get hasRecipe() {
    return this.#forms.length > 0 && !this.#named?.problem;
  }

  /** Names of the labels that the recipe makes. @returns {string[]} */
  get labels() {
    return this.#recipe.steps
      .filter((/** @type {any} */ step) => step.step === "segment")
      .map((/** @type {any} */ step) => step.labels);
  }

  /** Show that another image is looked at: its channels and pixel size. */
  follow() {
    for (const fields of this.#fields) fields.follow();
    this.#named?.follow();
    this.#stack.follow();
    this.#showDoubt();
  }

  /** Say that there are too few channels, or that two things are looked for in one. */
  #showDoubt() {
    const chosen = [...(this.#named?.chosen ?? []), ...this.#fields.flatMap((fields) => [fields.chosen ?? []])];
    const [name, channel] = chosen.find(([, each], k) => each && chosen.findIndex(([, one]) => one === each) < k) ?? [];
    const other = chosen.find(([, each]) => each === channel)?.[0];
    const same = name && `${other} and ${name} are looked for in the same channel.`;
    const text = this.#named?.problem || same;
    fill(this.#doubt, text && h("p.notice", {}, icon("warning"), h("span.grow", {}, text)));
  }

  /** @param {any} error @returns {boolean} Whether a field is named. */
  showError(error) {
    return this.#forms.some(({ form }) => form.showError(error));
  }

  get #recipe() {
    return this.#recipes[Number(this.#choice.value)] ?? this.#recipes[0];
  }

  /** @param {string[]} set */
  async #lay(set) {
    const recipe = this.#recipe;
    this.#about.textContent = recipe.description;
    const steps = withKeys(recipe.steps);
    const schemas = await Promise.all(steps.map(({ step }) => this.#schema(step.step)));
    if (recipe !== this.#recipe) return;
    const given = new Map(set.map(parsed));
    const segments = steps.filter(({ step }) => step.step === "segment");
    this.#fields = segments.map(
      ({ key, step }) =>
        new MainFields(this.#app, { key, step, given, several: segments.length > 1, ...this.#offers }, () =>
          this.#changed(),
        ),
    );
    this.#named = new NamedChannels(this.#app, steps, given, () => this.#changed());
    this.#stack.show(given.get(`${segments[0].key}.stack`), segments[0].step.stack);
    this.#forms = steps.map(({ key, step }, k) => this.#form(key, step, schemas[k], given));
    fill(
      this.#main,
      this.#named.element,
      this.#fields.map((fields) => fields.element),
    );
    this.#showDoubt();
    fill(
      this.#more,
      this.#forms.map(({ form }, k) => this.#folded(steps[k], form, steps.length > 1)),
    );
  }

  #changed() {
    this.#showDoubt();
    this.tell("change", this);
  }

  /** @param {string} key @param {any} step @param {any} schema @param {Map<string, any>} given */
  #form(key, step, schema, given) {
    const { step: kind, ...values } = step;
    const flat = !this.#app.openStudy.images.all.some(hasPlanes);
    const elsewhere = ["labels", "table", ...namedChannels(step)];
    const hidden = kind === "segment" ? [...HIDDEN, ...(flat ? LINKING : [])] : elsewhere;
    const form = new SchemaForm(schema, { values, hidden, titles: TITLES });
    const base = structuredClone(form.all);
    const changed = structuredClone(values);
    for (const [address, value] of given) {
      const way = address.slice(key.length + 1).split(".");
      if (address.startsWith(`${key}.`) && !hidden.includes(way[0])) put(changed, way, value);
    }
    form.set(changed);
    form.on("change", () => this.tell("change", this));
    return { key, form, base };
  }

  /** @param {{key: string, step: any}} step @param {SchemaForm} form @param {boolean} several */
  #folded({ key, step }, form, several) {
    const fields = this.#fields.find((each) => each.key === key);
    const content = [fields?.engine, form.element];
    if (!several) return content;
    const title = `${inWords(step.step)}${step.step === "segment" ? `: ${step.labels}` : ""}`;
    return h("details.fold-fields", { open: Boolean(fields) }, h("summary", {}, title), h("div.form", {}, content));
  }

  /** @param {string} name */
  #schema(name) {
    const known = this.#schemas.get(name) ?? get(at`steps/${name}`).then((said) => said.parameters);
    this.#schemas.set(name, known);
    return known;
  }
}

/** Whether it finds cells in what a server holds: it has no label files beside its images. @param {any} recipe */
function findsCells({ steps }) {
  const segments = steps.filter((/** @type {any} */ step) => step.step === "segment");
  return segments.length > 0 && segments.every((/** @type {any} */ step) => step.engine !== "labels");
}

/** @param {any} recipe */
const titleOf = ({ name }) => (name === "edu" ? "EdU" : inWords(name.replaceAll("-", " ")));

/** What a job calls a recipe. @param {any} recipe @returns {string} */
const nameOf = (recipe) => recipe.id || recipe.name;

/** Steps with the names by which a change addresses them. @param {any[]} steps @returns {{key: string, step: any}[]} */
function withKeys(steps) {
  return steps.map((step, k) => {
    const alike = steps.filter((each) => each.step === step.step);
    return { step, key: alike.length > 1 ? `${step.step}[${alike.indexOf(step) + 1}]` : step.step };
  });
}

/**
 * Return the changes that make one set of values of another, as after `--set`.
 * @param {string} address @param {any} now @param {any} before @returns {string[]}
 */
export function changes(address, now, before) {
  if (isSame(now, before)) return [];
  if (now && typeof now === "object" && !Array.isArray(now))
    return Object.keys(now).flatMap((name) => changes(`${address}.${name}`, now[name], before?.[name]));
  if (now === null) throw new Error(`${address} cannot be empty here.`);
  return [`${address}=${JSON.stringify(now)}`];
}

/** @param {string} change @returns {[string, any]} */
function parsed(change) {
  const [address, ...rest] = change.split("=");
  const text = rest.join("=");
  try {
    return [address, JSON.parse(text)];
  } catch {
    return [address, text];
  }
}

/** @param {any} values @param {string[]} way @param {any} value */
function put(values, [name, ...more], value) {
  if (more.length) put((values[name] ??= {}), more, value);
  else values[name] = value;
}
