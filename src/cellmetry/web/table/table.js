/** A table of very many rows: only those in sight are in the page. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { cutName } from "../controls/cut_name.js";
import { TableHead } from "./head.js";
import { isFlag, valueText } from "./words.js";

/** @typedef {import("./source.js").Column} Column */
/** @typedef {import("./source.js").Row} Row */
/** @typedef {import("./source.js").TableSource} TableSource */

const ROW = 26;
const TALLEST = 20_000_000;
const OVER = 4;
let made = 0;

/** Tells "row" {row, place} when somebody goes to a row, and what its head tells: "sort", "hide", "use" a column. */
export class Table extends Emitter {
  #source;
  #head;
  #space = h("div.table-space", { role: "rowgroup" });
  #empty = h("p.table-empty.quiet-text", { hidden: true }, "No row meets the filters.");
  #id = `table-${++made}`;
  /** @type {HTMLElement[]} */
  #rows = [];
  /** @type {Record<string, any>|null} */
  #key = null;
  #place = -1;
  #turn = 0;
  #watch = new ResizeObserver(() => this.draw());
  #offs;

  /** @param {TableSource} source @param {string} label @param {string[]} keys Columns by which a row is known. */
  constructor(source, label, keys) {
    super();
    this.#source = source;
    this.keys = keys;
    this.#head = new TableHead(source);
    this.element = h(
      "div.table",
      { role: "grid", tabindex: 0, "aria-label": label, "aria-readonly": "true" },
      this.#head.element,
      this.#space,
      this.#empty,
    );
    this.element.addEventListener("scroll", () => this.draw());
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#onKey(event));
    this.#space.addEventListener("click", (/** @type {MouseEvent} */ event) => this.#click(event));
    this.#watch.observe(this.element);
    for (const name of ["sort", "hide", "use"]) this.#head.on(name, (said) => this.tell(name, said));
    this.#offs = [source.on("change", () => this.#renew()), source.on("rows", () => this.draw())];
    this.#renew();
  }

