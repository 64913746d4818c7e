/** Whether replicates of one name in several conditions are pairs: asked, since it decides the test. @module */
import { Emitter } from "../../kernel/emitter.js";
import { fill, h } from "../../kernel/dom.js";
import { noteTaste, taste } from "../../app/tastes.js";
import { isUsed, textOf } from "./check.js";

/** @typedef {import("../../app/images.js").ImageView} ImageView */
/** @typedef {"paired"|"unpaired"} Pairing */

const SHOWN = 3;

/** Names of replicates that stand in several conditions. @param {ImageView[]} images */
function sharedReplicates(images) {
  /** @type {Map<string, Set<string>>} */
  const conditions = new Map();
  for (const image of designed(images)) {
    const name = textOf(image, "replicate");
    conditions.set(name, (conditions.get(name) ?? new Set()).add(textOf(image, "condition")));
  }
  return [...conditions].filter(([, of]) => of.size > 1).map(([name]) => name);
}

/** What the batches of shared replicates say; null where they do not say it. @param {ImageView[]} images @returns {Pairing|null} */
function pairingByBatches(images) {
  const names = sharedReplicates(images);
  const same = names.map((name) => {
    const its = designed(images).filter((image) => textOf(image, "replicate") === name);
    const batches = new Map(its.map((image) => [textOf(image, "condition"), textOf(image, "batch")]));
    if ([...batches.values()].includes("")) return null;
    return new Set(batches.values()).size === 1;
  });
  if (!names.length || same.includes(null)) return null;
  if (same.every(Boolean)) return "paired";
  return same.some(Boolean) ? null : "unpaired";
}

/** @param {ImageView[]} images */
const designed = (images) =>
  images.filter((image) => isUsed(image) && textOf(image, "condition") && textOf(image, "replicate"));

/** The question and its answer, kept by study. Tells `change`. */
export class Pairs extends Emitter {
  #app;
  /** @type {Pairing|null} */
  #said;
  #off;
  element = h("section.card.compare-pairs", { "aria-label": "Pairs of replicates" });

  /** @param {import("../../app/app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.#said = taste(this.#place, /** @type {Pairing|null} */ (null));
    this.#off = app.openStudy.images.on("change", () => this.#show());
    this.#show();
  }

  close() {
    this.#off();
  }

  get #place() {
    return `compare.pairs.${this.#app.openStudy.id}`;
  }

  get #images() {
    return this.#app.openStudy.images.ready;
  }

  /** Whether it has to be asked: a replicate stands in several conditions, of several names. */
  get matters() {
    return sharedReplicates(this.#images).length > 1;
  }

  /** What somebody said, else what the batches say; null while nobody knows. @returns {Pairing|null} */
  get answer() {
    return this.#said ?? pairingByBatches(this.#images);
  }

  /** @param {Pairing} answer */
  say(answer) {
    this.#said = answer;
    noteTaste(this.#place, answer);
    this.#show();
    this.tell("change", this);
  }

  /** Ask, where nobody has answered. */
  ask() {
    this.element.scrollIntoView({ block: "center" });
    this.element.querySelector("input")?.focus();
  }

  #show() {
    const names = sharedReplicates(this.#images);
    this.element.hidden = !this.matters;
    const listed = `${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", …" : ""}`;
    const batches = this.#said === null && this.answer !== null;
    fill(
      this.element,
      h("h3", {}, `Are replicates of one name (${listed}) in several conditions pairs?`),
      this.#choice("paired", "Pairs", "made side by side: of one day, animal or culture"),
      this.#choice("unpaired", "No pairs", "made apart; the names only count them within each condition"),
      h(
        "p.quiet-text",
        {},
        batches
          ? "As their batches say."
          : this.answer === null
            ? "Say it before you compare: it decides the test and its p-value."
            : "It decides the test and its p-value.",
      ),
    );
  }

  /** @param {Pairing} value @param {string} name @param {string} what */
  #choice(value, name, what) {
    return h(
      "label.check",
      {},
      h("input", {
        type: "radio",
        name: "compare-pairs",
        checked: this.answer === value,
        disabled: Boolean(this.#app.openStudy.readOnly),
        onchange: () => this.say(value),
      }),
      h("span", {}, h("strong", {}, name), h("span.quiet-text", {}, `: ${what}`)),
    );
  }
}
