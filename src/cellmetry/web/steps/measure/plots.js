/** The plots beside the table: how a column is spread, its gate, and how many cells each condition has. @module */
import { fill, h } from "../../kernel/dom.js";
import { mainMeasure, measures } from "../../table/columns.js";
import {
  axisOf,
  canBeAsked,
  capital,
  isFlag,
  numberText,
  shortUnitOf,
  titleOf,
  unitOf,
  valueText,
} from "../../table/words.js";
import { Histogram, swatch } from "../../plot/histogram.js";
import { colourAt } from "../../viewer/palette.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/source.js").Column} Column */

const BINS = 48;
const FINE = 400;

/** The right pane of the step Measure. */
export class CellPlots {
  #app;
  #panel;
  #links;
  #column = h("select", { "aria-label": "Column that is shown" });
  #by = h("select", { "aria-label": "Groups" });
  #coloured = h("input", { type: "checkbox" });
  #legend = h("div.plot-scale", { hidden: true });
  #histogram = new Histogram();
  #counts = h("div");
  #flags = h("div");
  #cell = h("div");
  #columns;
  #turn = 0;
  #offs;

  /** @param {App} app @param {import("../../table/panel.js").TablePanel} panel @param {import("./cells.js").CellLinks} links */
  constructor(app, panel, links) {
    this.#app = app;
    this.#panel = panel;
    this.#links = links;
    this.#columns = measures(panel.data.columns).filter(canBeAsked);
    this.#fillSelects();
    this.element = h(
      "div.details.measure-plots",
      {},
      h(
        "section.stack",
        {},
        h("div.row", {}, h("h3.grow", {}, "Values"), h("label.check", {}, this.#coloured, "Colour cells")),
        this.#column,
        this.#histogram.element,
        this.#legend,
      ),
      h("section", {}, h("div.row.measure-by", {}, h("h3.grow", {}, "Cells"), this.#by), this.#counts, this.#flags),
      this.#cell,
    );
    this.#column.addEventListener("change", () => this.#use(this.#column.value));
    this.#by.addEventListener("change", () => this.#show());
    this.#coloured.addEventListener("change", () => this.#colour());
    this.#offs = [
      panel.on("filter", () => this.#show()),
      panel.on("use", (column) => this.#useAndColour(column)),
      links.on("cell", (row) => this.#showCell(row)),
      this.#histogram.on("gated", ({ low, high }) => this.#shown && panel.filters.setRange(this.#shown, low, high)),
    ];
    this.#use(app.place.get("column") ?? mainMeasure(panel.data.columns)?.name ?? "");
  }

  close() {
    this.#turn++;
    this.#histogram.close();
    for (const off of this.#offs) off();
  }

  #fillSelects() {
    const { columns } = this.#panel.data;
    fill(
      this.#column,
      this.#columns.map((column) => h("option", { value: column.name }, optionOf(column))),
    );
    const groups = columns.filter((column) => column.source === "study" && canBeAsked(column));
    fill(
      this.#by,
      h("option", { value: "" }, "All cells"),
      [...groups, ...columns.filter((column) => ["region", "image"].includes(column.name))].map((column) =>
        h("option", { value: column.name }, `By ${titleOf(column)}`),
      ),
    );
    this.#by.value = groups.find((column) => column.name === "condition")?.name ?? "";
    this.#by.hidden = this.#by.options.length < 2;
  }

  /** @returns {Column|undefined} */
  get #shown() {
    return this.#columns.find((column) => column.name === this.#column.value);
  }

  /** @param {string} name */
  #use(name) {
    this.#column.value = name;
    if (!this.#column.value && this.#columns.length) this.#column.value = this.#columns[0].name;
    this.#app.place.note({ column: this.#column.value || null });
    if (this.#shown) this.#links.describeBy(this.#shown);
    this.#show().then(() => this.#colour());
  }

  /** @param {Column} column */
  #useAndColour(column) {
    if (!this.#columns.includes(column))
      this.#columns.push(column) && this.#column.append(h("option", { value: column.name }, capital(titleOf(column))));
    this.#coloured.checked = true;
    this.#use(column.name);
  }

  /** Ask how the column is spread: over all cells, and over those that meet the filters. */
  async #show() {
    const column = this.#shown;
    if (!column) return;
    const turn = ++this.#turn;
    const { source, filters } = this.#panel;
    const by = this.#by.value ? { by: this.#by.value } : {};
    const others = filters.where.filter((where) => where !== filters.get(`range ${column.name}`)?.where);
    try {
      const all = await source.summary(column.name, { ...by, bins: BINS, where: others });
      const kept = filters.size ? await source.summary(column.name, { ...by, bins: BINS }) : null;
      if (turn !== this.#turn) return;
      this.#histogram.show({
        all: named(all, this.#by.value),
        kept: kept && named(kept, this.#by.value),
        name: axisOf(column),
        gate: this.#gate(column),
      });
      this.#showCounts(all, kept ?? all, column);
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {Column} column @returns {[number|null, number|null]} */
  #gate(column) {
    const where = this.#panel.filters.get(`range ${column.name}`)?.where ?? "";
    const both = /^(\S+) <= \S+ <= (\S+)$/.exec(where);
    if (both) return [Number(both[1]), Number(both[2])];
    const one = /^\S+ ([<>]=) (\S+)$/.exec(where);
    return one ? (one[1] === ">=" ? [Number(one[2]), null] : [null, Number(one[2])]) : [null, null];
  }

  /** @param {any} all @param {any} kept @param {Column} column */
  #showCounts(all, kept, column) {
    const filtered = this.#panel.filters.size > 0;
    const of = new Map(kept.groups.map((/** @type {any} */ group) => [group.value, group]));
    const rows = all.groups.map((/** @type {any} */ group, /** @type {number} */ k) => {
      const here = of.get(group.value) ?? { rows: 0, median: null };
      const name = nameOf(group, this.#by.value);
      const share = filtered && group.rows ? `${Math.round((100 * here.rows) / group.rows)} %` : "";
      return h(
        "tr",
        {},
        h(
          "th",
          { scope: "row" },
          h("span.cut.row", {}, all.groups.length > 1 && swatch(k), h("span.cut", { title: name }, name)),
        ),
        h("td.number", {}, here.rows.toLocaleString("en")),
        filtered && h("td.number", {}, share),
        h("td.number", {}, here.median === null ? "–" : numberText(here.median)),
      );
    });
    fill(
      this.#counts,
      h(
        "table.small-table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Group"),
            h("th", { scope: "col" }, "Cells"),
            filtered && h("th", { scope: "col" }, "Share"),
            h(
              "th",
              { scope: "col", title: `Median of ${axisOf(column)}` },
              "Median",
              shortUnitOf(column) && ` (${shortUnitOf(column)})`,
            ),
          ),
        ),
        h("tbody", {}, rows),
      ),
    );
    this.#showFlags();
  }

  /** One button leaves doubtful cells out. */
  #showFlags() {
    const { filters, data } = this.#panel;
    const any = data.columns.find((column) => column.name === "flag_any");
    if (!any) return;
    const on = Boolean(filters.get("flags"));
    const box = h("input", {
      type: "checkbox",
      checked: on,
      onchange: () => filters.set("flags", box.checked ? { where: "not flag_any", text: "Without flags" } : null),
    });
    const count = h("span.quiet-text");
    fill(
      this.#flags,
      h(
        "label.check.measure-flags",
        { title: any.definition },
        box,
        h("span", {}, "Leave out cells with a flag", count),
      ),
    );
    void this.#countFlagged(count);
  }

  /** Say how many cells have a flag: so many more or less are in the table and in comparisons. @param {HTMLElement} count */
  async #countFlagged(count) {
    const { data } = this.#panel;
    const found = await this.#app.openStudy
      .post(`tables/${data.id}/query`, { columns: ["image"], where: ["flag_any"], limit: 1 })
      .catch((error) => this.#app.error(error));
    if (found) fill(count, ` (${found.total.toLocaleString("en")} of ${data.rows.toLocaleString("en")})`);
  }

  async #colour() {
    const column = this.#shown;
    if (!column || !this.#coloured.checked) {
      this.#legend.hidden = true;
      return this.#links.colourBy(null);
    }
    const spread = await this.#panel.source
      .summary(column.name, { bins: FINE, where: [] })
      .catch((error) => this.#app.error(error));
    if (!spread || spread.low === null || column !== this.#shown || !this.#coloured.checked) return;
    const [low, high] = isFlag(column) ? [0, 1] : inner(spread);
    this.#legend.hidden = false;
    const bar = h("span.plot-scale-bar");
    bar.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((part) => colourAt("viridis", part)).join(", ")})`;
    fill(
      this.#legend,
      h("span.number", {}, numberText(low, 3)),
      bar,
      h("span.number", {}, numberText(high, 3)),
      h("span.quiet-text", {}, shortUnitOf(column)),
    );
    await this.#links.colourBy({ name: column.name, low, high });
  }

  /** What is known of the cell that was chosen. @param {any} row */
  #showCell(row) {
    if (!row) return void fill(this.#cell);
    const shown = this.#panel.source.columns.filter(
      (column) => column.name in row && column.name !== "label" && column.name !== "image",
    );
    fill(
      this.#cell,
      h(
        "section.measure-cell",
        {},
        h("h3", {}, `Cell ${row.label}`),
        h("p.quiet-text.cut", {}, row.image),
        h(
          "dl.facts",
          {},
          shown.map((column) => [
            h("dt.cut", { title: column.definition }, capital(titleOf(column))),
            h(
              "dd.number",
              { class: isFlag(column) && row[column.name] ? "table-flag" : "" },
              isFlag(column) ? (row[column.name] ? "yes" : "no") : valueText(row[column.name], column),
              typeof row[column.name] === "number" ? ` ${shortUnitOf(column)}` : "",
            ),
          ]),
        ),
      ),
    );
  }
}

/** Name of a group that people read. @param {{value: any}} group @param {string} by Column that parts them, if any. */
function nameOf({ value }, by) {
  if (value === null) return by ? "Not said" : "All";
  return value === "" ? "Outside of regions" : String(value);
}

/** @param {any} spread @param {string} by */
const named = (spread, by) => ({
  ...spread,
  groups: spread.groups.map((/** @type {any} */ group) => ({ ...group, value: nameOf(group, by) })),
});

/** @param {Column} column */
const optionOf = (column) => capital(titleOf(column)) + (shortUnitOf(column) ? ` (${shortUnitOf(column)})` : "");

/** The range that holds nearly all values, so that few outliers do not take all colours. @param {any} spread */
function inner({ low, high, groups }) {
  const { counts } = groups[0];
  const all = counts.reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0);
  const at = (/** @type {number} */ part) => {
    let sum = 0;
    const k = counts.findIndex((/** @type {number} */ count) => (sum += count) >= part * all);
    return low + ((k + (part > 0.5 ? 1 : 0)) / counts.length) * (high - low);
  };
  return [at(0.01), at(0.99)];
}
