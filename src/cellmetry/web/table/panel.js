/** A table with what is around it: filters, columns, how many rows, downloads. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { chosenColumns, columnsButton, noteColumns, usualColumns } from "./columns.js";
import { downloadsMenu } from "./downloads.js";
import { areConditions, Filters } from "./filters.js";
import { TableSource } from "./source.js";
import { Table } from "./table.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("./source.js").TableView} TableView */
/** @typedef {import("./source.js").Column} Column */

const KEYS = ["image", "label", "t", "z", "frame"];
const PLACES = ["centroid_y_px", "centroid_x_px", "n_cells"];

/** Tells "row" {row, place}, "filter" with the conditions, "use" with a column, "error". */
export class TablePanel extends Emitter {
  #app;
  #count = h("span.number.quiet-text", { role: "status" });
  #offs;

  /** @param {App} app @param {TableView} table */
  constructor(app, table) {
    super();
    this.#app = app;
    this.data = table;
    const names = new Set(table.columns.map((column) => column.name));
    this.source = new TableSource(app.openStudy, table);
    this.source.also = [...KEYS, ...PLACES].filter((name) => names.has(name));
    this.source.ask({ columns: this.#columns(chosenColumns(app.openStudy.id, table)) });
    this.filters = new Filters(table.columns);
    this.table = new Table(
      this.source,
      `Table ${table.name}`,
      KEYS.filter((name) => names.has(name)),
    );
    this.element = h("section.table-panel", { "aria-label": `Table ${table.name}` }, this.#bar(), this.table.element);
    this.#offs = [
      this.source.on("rows", () => this.#showCount()),
      this.source.on("error", (error) => app.error(error)),
      this.filters.on("change", () => this.#filtered()),
      this.table.on("sort", (sort) => this.source.ask({ sort })),
      this.table.on("hide", (column) =>
        this.#choose(this.source.columns.map((each) => each.name).filter((name) => name !== column.name)),
      ),
      this.table.on("use", (column) => this.tell("use", column)),
      this.table.on("row", (said) => this.tell("row", said)),
    ];
    this.#showCount();
    this.#restore();
    if (names.has("image") && names.has("label")) this.source.warm({ image: "", label: 0 });
  }

  /** Filters are kept in the address. */
  #restore() {
    const kept = this.#app.place.read("where", areConditions);
    if (kept?.length) this.filters.setAll(kept);
  }

  close() {
    this.table.close();
    for (const off of this.#offs) off();
  }

  #bar() {
    const { data } = this;
    const columns = columnsButton({
      columns: data.columns,
      chosen: () => this.source.columns.map((each) => each.name),
      usual: () => usualColumns(data.columns),
      onchange: (names) => this.#choose(names),
    });
    return h(
      "div.table-bar",
      {},
      this.#count,
      h("div.grow", {}, this.filters.element),
      columns.element,
      downloadsMenu(this.#app, data),
    );
  }

  #showCount() {
    const { total, table } = this.source;
    const all = table.rows.toLocaleString("en");
    fill(this.#count, total === table.rows ? `${all} rows` : `${total.toLocaleString("en")} of ${all} rows`);
  }

  #filtered() {
    this.source.ask({ where: this.filters.where });
    this.#app.place.note({ where: this.filters.size ? JSON.stringify(this.filters.all) : null });
    this.tell("filter", this.filters.where);
  }

  /** @param {string[]} names */
  #choose(names) {
    if (!names.length) return;
    noteColumns(this.#app.openStudy.id, this.data.name, names);
    this.source.ask({ columns: this.#columns(names) });
  }

  /** @param {string[]} names @returns {Column[]} */
  #columns(names) {
    const known = new Map(this.data.columns.map((column) => [column.name, column]));
    return names.flatMap((name) => known.get(name) ?? []);
  }
}
