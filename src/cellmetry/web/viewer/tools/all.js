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
    name: "select", title: "Select", key: "v", make: null, options: [],
    hint: "Click cells to select them (Shift adds). Drag moves the picture.",
    picture: "M4 2l8.500 6-3.900.700 2.200 4.100-1.900 1-2.200-4.100L4 12.500z",
  },
  {
    name: "smart", title: "Smart click", key: "a", make: SmartClick, options: [],
    hint: "Click a cell that is missing: its outline is proposed. Click again or press Enter to take it.",
    picture: "M9 7l5 7M6 2v2.500M6 9v2.500M1.500 6.500H4M8 6.500h2.500M3 3.500l1.500 1.500M9 3.500L7.500 5M3 9.500L4.500 8",
  },
  {
    name: "brush", title: "Brush", key: "b", make: Brush, options: ["size", "over"],
    hint: "Begin in a cell to add to it, or on background to paint a new one.",
    picture: "M13.500 2.500L7 9M5 9.500c-2 0-1.500 3-3.500 3.500 2 1 5.500.500 5.500-2 0-1-1-1.500-2-1.500z",
  },
  {
    name: "erase", title: "Erase", key: "e", make: Erase, options: ["size", "only"],
    hint: "Paint over what does not belong to a cell.",
    picture: "M6 13.500l-4-4L9.500 2 14 6.500l-7 7zM5.500 6l4.500 4.500M5 13.500h9",
  },
  {
    name: "draw", title: "Draw", key: "d", make: Draw, options: ["over"],
    hint: "Draw round a cell and let go. Hold Shift to add to the cell in which you begin.",
    picture: "M3 6c1-4 8-5 10-1.500S12 13 8 13.500 1.500 11 3 6z",
  },
  {
    name: "fill", title: "Fill", key: "f", make: Fill, options: [],
    hint: "Click a cell to close its holes, or a gap that cells surround to make a cell of it.",
    picture: "M7 2l6 6-5.500 5.500L2 8zM7 2L5.500.500M2 8h11M14 10.500c1 1.500 1 2.500 0 2.500s-1-1 0-2.500z",
  },
  {
    name: "merge", title: "Merge", key: "m", make: Merge, options: [],
    hint: "Draw a line from one cell into others: they become one.",
    picture: "M6.500 12.500a4.500 4.500 0 110-9M9.500 3.500a4.500 4.500 0 110 9M5 8h6M6.500 6.500L5 8l1.500 1.500M9.500 6.500L11 8 9.500 9.500",
  },
  {
    name: "split", title: "Split", key: "s", make: Split, options: [],
    hint: "Draw a line right through a cell, from outside to outside.",
    picture: "M6 3.500a4.800 4.800 0 000 9M10 3.500a4.800 4.800 0 010 9M8 1.500v2M8 5.500v2M8 9.500v2M8 13v1.500",
  },
  {
    name: "watershed", title: "Split by shape", key: "w", make: Watershed, options: [],
    hint: "Click a cell: it is cut where it is narrow. Or Shift+click a point in each part, then press Enter.",
    picture: "M5 3.500C2.500 3.500 1.500 6 1.500 8s1 4.500 3.500 4.500S7 10 8 10s.500 2.500 3 2.500S14.500 10 14.500 8s-1-4.500-3.500-4.500S9 6 8 6s-.500-2.500-3-2.500zM8 2v2M8 12v2",
  },
  {
    name: "delete", title: "Delete", key: "x", make: Delete, options: ["partly"],
    hint: "Click a cell, or draw round several.",
    picture: "M3 4.500h10M6 4.500V2.500h4v2M4.500 4.500l.500 9h6l.500-9M7 7v4M9 7v4",
  },
  {
    name: "grow", title: "Grow", key: "g", make: Grow, options: ["pixels"],
    hint: "Click a cell to make it larger all round.",
    picture: "M8 11a3 3 0 100-6 3 3 0 000 6zM8 3.500v-2M8 14.500v-2M3.500 8h-2M14.500 8h-2M6.800 2.500L8 1.300l1.200 1.200M6.800 13.500L8 14.700l1.200-1.200",
  },
  {
    name: "shrink", title: "Shrink", key: "h", make: Shrink, options: ["pixels"],
    hint: "Click a cell to make it smaller all round.",
    picture: "M8 10a2 2 0 100-4 2 2 0 000 4zM8 1.500v3M8 14.500v-3M1.500 8h3M14.500 8h-3M6.800 3.300L8 4.500l1.200-1.200M6.800 12.700L8 11.500l1.200 1.200",
  },
];

/** @param {string} name @returns {Kind} */
export const toolNamed = (name) => TOOLS.find((each) => each.name === name) ?? TOOLS[0];

/** The icon of a tool. @param {Kind} kind @returns {SVGElement} */
export const iconOf = ({ picture }) =>
  h("svg:svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, h("svg:path", { d: picture }));
