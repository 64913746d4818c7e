/** Conditions that rows must meet, shown as chips; more are added in a small form. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { icon } from "../controls/icons.js";
import { popover } from "../controls/popover.js";
import { canBeAsked, capital, isFlag, literal, numberText, shortUnitOf, titleOf, unitOf } from "./words.js";

/** @typedef {import("./source.js").Column} Column */
/**
 * @typedef {object} Filter
 * @property {string} key Of those with the same key only the last counts.
 * @property {string} where
 * @property {string} text
 */

const WORDS = new Set(["and", "or", "not"]);

/** Tells `change` with itself. */
export class Filters extends Emitter {
  /** @type {Map<string, Filter>} */
  #all = new Map();
  #chips = h("div.chips");
  #columns;

  /** @param {Column[]} columns */
  constructor(columns) {
    super();
    this.#columns = columns.filter(canBeAsked);
    const add = popover({ label: "Add a filter", content: [icon("plus"), "Filter"], align: "left" }, (close) => ({
      element: this.#form(close),
    }));
    this.element = h("div.filters", {}, add.element, this.#chips);
  }

  get where() {
    return [...this.#all.values()].map((filter) => filter.where);
  }

  get size() {
    return this.#all.size;
  }

  /** All of them, to be kept and given to `setAll` again. @returns {Filter[]} */
  get all() {
    return [...this.#all.values()];
  }

  /** @param {Filter[]} filters Those of columns that are not there are left out. */
  setAll(filters) {
    const names = new Set(this.#columns.map((column) => column.name));
    const known = filters.filter(({ where }) =>
      (where.replace(/"[^"]*"|'[^']*'/g, "").match(/[\p{L}_][\p{L}\p{N}_]*/gu) ?? []).every(
        (word) => names.has(word) || WORDS.has(word),
      ),
    );
    this.#all = new Map(known.map((filter) => [filter.key, filter]));
    this.#show();
    this.tell("change", this);
  }

  /** @param {string} key @returns {Filter|undefined} */
  get(key) {
    return this.#all.get(key);
  }

  /** Set or (null) take away the filter of a key. @param {string} key @param {{where: string, text: string}|null} filter */
  set(key, filter) {
    if (this.#all.get(key)?.where === filter?.where) return;
    if (filter) this.#all.set(key, { key, ...filter });
    else this.#all.delete(key);
    this.#show();
    this.tell("change", this);
  }

  /** Cells whose value lies between two ends. @param {Column} column @param {number|null} low @param {number|null} high */
  setRange(column, low, high) {
    this.set(`range ${column.name}`, rangeOf(column, low, high));
  }

  #show() {
    fill(
      this.#chips,
      [...this.#all.values()].map((filter) =>
        h(
          "span.chip.filter",
          { title: filter.where },
          h("span.cut", {}, filter.text),
          h(
            "button.quiet.square",
            { type: "button", "aria-label": `Take away: ${filter.text}`, onclick: () => this.set(filter.key, null) },
            icon("close"),
          ),
        ),
      ),
    );
  }

  /** @param {() => void} close */
  #form(close) {
    const column = h(
      "select",
      { "aria-label": "Column" },
      this.#columns.map((each, k) =>
        h("option", { value: k }, capital(titleOf(each)) + (unitOf(each) ? ` (${unitOf(each)})` : "")),
      ),
    );
    const how = h("select", { "aria-label": "Relation" });
    const value = h("input", { type: "text", "aria-label": "Value", autocomplete: "off" });
    const wrong = h("p.field-wrong", { role: "alert", hidden: true });
    const chosen = () => this.#columns[Number(column.value)];
    const lay = () => {
      fill(
        how,
        relationsOf(chosen()).map(([sign, text]) => h("option", { value: sign }, text)),
      );
      value.hidden = isFlag(chosen());
    };
    column.addEventListener("change", lay);
    lay();
    const form = h(
      "form.stack",
      {},
      h("label.field", {}, h("span.field-name", {}, "Column"), column),
      h("div.row", {}, how, value),
      wrong,
      h("div.row.end", {}, h("button.primary", { type: "submit" }, "Filter")),
    );
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const found = conditionOf(chosen(), how.value, value.value.trim());
      fill(wrong, found.wrong);
      wrong.hidden = !found.wrong;
      if (found.wrong) return;
      close();
      this.set(found.where, found);
    });
    return form;
  }
}

/** @param {Column} column @returns {[string, string][]} */
function relationsOf(column) {
  if (isFlag(column))
    return [
      ["not", "is not raised"],
      ["is", "is raised"],
    ];
  if (column.unit === "")
    return [
      ["==", "is"],
      ["!=", "is not"],
    ];
  return [
    [">", "is above"],
    [">=", "is at least"],
    ["<", "is below"],
    ["<=", "is at most"],
    ["==", "is"],
  ];
}

/** @param {Column} column @param {string} sign @param {string} text */
function conditionOf(column, sign, text) {
  const name = capital(titleOf(column));
  if (isFlag(column))
    return {
      where: sign === "is" ? column.name : `not ${column.name}`,
      text: `${sign === "is" ? "" : "No "}${titleOf(column)}`,
      wrong: "",
    };
  if (!text && column.name !== "region") return { where: "", text: "", wrong: "Say a value." };
  if (column.unit === "")
    return {
      where: `${column.name} ${sign} ${literal(text)}`,
      text: `${name} ${sign === "==" ? "is" : "is not"} ${text || "none"}`,
      wrong: "",
    };
  const number = Number(text.replace(",", "."));
  if (!Number.isFinite(number)) return { where: "", text: "", wrong: `${text} is not a number.` };
  return {
    where: `${column.name} ${sign} ${number}`,
    text: `${name} ${sign.replace(">=", "≥").replace("<=", "≤").replace("==", "=")} ${number} ${unitOf(column)}`.trim(),
    wrong: "",
  };
}

/** @param {Column} column @param {number|null} low @param {number|null} high */
function rangeOf(column, low, high) {
  const name = `${capital(titleOf(column))}`;
  const unit = shortUnitOf(column) ? ` ${shortUnitOf(column)}` : "";
  if (low !== null && high !== null)
    return {
      where: `${low} <= ${column.name} <= ${high}`,
      text: `${name} ${numberText(low, 3)} – ${numberText(high, 3)}${unit}`,
    };
  if (low !== null) return { where: `${column.name} >= ${low}`, text: `${name} ≥ ${numberText(low, 3)}${unit}` };
  return high === null ? null : { where: `${column.name} <= ${high}`, text: `${name} ≤ ${numberText(high, 3)}${unit}` };
}

/** Whether a value, as the address has it, is conditions. @param {any} value */
export const areConditions = (value) => Array.isArray(value) && value.every((each) => typeof each?.where === "string");
