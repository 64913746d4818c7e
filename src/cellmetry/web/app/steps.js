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
/** @typedef {{name: string, title: string, load: () => Promise<{default: Step}>}} Entry */

/** @type {Entry[]} */
export const STEPS = [
  { name: "images", title: "Images", load: () => import("../steps/images.js") },
  { name: "segment", title: "Segment", load: () => import("../steps/segment.js") },
  { name: "correct", title: "Correct", load: () => import("../steps/correct.js") },
  { name: "measure", title: "Measure", load: () => import("../steps/measure.js") },
  { name: "dual", title: "Two channels", load: () => import("../steps/dual.js") },
  { name: "compare", title: "Compare", load: () => import("../steps/compare.js") },
  { name: "report", title: "Report", load: () => import("../steps/report.js") },
];
