/** Grids of very many things, of which only those in sight are in the page; chosen with mouse and keyboard. @module */
import { h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";

/**
 * @template T
 * @typedef {object} GridSaid
 * @property {string} label
 * @property {number} width Least width of a cell; cells share what is left.
 * @property {number} height
 * @property {number} [gap]
 * @property {number} [columns] As many as fit if left out.
 * @property {boolean} [table] Whether an item is a row whose children are cells, which may hold fields; else an option.
 * @property {(item: T) => string} key
 * @property {(item: T) => HTMLElement} render Makes the element of an item; again when the item is another object.
 * @property {(element: HTMLElement, item: T) => void} [renew] Shows another object of one key in the element that is
 *   there, whose fields keep the focus and what is typed in them.
 */

/**
 * Tells `select` with the keys that are chosen, `open` with an item that was opened (double click, Enter),
 * `remove` (Delete).
 * @template T
 */
export class VirtualGrid extends Emitter {
  /** @type {Set<string>} */
  selected = new Set();
  #host = h("div.grid", { tabindex: 0, "aria-multiselectable": "true" });
  #space = h("div.grid-space");
  /** @type {T[]} */
  #items = [];
  /** @type {Map<string, {item: T, element: HTMLElement}>} */
  #shown = new Map();
  #said;
  #at = 0;
  #anchor = 0;

  /** @param {GridSaid<T>} said */
  constructor(said) {
    super();
    this.#said = { gap: 12, ...said };
    this.#host.setAttribute("aria-label", said.label);
    this.#host.setAttribute("role", said.table ? "grid" : "listbox");
    this.#host.append(this.#space);
    this.#host.addEventListener("scroll", () => this.draw());
    this.#host.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(this.#host);
  }

  get element() {
    return this.#host;
  }

  /** @param {T[]} items */
  show(items) {
    this.#items = items;
    const keys = new Set(items.map(this.#said.key));
    const left = [...this.selected].filter((key) => keys.has(key));
    if (left.length !== this.selected.size) this.choose(left);
    this.draw();
  }

  /** @param {Iterable<string>} keys */
  choose(keys) {
    this.selected = new Set(keys);
    for (const [key, { element }] of this.#shown) element.setAttribute("aria-selected", String(this.selected.has(key)));
    this.tell("select", this.selected);
  }

  /** Put what is in sight into the page. */
  draw() {
    const { columns, width, row } = this.#measures();
    this.#space.style.height = `${Math.ceil(this.#items.length / columns) * row + this.#said.gap}px`;
    const top = Math.floor(this.#host.scrollTop / row) - 1;
    const rows = Math.ceil(this.#host.clientHeight / row) + 3;
    const wanted = new Map();
    for (let k = Math.max(0, top * columns); k < Math.min(this.#items.length, (top + rows) * columns); k++) {
      wanted.set(this.#said.key(this.#items[k]), k);
    }
    for (const [key, { element }] of this.#shown) if (!wanted.has(key)) this.#drop(key, element);
    for (const [key, k] of wanted) this.#place(key, k, columns, width, row);
  }

  /** @param {string} key @param {HTMLElement} element */
  #drop(key, element) {
    element.remove();
    this.#shown.delete(key);
  }

  /** @param {string} key @param {number} k @param {number} columns @param {number} width @param {number} row */
  #place(key, k, columns, width, row) {
    const { gap, height } = this.#said;
    const element = this.#elementOf(key, this.#items[k]);
    Object.assign(element.style, {
      width: `${width}px`,
      height: `${height}px`,
      left: `${gap + (k % columns) * (width + gap)}px`,
      top: `${gap + Math.floor(k / columns) * row}px`,
    });
    element.dataset.at = String(k);
    element.setAttribute(this.#said.table ? "aria-rowindex" : "aria-posinset", String(k + 1));
    if (!this.#said.table) element.setAttribute("aria-setsize", String(this.#items.length));
  }

  /** @param {string} key @param {T} item @returns {HTMLElement} */
  #elementOf(key, item) {
    const before = this.#shown.get(key);
    if (before?.item === item) return before.element;
    if (before && this.#said.renew) {
      this.#said.renew(before.element, item);
      before.item = item;
      return before.element;
    }
    const element = this.#said.render(item);
    element.classList.add("grid-cell");
    element.id = `cell-${key}`;
    element.setAttribute("role", this.#said.table ? "row" : "option");
    if (this.#said.table) for (const cell of element.children) cell.setAttribute("role", "gridcell");
    element.setAttribute("aria-selected", String(this.selected.has(key)));
    element.addEventListener("click", (event) => this.#click(Number(element.dataset.at), event));
    element.addEventListener("dblclick", () => this.tell("open", this.#items[Number(element.dataset.at)]));
    if (before) before.element.replaceWith(element);
    else this.#space.append(element);
    this.#shown.set(key, { item, element });
    return element;
  }

  /** @param {number} at @param {MouseEvent} event */
  #click(at, event) {
    const key = this.#said.key(this.#items[at]);
    this.#at = at;
    if (event.shiftKey) return this.#chooseTo(at);
    this.#anchor = at;
    if (!event.ctrlKey && !event.metaKey) return this.choose([key]);
    this.choose(this.selected.has(key) ? [...this.selected].filter((each) => each !== key) : [...this.selected, key]);
  }

  /** @param {number} at */
  #chooseTo(at) {
    const [from, to] = [Math.min(at, this.#anchor), Math.max(at, this.#anchor)];
    this.choose(this.#items.slice(from, to + 1).map(this.#said.key));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { columns } = this.#measures();
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -Infinity, End: Infinity }[
      event.key
    ];
    if (by !== undefined) this.#go(by, event.shiftKey);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.choose(this.#items.map(this.#said.key));
    else if (event.key === "Escape" && this.selected.size) this.choose([]);
    else if (event.key === "Enter" && this.#items[this.#at]) this.tell("open", this.#items[this.#at]);
    else if (event.key === "Delete" && this.selected.size) this.tell("remove", this.selected);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} by @param {boolean} extends_ */
  #go(by, extends_) {
    if (!this.#items.length) return;
    const start = this.selected.size ? this.#at + by : 0;
    this.#at = Math.min(this.#items.length - 1, Math.max(0, start));
    if (extends_) this.#chooseTo(this.#at);
    else {
      this.#anchor = this.#at;
      this.choose([this.#said.key(this.#items[this.#at])]);
    }
    this.#reveal(this.#at);
  }

  /** @param {number} at */
  #reveal(at) {
    const { columns, row } = this.#measures();
    const top = Math.floor(at / columns) * row;
    if (top < this.#host.scrollTop) this.#host.scrollTop = top;
    const bottom = top + row + this.#said.gap;
    const seen = this.#host.clientHeight;
    if (bottom > this.#host.scrollTop + seen) this.#host.scrollTop = bottom - seen;
    this.draw();
    this.#host.setAttribute("aria-activedescendant", `cell-${this.#said.key(this.#items[at])}`);
  }

  #measures() {
    const { width, height, gap } = this.#said;
    const room = Math.max(width, this.#host.clientWidth - gap);
    const columns = this.#said.columns ?? Math.max(1, Math.floor(room / (width + gap)));
    return { columns, width: Math.floor(room / columns) - gap, row: height + gap };
  }
}
