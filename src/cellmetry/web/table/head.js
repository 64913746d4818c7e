/** Head of a table: names of columns with units and what they mean, order by a click, more in a menu. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { icon } from "../controls/icons.js";
import { menuButton } from "../controls/menu.js";
import { capital, isFlag, tipOf, titleOf, unitOf } from "./words.js";

/** @typedef {import("./source.js").Column} Column */
/** @typedef {import("./source.js").TableView} TableView */

const LEAST_NAME = 12;
const MOST_NAME = 24;
const NAME_ROOM = 22;

/** Tells "sort" with an order, "hide" and "use" with a column. */
export class TableHead extends Emitter {
  element = h("div.table-head", { role: "row", "aria-rowindex": "1" });
  height = 34;
  #source;

  /** @param {import("./source.js").TableSource} source */
  constructor(source) {
    super();
    this.#source = source;
  }

  /** Widths of the columns, as a grid has them. */
  get template() {
    const names = widthOfNames(this.#source.table);
    return this.#source.columns.map((column) => (column.name === "image" ? names : `${widthOf(column)}px`)).join(" ");
  }

  show() {
    fill(
      this.element,
      this.#source.columns.map((column) => this.#cell(column)),
    );
  }

  /** @param {Column} column */
  #cell(column) {
    const { direction, rank } = this.#order(column);
    const sorted = direction === 1 ? "ascending" : direction === -1 ? "descending" : "none";
    const mark =
      direction !== 0 &&
      h(
        "span.table-sorted",
        { "aria-hidden": "true" },
        direction === 1 ? "↑" : "↓",
        this.#source.sort.length > 1 && rank + 1,
      );
    const name = h(
      "button.table-title",
      {
        type: "button",
        title: `${tipOf(column)}\nClick: order by it. Shift-click: also by it.`,
        onclick: (/** @type {MouseEvent} */ event) => this.#turn(column, event.shiftKey),
      },
      h("span.cut", {}, capital(titleOf(column))),
      unitOf(column) && h("span.table-unit", {}, unitOf(column)),
      mark,
    );
    return h("div.table-heading", { role: "columnheader", "aria-sort": sorted }, name, this.#menu(column));
  }

  /** @param {Column} column */
  #menu(column) {
    const order = (/** @type {string} */ text) => this.tell("sort", [text]);
    return menuButton(
      { label: `More of ${titleOf(column)}`, content: icon("down"), class: "quiet square table-more" },
      () => [
        { text: "From small to large", run: () => order(column.name) },
        { text: "From large to small", run: () => order(`-${column.name}`) },
        { title: "" },
        {
          text: "Show and colour by it",
          icon: "eye",
          disabled: column.unit === "" && !isFlag(column),
          run: () => this.tell("use", column),
        },
        {
          text: "Hide this column",
          icon: "eye-off",
          disabled: this.#source.columns.length < 2,
          run: () => this.tell("hide", column),
        },
      ],
    );
  }

  /** @param {Column} column */
  #order(column) {
    const rank = this.#source.sort.findIndex((text) => text === column.name || text === `-${column.name}`);
    return { rank, direction: rank < 0 ? 0 : this.#source.sort[rank] === column.name ? 1 : -1 };
  }

  /** @param {Column} column @param {boolean} also */
  #turn(column, also) {
    const { direction } = this.#order(column);
    const others = also ? this.#source.sort.filter((text) => text.replace(/^-/, "") !== column.name) : [];
    const next = direction === 1 ? [`-${column.name}`] : direction === -1 ? [] : [column.name];
    this.tell("sort", [...others, ...next]);
  }
}

/** Names of images are whole up to 24 letters; longer ones are cut in their middles. @param {TableView} table */
function widthOfNames(table) {
  const images = Object.values(table.details.images ?? {});
  const longest = Math.max(LEAST_NAME, ...images.map(({ name }) => name.length));
  return `calc(${images.length ? Math.min(MOST_NAME, longest) : MOST_NAME}ch + ${NAME_ROOM}px)`;
}

/** @param {Column} column */
function widthOf(column) {
  if (column.name === "path") return 200;
  if (column.name === "label") return 76;
  const text = titleOf(column).length + (unitOf(column).length ? unitOf(column).length + 1 : 0);
  return Math.min(200, Math.max(84, 40 + text * 7.2));
}
