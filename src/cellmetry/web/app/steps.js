/**
 * The steps of the work, in its order. Their modules are loaded when they are opened.
 *
 * A step that is not `ready` is not shown. Two steps never stand on neighbouring lines, so that branches merge.
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
/** @typedef {{name: string, title: string, ready: boolean, load: () => Promise<{default: Step}>}} Entry */

/** @type {Entry[]} */
export const STEPS = [
  {
    name: "images",
    title: "Images",
    ready: true,
    load: () => import("../steps/images.js"),
  },

  {
    name: "segment",
    title: "Segment",
    ready: true,
    load: () => import("../steps/segment.js"),
  },

  {
    name: "correct",
    title: "Correct",
    ready: true,
    load: () => import("../steps/correct.js"),
  },

  {
    name: "train",
    title: "Train",
    ready: false,
    load: () => import("../steps/train.js"),
  },

  {
    name: "count",
    title: "Count",
    ready: false,
    load: () => import("../steps/count.js"),
  },

  {
    name: "dual",
    title: "Dual",
    ready: false,
    load: () => import("../steps/dual.js"),
  },

  {
    name: "measure",
    title: "Measure",
    ready: true,
    load: () => import("../steps/measure.js"),
  },

  {
    name: "compare",
    title: "Compare",
    ready: true,
    load: () => import("../steps/compare.js"),
  },

  {
    name: "report",
    title: "Report",
    ready: true,
    load: () => import("../steps/report.js"),
  },
];

/** The steps that there are. @returns {Entry[]} */
export const readySteps = () => STEPS.filter((step) => step.ready);
