/** What is most worth correcting, the most first; progress of reviewed fields, and when to stop. @module */
import { fill, h } from "../kernel/dom.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("./correct_desk.js").Desk} Desk */

/** placeholder */
export class CorrectionQueue {
  element = h("div");
  constructor(app, desk) {}
  close() {}
}
