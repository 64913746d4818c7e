/** A choice among some of a study's tables: of all images, of a part of them. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { labelled } from "../controls/labelled.js";
import { counted } from "../app/said.js";

/** @typedef {import("./source.js").TableView} TableView */

/** The table that a job has just made, else the one that the address names, else the newest. Tells `change`. */
export class TableChoice extends Emitter {
  /** The table to show. @type {TableView|undefined} */
  current;
  #app;
  #tables;
  #isOne;
  #select = h("select", { onchange: () => this.#choose() });
  /** Ids of all tables that were there. */
  #known = new Set();

  /**
   * @param {import("../app/app.js").App} app @param {string} title
   * @param {import("./tables.js").TablesList} tables @param {(table: TableView) => boolean} isOne
   */
  constructor(app, title, tables, isOne) {
    super();
    this.#app = app;
    this.#tables = tables;
    this.#isOne = isOne;
    /** Hidden while there is no choice. */
    this.element = labelled(title, this.#select, { hidden: true });
  }

  /** The list of tables was read again. */
  follow() {
    const { place } = this.#app;
    const all = this.#tables.all.filter(this.#isOne);
    const fresh = this.#known.size ? all.find((table) => !this.#known.has(table.id)) : undefined;
    if (fresh) place.note({ table: null });
    this.#known = new Set(this.#tables.all.map((table) => table.id));
    this.current = fresh ?? all.find((each) => each.id === place.get("table")) ?? all.at(-1);
    fill(
      this.#select,
      all.map((each) => h("option", { value: each.id }, `${each.name} (${counted(each.rows, "row")})`)),
    );
    this.#select.value = this.current?.id ?? "";
    this.element.hidden = all.length < 2;
    this.tell("change", this.current);
  }

  #choose() {
    this.#app.place.note({ table: this.#select.value });
    this.follow();
  }
}
