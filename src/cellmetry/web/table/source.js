/** Rows of a table of a study, page by page, as they are asked for. @module */
import { at } from "../kernel/api.js";
import { Emitter } from "../kernel/emitter.js";

/** @typedef {import("../app/study.js").Study} Study */
/** @typedef {{name: string, unit: string, definition: string, source: string}} Column */
/** @typedef {{id: string, name: string, rows: number, columns: Column[], details: Record<string, any>, job_id: string|null}} TableView */
/** @typedef {Record<string, any>} Row */

const PAGE = 200;
const MOST_PAGES = 60;
const MANY = 5000;

/** Rows that meet conditions, in an order. Tells `change` when the question changed, `rows` when rows came, `error`. */
export class TableSource extends Emitter {
  /** Rows that meet the conditions; those of the whole table until that is known. */
  total;
  /** @type {string[]} */
  where = [];
  /** @type {string[]} Columns, `-area_um2` from large to small. */
  sort = [];
  /** @type {Column[]} Those that are shown. */
  columns;
  /** @type {string[]} What each row has beside them. */
  also = [];
  #study;
  /** @type {Map<number, Row[]|Promise<void>>} */
  #pages = new Map();
  #turn = 0;

  /** @param {Study} study @param {TableView} table */
  constructor(study, table) {
    super();
    this.#study = study;
    this.table = table;
    this.total = table.rows;
    this.columns = table.columns;
  }

  /** Ask another question. @param {{where?: string[], sort?: string[], columns?: Column[]}} asked */
  ask({ where = this.where, sort = this.sort, columns = this.columns }) {
    Object.assign(this, { where, sort, columns });
    this.#turn++;
    this.#pages.clear();
    this.tell("change", this);
  }

  /** The row at a place, undefined while it is not here; it is asked for then. @param {number} place @returns {Row|undefined} */
  row(place) {
    const number = Math.floor(place / PAGE);
    const page = this.#pages.get(number);
    if (Array.isArray(page)) return page[place % PAGE];
    if (!page && place < this.total) this.#load(number);
    return undefined;
  }

  /** The row at a place, once it is here. @param {number} place @returns {Promise<Row|undefined>} */
  async rowAt(place) {
    const number = Math.floor(place / PAGE);
    if (!this.#pages.has(number)) this.#load(number);
    await this.#pages.get(number);
    return this.row(place);
  }

  /** Where a row stands, null if it does not meet the conditions. @param {Record<string, any>} key @returns {Promise<number|null>} */
  async placeOf(key) {
    for (const [number, page] of this.#pages) {
      const found = Array.isArray(page)
        ? page.findIndex((row) => Object.entries(key).every(([name, value]) => row[name] === value))
        : -1;
      if (found >= 0) return number * PAGE + found;
    }
    const said = Object.fromEntries(Object.entries(key).filter(([, value]) => value !== null && value !== undefined));
    return (await this.#post("place", { key: said, where: this.where, sort: this.sort })).place;
  }

  /** Let the server have the columns at hand by which rows are found, so that the first click on a cell is fast too. @param {Record<string, any>} key */
  warm(key) {
    if (this.total > MANY)
      this.#post("place", { key, where: [], sort: [] }).catch((error) => this.tell("error", error));
  }

  /** Columns whole. @param {string[]} columns @param {{where?: string[], most?: number}} [more] @returns {Promise<{total: number, values: Record<string, any[]>}>} */
  values(columns, { where = this.where, most } = {}) {
    return this.#post("values", { columns, where, ...(most ? { most } : {}) });
  }

  /** How a column's values are spread. @param {string} column @param {Record<string, any>} [more] */
  summary(column, more = {}) {
    return this.#post("summary", { column, where: this.where, ...more });
  }

  /** @param {string} name @returns {Column|undefined} */
  column(name) {
    return this.table.columns.find((column) => column.name === name);
  }

  /** @param {string} path @param {any} body */
  #post(path, body) {
    return this.#study.post(at`tables/${this.table.id}/` + path, body);
  }

  /** @param {number} number */
  #load(number) {
    const [turn, { where, sort }] = [this.#turn, this];
    const columns = [...new Set([...this.columns.map((column) => column.name), ...this.also])];
    const body = { where, sort, columns, offset: number * PAGE, limit: PAGE };
    const loading = this.#post("query", body).then(
      (page) => void (turn === this.#turn && this.#take(number, page)),
      (error) => void (turn === this.#turn && this.#failed(number, error)),
    );
    this.#pages.set(number, loading);
  }

  /** @param {number} number @param {{total: number, rows: Row[]}} page */
  #take(number, { total, rows }) {
    this.#pages.delete(number);
    this.#pages.set(number, rows);
    if (this.#pages.size > MOST_PAGES) this.#pages.delete(/** @type {number} */ (this.#pages.keys().next().value));
    this.total = total;
    this.tell("rows", this);
  }

  /** @param {number} number @param {any} error */
  #failed(number, error) {
    this.#pages.set(number, []);
    this.total = 0;
    this.tell("rows", this);
    this.tell("error", error);
  }
}
