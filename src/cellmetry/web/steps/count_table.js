/** The tables of counts that were kept in the study, below the viewer; a row leads to its image. @module */
import { fill, h } from "../kernel/dom.js";
import { counted } from "../app/said.js";
import { labelled } from "../controls/labelled.js";
import { TablePanel } from "../table/panel.js";
import { TablesList } from "../table/tables.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("../table/source.js").TableView} TableView */

/** The newest table, or the one that is chosen. */
export class CountTables {
  #app;
  #host;
  #tables;
  #which = h("select", { onchange: () => this.#choose() });
  /** The choice among several tables. */
  element = labelled("Table of counts", this.#which, { hidden: true });
  /** @type {TablePanel|null} */
  #panel = null;
  /** Names of tables that were there, by id. */
  #known = new Set();
  #off;

  /** @param {App} app @param {HTMLElement} host Where the table is shown. */
  constructor(app, host) {
    this.#app = app;
    this.#host = host;
    this.#tables = new TablesList(app.openStudy);
    this.#off = this.#tables.on("change", () => this.#show());
    this.#tables.on("error", (error) => app.error(error));
    this.#tables.load().catch((error) => app.error(error));
  }

  close() {
    this.#off();
    this.#tables.close();
    this.#panel?.close();
  }

  #choose() {
    this.#app.place.note({ table: this.#which.value });
    this.#show();
  }

  #show() {
    const all = this.#tables.ofCounts;
    const fresh = this.#known.size ? all.find((table) => !this.#known.has(table.id)) : undefined;
    if (fresh) this.#app.place.note({ table: null });
    this.#known = new Set(this.#tables.all.map((table) => table.id));
    const table = fresh ?? all.find((each) => each.id === this.#app.place.get("table")) ?? all.at(-1);
    fill(
      this.#which,
      all.map((each) => h("option", { value: each.id }, `${each.name} (${counted(each.rows, "row")})`)),
    );
    this.#which.value = table?.id ?? "";
    this.element.hidden = all.length < 2;
    if (table?.id !== this.#panel?.data.id) this.#open(table);
  }

  /** @param {TableView|undefined} table */
  #open(table) {
    this.#panel?.close();
    this.#panel = table ? new TablePanel(this.#app, table) : null;
    fill(this.#host, this.#panel && h("div.count-table", {}, this.#panel.element));
    this.#panel?.on("row", ({ row }) => this.#lookAt(row));
  }

  /** Look at the image and the plane of a row. @param {import("../table/source.js").Row} row */
  #lookAt({ image: name, t, z }) {
    const {
      look,
      openStudy: { images },
    } = this.#app;
    const told = Object.entries(this.#panel?.data.details.images ?? {}).find(([, said]) => said?.name === name);
    const image = images.find(told?.[0] ?? null) ?? images.all.find((each) => each.name === name);
    if (!image) return;
    images.select(image.id);
    if (t !== undefined || z !== undefined)
      look.go({ ...(t === undefined ? {} : { t }), ...(z === undefined ? {} : { z }) });
  }
}
