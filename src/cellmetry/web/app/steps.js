/**
 * The steps of the work, in its order. Their modules are loaded when they are opened.
 * @module
 */

/** @typedef {import("./app.js").App} App */
/** @typedef {{left: HTMLElement, centre: HTMLElement, right: HTMLElement}} Panes `right` is hidden while empty. */
/**
 * @typedef {object} Step What the module of a step exports.
 * @property {string} name
 * @property {string} title
 * @property {"viewer"|"own"} centre Whether it shows the shared viewer; `panes.centre` is then below that.
 * @property {number} [rightWidth] Width of the right pane until somebody makes it another.
 * @property {(app: App, panes: Panes) => {close(): void}|Promise<{close(): void}>} open
 */
/** @typedef {{name: string, title: string, about: string, load: () => Promise<{default: Step}>}} Entry */

/** @type {Entry[]} */
export const STEPS = [
  {
    name: "images",
    title: "Images",
    about: "Drop files or folders in. TIFF, OME-Zarr, CZI, ND2, LIF, OIR, PNG and more are read as they are.",
    load: () => import("../steps/images/step.js"),
  },
  {
    name: "segment",
    title: "Segment",
    about: "Cells and nuclei are found. Look at a preview first, then apply it to all images.",
    load: () => import("../steps/segment/step.js"),
  },
  {
    name: "correct",
    title: "Correct",
    about: "The doubtful cells come first: paint, split, merge, delete. Everything can be undone.",
    load: () => import("../steps/correct/step.js"),
  },
  {
    name: "train",
    title: "Train",
    about: "Your corrections teach the model. You see what got better before you use it.",
    load: () => import("../steps/train/step.js"),
  },
  {
    name: "measure",
    title: "Measure",
    about: "Size, shape and brightness of every cell, in a table whose rows lead to the cells.",
    load: () => import("../steps/measure/step.js"),
  },
  {
    name: "count",
    title: "Count",
    about: "How many cells there are, with an interval, also where they lie too close to be outlined.",
    load: () => import("../steps/count/step.js"),
  },
  {
    name: "dual",
    title: "Two channels",
    about: "Masks, membranes, rings, ratios and profiles from the rim of a cell to its middle.",
    load: () => import("../steps/dual/step.js"),
  },
  {
    name: "compare",
    title: "Compare",
    about: "Conditions are compared by independent replicates, never by counting cells as experiments.",
    load: () => import("../steps/compare/step.js"),
  },
  {
    name: "report",
    title: "Report",
    about: "Figures, tables and the methods, ready for the paper and its reviewers.",
    load: () => import("../steps/report/step.js"),
  },
];