  close() {
    this.#watch.disconnect();
    for (const off of this.#offs) off();
  }

  /** The place of the row that is chosen, -1 if none is in sight of the filters. */
  get place() {
    return this.#place;
  }

  /**
   * Choose the row of a key and scroll to it; null chooses none.
   * @param {Record<string, any>|null} key
   * @returns {Promise<Row|null>} The row, null where it does not meet the filters.
   */
  async select(key) {
    const turn = ++this.#turn;
    this.#key = key;
    this.#place = -1;
    this.draw();
    if (!key) return null;
    const place = await this.#source.placeOf(key);
    if (turn !== this.#turn || place === null) return null;
    return this.#goTo(place, turn);
  }

  /** @param {number} place @param {number} turn */
  async #goTo(place, turn) {
    this.#place = place;
    this.#reveal(place);
    const row = await this.#source.rowAt(place);
    if (turn !== this.#turn || !row) return null;
    this.#key = this.keyOf(row);
    this.draw();
    return row;
  }

  /** @param {Row} row */
  keyOf(row) {
    return Object.fromEntries(this.keys.map((name) => [name, row[name]]));
  }

  /** Put the rows that are in sight into the page. */
  draw() {
    const { total } = this.#source;
    const { first, count } = this.#sight();
    this.#space.style.height = `${this.#height}px`;
    this.#empty.hidden = total > 0;
    this.element.setAttribute("aria-rowcount", String(total + 1));
    while (this.#rows.length < count)
      this.#space.append(this.#rows[this.#rows.push(h("div.table-row", { role: "row" })) - 1]);
    while (this.#rows.length > count) this.#rows.pop()?.remove();
    const top = this.element.scrollTop - ((this.element.scrollTop / this.#scale) % ROW) - (this.#from - first) * ROW;
    for (let k = 0; k < count; k++) this.#lay(this.#rows[(first + k) % count], first + k, top + k * ROW);
    this.#describe();
  }

  /** @param {HTMLElement} element @param {number} place @param {number} top */
  #lay(element, place, top) {
    const row = this.#source.row(place);
    element.style.transform = `translateY(${this.#scale === 1 ? place * ROW : top}px)`;
    const known = /** @type {any} */ (element);
    if (known.row !== row || known.columns !== this.#source.columns || known.place !== place) {
      fill(
        element,
        this.#source.columns.map((column) => cell(column, row)),
      );
      Object.assign(known, { row, columns: this.#source.columns, place });
      element.id = `${this.#id}-${place}`;
      element.setAttribute("aria-rowindex", String(place + 2));
      element.classList.toggle("table-odd", place % 2 === 1);
    }
    element.setAttribute("aria-selected", String(Boolean(row && this.#isChosen(row))));
  }

  /** @param {Row} row */
  #isChosen(row) {
    return this.#key !== null && Object.entries(this.#key).every(([name, value]) => row[name] === value);
  }

  #describe() {
    if (this.#place >= 0) this.element.setAttribute("aria-activedescendant", `${this.#id}-${this.#place}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  #renew() {
    this.#head.show();
    this.element.style.setProperty("--columns", this.#head.template);
    this.#place = -1;
    this.element.scrollTop = 0;
    this.draw();
  }

  /** Browsers draw no taller elements; rows then move faster than the scroll bar. */
  get #height() {
    return Math.min(TALLEST, this.#source.total * ROW);
  }

  get #inside() {
    return Math.max(ROW, this.element.clientHeight - this.#head.height);
  }

  /** Pixels of the scroll bar per pixel of rows. */
  get #scale() {
    const rows = this.#source.total * ROW;
    return rows <= TALLEST ? 1 : (TALLEST - this.#inside) / (rows - this.#inside);
  }

  get #from() {
    return Math.floor(this.element.scrollTop / this.#scale / ROW);
  }

  #sight() {
    const first = Math.max(0, this.#from - OVER);
    const last = Math.min(this.#source.total, this.#from + Math.ceil(this.#inside / ROW) + OVER);
    return { first, count: Math.max(0, last - first) };
  }

  /** @param {number} place */
  #reveal(place) {
    const at = place * ROW * this.#scale;
    const { scrollTop } = this.element;
    if (at < scrollTop) this.element.scrollTop = Math.max(0, at - this.#inside / 3);
    else if (at + ROW > scrollTop + this.#inside) this.element.scrollTop = at - this.#inside / 2;
    this.draw();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const element = /** @type {any} */ (/** @type {Element} */ (event.target).closest(".table-row"));
    if (element?.row) this.#choose(element.place);
  }

  /** @param {number} place */
  async #choose(place) {
    const row = await this.#goTo(place, ++this.#turn);
    if (row) this.tell("row", { row, place });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.target !== this.element) return;
    const page = Math.max(1, Math.floor(this.#inside / ROW) - 1);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || !this.#source.total) return;
    event.preventDefault();
    event.stopPropagation();
    const from = this.#place < 0 ? (by > 0 ? -1 : 0) : this.#place;
    this.#choose(Math.min(this.#source.total - 1, Math.max(0, from + by)));
  }
}

/** @param {Column} column @param {Row|undefined} row */
function cell(column, row) {
  if (!row) return h("span.table-cell.table-waits", { role: "gridcell" });
  const value = row[column.name];
  const number = typeof value === "number";
  if (isFlag(column) && value === true)
    return h("span.table-cell.table-flag", { role: "gridcell", title: column.definition }, "yes");
  return h(
    "span.table-cell",
    {
      role: "gridcell",
      class: number ? "number table-number" : "",
      title: typeof value === "string" && value.length > 14 ? value : null,
    },
    column.name === "image" && typeof value === "string" ? cutName(value) : valueText(value, column),
  );
}
