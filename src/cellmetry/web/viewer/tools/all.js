/**
 * All tools: names, keys, and what to do with each.
 * @module
 */
import { h } from "../../kernel/dom.js";
import { Fill, Grow, Shrink, Watershed } from "./clicks.js";
import { Delete, Draw, Merge, Split } from "./lines.js";
import { Brush, Erase } from "./pens.js";
import { SmartClick } from "./smart.js";

/** @typedef {import("./bench.js").Bench} Bench */
/** @typedef {"size"|"over"|"only"|"partly"|"pixels"} Option */
/**
 * @typedef {object} Kind A tool as it stands in the palette.
 * @property {string} name
 * @property {string} title
 * @property {string} key
 * @property {string} hint What to do with it.
 * @property {Option[]} options
 * @property {string} picture Path of its icon, on a 16 × 16 grid.
 * @property {(new (bench: Bench) => any)|null} make
 */

/** @type {Kind[]} */
export const TOOLS = [
  {
    name: "select",
    title: "Select",
    key: "v",
    make: null,
    options: [],
    hint: "Click cells to select them (Shift adds). Drag moves the picture.",
    picture: "M4 2l8.5 6-3.9.7 2.2 4.1-1.9 1-2.2-4.1L4 12.5z",
  },
  {
    name: "smart",
    title: "Smart click",
    key: "a",
    make: SmartClick,
    options: [],
    hint: "Click a cell that is missing: its outline is proposed. Click again or press Enter to take it.",
    picture: "M9 7l5 7M6 2v2.5M6 9v2.5M1.5 6.5H4M8 6.5h2.5M3 3.5l1.5 1.5M9 3.5L7.5 5M3 9.5L4.5 8",
  },
  {
    name: "brush",
    title: "Brush",
    key: "b",
    make: Brush,
    options: ["size", "over"],
    hint: "Begin in a cell to add to it, or on background to paint a new one.",
    picture: "M13.5 2.5L7 9M5 9.5c-2 0-1.5 3-3.5 3.5 2 1 5.5.5 5.5-2 0-1-1-1.5-2-1.5z",
  },
  {
    name: "erase",
    title: "Erase",
    key: "e",
    make: Erase,
    options: ["size", "only"],
    hint: "Paint over what does not belong to a cell.",
    picture: "M6 13.5l-4-4L9.5 2 14 6.5l-7 7zM5.5 6l4.5 4.5M5 13.5h9",
  },
  {
    name: "draw",
    title: "Draw",
    key: "d",
    make: Draw,
    options: ["over"],
    hint: "Draw round a cell and let go. Hold Shift to add to the cell in which you begin.",
    picture: "M3 6c1-4 8-5 10-1.5S12 13 8 13.5 1.5 11 3 6z",
  },
  {
    name: "fill",
    title: "Fill",
    key: "f",
    make: Fill,
    options: [],
    hint: "Click a cell to close its holes, or a gap that cells surround to make a cell of it.",
    picture: "M7 2l6 6-5.5 5.5L2 8zM7 2L5.5.5M2 8h11M14 10.5c1 1.5 1 2.5 0 2.5s-1-1 0-2.5z",
  },
  {
    name: "merge",
    title: "Merge",
    key: "m",
    make: Merge,
    options: [],
    hint: "Draw a line from one cell into others: they become one.",
    picture: "M6.5 12.5a4.5 4.5 0 110-9M9.5 3.5a4.5 4.5 0 110 9M5 8h6M6.5 6.5L5 8l1.5 1.5M9.5 6.5L11 8 9.5 9.5",
  },
  {
    name: "split",
    title: "Split",
    key: "s",
    make: Split,
    options: [],
    hint: "Draw a line right through a cell, from outside to outside.",
    picture: "M6 3.5a4.8 4.8 0 000 9M10 3.5a4.8 4.8 0 010 9M8 1.5v2M8 5.5v2M8 9.5v2M8 13v1.5",
  },
  {
    name: "watershed",
    title: "Auto split",
    key: "w",
    make: Watershed,
    options: [],
    hint: "Click a cell: it is cut where it is narrow. Or Shift+click a point in each part, then press Enter.",
    picture:
      "M5 3.5C2.5 3.5 1.5 6 1.5 8s1 4.5 3.5 4.5S7 10 8 10s.5 2.5 3 2.5" +
      "S14.5 10 14.5 8s-1-4.5-3.5-4.5S9 6 8 6s-.5-2.5-3-2.5zM8 2v2M8 12v2",
  },
  {
    name: "delete",
    title: "Delete",
    key: "x",
    make: Delete,
    options: ["partly"],
    hint: "Click a cell, or draw round several.",
    picture: "M3 4.5h10M6 4.5V2.5h4v2M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4",
  },
  {
    name: "grow",
    title: "Grow",
    key: "g",
    make: Grow,
    options: ["pixels"],
    hint: "Click a cell to make it larger all round.",
    picture:
      "M8 11a3 3 0 100-6 3 3 0 000 6zM8 3.5v-2M8 14.5v-2M3.5 8h-2M14.5 8h-2M6.8 2.5L8 1.3l1.2 1.2" +
      "M6.8 13.5L8 14.7l1.2-1.2",
  },
  {
    name: "shrink",
    title: "Shrink",
    key: "h",
    make: Shrink,
    options: ["pixels"],
    hint: "Click a cell to make it smaller all round.",
    picture:
      "M8 10a2 2 0 100-4 2 2 0 000 4zM8 1.5v3M8 14.5v-3M1.5 8h3M14.5 8h-3M6.8 3.3L8 4.5l1.2-1.2" +
      "M6.8 12.7L8 11.5l1.2 1.2",
  },
];

/** @param {string} name @returns {Kind} */
export const toolNamed = (name) => TOOLS.find((each) => each.name === name) ?? TOOLS[0];

/** The icon of a tool. @param {Kind} kind @returns {SVGElement} */
export const iconOf = ({ picture }) =>
  h("svg:svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, h("svg:path", { d: picture }));
