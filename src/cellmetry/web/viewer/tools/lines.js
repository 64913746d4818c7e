/**
 * Tools that draw a line: draw a new object, merge and split along it, delete by click or lasso.
 * @module
 */
import { CUT, drawLine, INK } from "./sketch.js";

/** @typedef {import("./bench.js").Bench} Bench */
/** @typedef {import("./bench.js").Point} Point */
/** @typedef {import("./bench.js").Wish} Wish */
/** @typedef {import("../viewer.js").Viewer} Viewer */

const MOST_POINTS = 20_000;
const NEAR_SCREEN_PX = 1.5;
const CLICK_SCREEN_PX = 5;

/** What they have in common: a line that follows the pointer. */
class LineTool {
  cursor = "crosshair";
  /** @type {number[][]} */
  points = [];
  /** @type {number|null} */
  base = null;
  #drawing = false;
  #shift = false;
  /** @type {{colour?: string, closed?: boolean, fill?: number, dashed?: boolean}} */
  look = { colour: INK };

  /** @param {Bench} bench */
  constructor(bench) {
    this.bench = bench;
  }

  /** @param {Point} point @param {PointerEvent} event */
  down({ y, x }, event) {
    this.points = [[y, x]];
    this.base = this.bench.desk.base();
    this.#shift = event.shiftKey;
    this.#drawing = true;
    this.bench.setBusy(true);
  }

  /** @param {Point} point @param {PointerEvent} _event @param {Viewer} viewer */
  move({ y, x }, _event, viewer) {
    if (!this.#drawing || this.points.length >= MOST_POINTS) return;
    const [y0, x0] = /** @type {number[]} */ (this.points.at(-1));
    if (Math.hypot(y - y0, x - x0) * viewer.camera.zoom >= NEAR_SCREEN_PX) this.points.push([y, x]);
  }

  /** @param {Point} point @param {PointerEvent} event @param {Viewer} viewer */
  up(point, event, viewer) {
    if (!this.#drawing) return;
    if (event.type !== "pointerup") return void this.cancel();
    this.move(point, event, viewer);
    const { points } = this;
    this.cancel();
    const far = Math.max(...points.map(([y, x]) => Math.hypot(y - points[0][0], x - points[0][1])));
    const isClick = far * viewer.camera.zoom < CLICK_SCREEN_PX;
    const wish = isClick ? this.clicked(points[0], viewer) : this.drawn(points, viewer, this.#shift);
    if (wish) this.bench.desk.edit({ base: this.base, ...wish });
  }

  /** Leave the line; whether there was one. */
  cancel() {
    const was = this.#drawing;
    this.#drawing = false;
    this.points = [];
    this.bench.setBusy(false);
    this.bench.viewer.redraw();
    return was;
  }

  /** @param {CanvasRenderingContext2D} context @param {Viewer} viewer */
  draw(context, viewer) {
    if (this.#drawing) drawLine(context, viewer, this.points, this.look);
  }

  /** What a click asks for. @param {number[]} _point @param {Viewer} _viewer @returns {Wish|null} */
  clicked(_point, _viewer) {
    this.bench.desk.hint(this.missing);
    return null;
  }

  /**
   * What a line asks for.
   * @param {number[][]} _points @param {Viewer} _viewer @param {boolean} _shift @returns {Wish|null}
   */
  drawn(_points, _viewer, _shift) {
    return null;
  }

  /** What to say to a click that does nothing. */
  missing = "Press, draw, and let go.";
}

/** Makes an object of the inside of an outline; with Shift, adds it to the object in which it begins. */
export class Draw extends LineTool {
  name = "draw";
  look = { closed: true, fill: 0.25 };
  missing = "Press at the rim of a cell, draw round it, and let go.";

  /** @param {number[][]} points @param {Viewer} viewer @param {boolean} shift @returns {Wish|null} */
  drawn(points, viewer, shift) {
    if (points.length < 3) return this.clicked(points[0], viewer);
    const id = shift ? viewer.idAt(points[0][0], points[0][1]) : null;
    const makes = id ? null : this.bench.desk.newId();
    const parameters = { points, ...(id ? { id } : {}), over: this.bench.choices.over };
    return { operation: "draw", parameters, makes, shown: { outline: points } };
  }
}

/** Makes one object of all that a stroke goes over. */
export class Merge extends LineTool {
  name = "merge";
  missing = "Begin in one cell and draw a line into those that belong to it.";

  /** @param {number[][]} points @returns {Wish} */
  drawn(points) {
    return { operation: "merge_along", parameters: { points } };
  }
}

/** Cuts what a line goes through. */
export class Split extends LineTool {
  name = "split";
  look = { colour: CUT };
  missing = "Draw a line right through the cell, from outside to outside.";

  /** @param {number[][]} points @returns {Wish} */
  drawn(points) {
    return { operation: "split", parameters: { points } };
  }
}

/** Deletes what is clicked, or what a lasso holds. */
export class Delete extends LineTool {
  name = "delete";
  look = { colour: CUT, closed: true, fill: 0.2 };
  missing = "There is no cell here. Click one, or draw round several.";

  /** @param {number[]} point @param {Viewer} viewer @returns {Wish|null} */
  clicked([y, x], viewer) {
    const id = viewer.idAt(y, x);
    return id ? { operation: "delete", parameters: { ids: [id] } } : super.clicked([y, x], viewer);
  }

  /** @param {number[][]} points @param {Viewer} viewer @returns {Wish|null} */
  drawn(points, viewer) {
    if (points.length < 3) return this.clicked(points[0], viewer);
    return { operation: "delete_inside", parameters: { points, touching: this.bench.choices.partly } };
  }
}
