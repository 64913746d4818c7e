/** Channels in which a recipe looks: those of the images to choose from, and which of them is what a recipe calls "EdU". @module */
import { fill, h } from "../../kernel/dom.js";
import { labelled } from "../../controls/labelled.js";
import { channelNames } from "../images/details.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{value: string, text: string}} Choice A channel as a recipe and as a person calls it. */
/** @typedef {{address: string, names: string|string[]}} Use Where a recipe names channels, and which. */

const FIELDS = ["channel", "channels", "stain"];

/**
 * Return the channels of the image that is looked at, called by name where all images call theirs alike, else by number.
 * @param {App} app @returns {Choice[]}
 */
export function channelChoices(app) {
  const { images } = app.openStudy;
  const image = images.current;
  const names = image?.state === "ready" && !image.header.colour ? channelNames(image) : [];
  const [first, ...others] = images.ready.map((each) => channelNames(each).join("\n"));
  const alike = new Set(names).size === names.length && others.every((each) => each === first);
  return names.map((/** @type {string} */ text, /** @type {number} */ k) => ({
    value: alike ? text : String(k),
    text,
  }));
}

/**
 * Show channels to choose from; what was chosen stays if it is one of them, else `guess` is.
 * @param {HTMLSelectElement} select @param {Choice[]} choices @param {string} wanted @param {string} guess
 */
export function showChannels(select, choices, wanted, guess) {
  const known = [wanted, guess].map((name) => choiceOf(choices, name)).find(Boolean);
  fill(
    select,
    choices.map(({ value, text }) => h("option", { value }, text)),
  );
  select.value = known?.value ?? choices[0]?.value ?? "";
}

/** @param {Choice[]} choices @param {string} name As a recipe has it: case is ignored, a number counts from 0. */
function choiceOf(choices, name) {
  const same = choices.find(({ value, text }) => [value, text].some((each) => plain(each) === plain(name)));
  return name === "" ? undefined : (same ?? (/^\d+$/.test(name) ? choices[Number(name)] : undefined));
}

/** @param {string} name */
const plain = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

/** Names that a step of a recipe gives channels, by the fields that have them. @param {any} step */
export const namedChannels = (step) =>
  FIELDS.filter((field) => [step[field]].flat().some((name) => typeof name === "string"));

/** For each name that a recipe gives a channel: which channel of the images it is. */
export class NamedChannels {
  element = h("div.stack");
  #app;
  /** @type {Use[]} */
  #uses;
  /** @type {Map<string, {select: HTMLSelectElement, wanted: string}>} */
  #fields;

  /**
   * @param {App} app @param {{key: string, step: any}[]} steps @param {Map<string, any>} given Changes made before.
   * @param {() => void} change
   */
  constructor(app, steps, given, change) {
    this.#app = app;
    this.#uses = steps.flatMap(({ key, step }) =>
      namedChannels(step).map((field) => ({ address: `${key}.${field}`, names: step[field] })),
    );
    const names = [...new Set(this.#uses.flatMap((use) => use.names))];
    this.#fields = new Map(names.map((name) => [name, this.#field(name, given, change)]));
    fill(
      this.element,
      [...this.#fields].map(([name, { select }]) => labelled(`Channel of ${name}`, select)),
    );
    this.follow();
  }

  /** Why a recipe cannot look yet; empty: it can. */
  get problem() {
    const [many, there] = [this.#fields.size, channelChoices(this.#app).length];
    return there > 0 && there < many ? `This needs ${many} channels; the image that is seen has ${there}.` : "";
  }

  /** Names of the recipe with the channels that they are. @returns {[string, string][]} */
  get chosen() {
    return [...this.#fields].map(([name, { select }]) => [name, select.value]);
  }

  /** Changes of the recipe. @returns {string[]} */
  get set() {
    const channel = (/** @type {string} */ name) => this.#fields.get(name)?.select.value || name;
    return this.#uses
      .map(({ address, names }) => ({
        address,
        names,
        now: Array.isArray(names) ? names.map(channel) : channel(names),
      }))
      .filter(({ names, now }) => String(now) !== String(names))
      .map(({ address, now }) => `${address}=${JSON.stringify(now)}`);
  }

  /** Show the channels of the image that is looked at. */
  follow() {
    const choices = channelChoices(this.#app);
    this.element.hidden = !this.#fields.size || !choices.length;
    const free = new Set(choices.map(({ value }) => value));
    for (const [name, { wanted }] of this.#fields) free.delete(choiceOf(choices, wanted || name)?.value ?? "");
    for (const [name, field] of this.#fields) {
      const known = choiceOf(choices, field.wanted || name)?.value;
      const [spare = ""] = free;
      showChannels(field.select, choices, known ?? "", spare);
      free.delete(field.select.value);
      if (choices.length) field.wanted = field.select.value;
    }
  }

  /** @param {string} name @param {Map<string, any>} given @param {() => void} change */
  #field(name, given, change) {
    const use = this.#uses.find(({ address, names }) => given.has(address) && [names].flat().includes(name));
    const before = use && [given.get(use.address)].flat()[[use.names].flat().indexOf(name)];
    const field = { select: h("select"), wanted: String(before ?? "") };
    field.select.addEventListener("change", () => {
      field.wanted = field.select.value;
      change();
    });
    return field;
  }
}
