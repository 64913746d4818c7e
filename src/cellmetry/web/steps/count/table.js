/** The tables of counts that were kept in the study, below the viewer; a row leads to its image. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { TableChoice } from "../../table/choice.js";
import { Outdated } from "../../table/outdated.js";
import { TablePanel } from "../../table/panel.js";
import { TablesList, isOfCounts } from "../../table/tables.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/source.js").TableView} TableView */

/** The newest table, or the one that is chosen. */
export class CountTables {
  #app;
  #host;
  #tables;
  #choice;
  #outdated;
  /** @type {TablePanel|null} */
  #panel = null;
  #off;

  /** @param {App} app @param {HTMLElement} host Where the table is shown. */
  constructor(app, host) {
    this.#app = app;
    this.#host = host;
    this.#tables = new TablesList(app.openStudy);
    this.#choice = new TableChoice(app, "Table of counts", this.#tables, isOfCounts);
    this.#outdated = new Outdated(app, "Count again.");
    /** The choice among several tables, and what has changed since theirs was made. */
    this.element = h("div.stack", {}, this.#choice.element, this.#outdated.element);
    this.#off = this.#tables.on("change", () => this.#choice.follow());
    this.#choice.on("change", (table) => this.#follow(table));
    this.#tables.on("error", (error) => app.error(error));
    this.#tables.load().catch((error) => app.error(error));
  }

  close() {
    this.#off();
    this.#tables.close();
    this.#outdated.close();
    this.#panel?.close();
  }

  /** @param {TableView|undefined} table */
  #follow(table) {
    this.#outdated.of(table ? at`tables/${table.id}` : "");
    if (table?.id !== this.#panel?.data.id) this.#open(table);
  }

  /** @param {TableView|undefined} table */
  #open(table) {
    this.#panel?.close();
    this.#panel = table ? new TablePanel(this.#app, table) : null;
    fill(this.#host, this.#panel && h("div.count-table", {}, this.#panel.element));
    this.#panel?.on("row", ({ row }) => this.#lookAt(row));
  }

  /** Look at the image and the plane of a row. @param {import("../../table/source.js").Row} row */
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
