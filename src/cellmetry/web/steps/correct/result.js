/** For which result the queue ranks: the number of cells, their area, or what was measured. @module */
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";

/** @typedef {import("../../app/app.js").App} App */

const ALWAYS = [
  ["count", "Number of cells"],
  ["area_px", "Area of cells"],
];
const PLACES = new Set(["y", "x", "y0", "y1", "x0", "x1", "frame", "plane", "area_px"]);

/** Tells "change" when another one is chosen; the address keeps which. */
export class ResultChoice extends Emitter {
  #app;
  #select = h("select", { "aria-label": "Rank by effect on", onchange: () => this.#choose() });

  /** @param {App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.element = h("label.correct-result", {}, h("span.quiet-text", {}, "Rank by effect on"), this.#select);
    this.#show(ALWAYS);
    if (app.place.get("result")) void this.#read();
    else this.#select.addEventListener("pointerdown", () => this.#read(), { once: true });
    this.#select.addEventListener("focus", () => this.#read(), { once: true });
  }

  /** @returns {string} */
  get value() {
    return this.#select.value || "count";
  }

  #choose() {
    this.#app.place.note({ result: this.value === "count" ? null : this.value });
    this.tell("change", this.value);
  }

  /** Offer the columns of the newest table that has a row a cell of the labels that are looked at. */
  async #read() {
    try {
      const tables = await this.#app.openStudy.get("tables");
      const has = (/** @type {any} */ table, /** @type {string} */ name) =>
        table.columns.some((/** @type {any} */ column) => column.name === name);
      const table = tables.findLast(
        (/** @type {any} */ each) => has(each, "label") && !each.name.startsWith("review") && this.#isOfLabels(each),
      );
      this.#show([...ALWAYS, ...columnsOf(table)]);
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** Whether a table, and none of profiles, tells of the labels that are looked at. @param {any} table */
  #isOfLabels({ details }) {
    const { labels } = this.#app.openStudy;
    return (
      !details.of &&
      Object.entries(details.images ?? {}).some(
        ([image, said]) => said.labels && said.labels === labels.of(image, labels.name ?? "")?.id,
      )
    );
  }

  /** @param {string[][]} choices */
  #show(choices) {
    const now = this.#app.place.get("result") ?? "count";
    const known = choices.some(([value]) => value === now) ? choices : [...choices, [now, now]];
    fill(
      this.#select,
      known.map(([value, text]) => h("option", { value }, text)),
    );
    this.#select.value = now;
  }
}

/** Columns that are numbers with a unit, and no places. @param {any} table @returns {string[][]} */
function columnsOf(table) {
  const columns = table?.columns ?? [];
  return columns
    .filter((/** @type {any} */ { name, unit }) => unit && !PLACES.has(name))
    .map((/** @type {any} */ { name }) => [name, `Mean ${name}`]);
}
