/**
 * Brush and erase: round pens whose strokes are seen at once.
 * @module
 */
import { CUT, drawPen, INK } from "./sketch.js";

/** @typedef {import("./bench.js").Bench} Bench */
/** @typedef {import("./bench.js").Point} Point */
/** @typedef {import("../viewer.js").Viewer} Viewer */
/** @typedef {import("../strokes.js").Stroke} Stroke */
/** @typedef {{id: number, only: number|null, over: boolean, makes: number|null}} Way What a pen paints. */

const MOST_POINTS = 20_000;
const NEAR_PX = 0.25;

/** A stroke that is under way. */
class Line {
  /** @type {number[][]} */
  points = [];
  /** @type {Stroke[]} */
  strokes = [];
  /** @type {Map<string, number[]>} */
  tiles = new Map();

  /** @param {Way & {radius: number, base: number|null, labels: string|null}} how */
  constructor(how) {
    this.how = how;
  }

  /** Go on to a point, and show that. @param {Point} point @param {Viewer} viewer */
  add({ y, x }, viewer) {
    const last = this.points.at(-1);
    if (last && Math.hypot(last[0] - y, last[1] - x) < NEAR_PX) return;
    this.points.push([y, x]);
    const { id, radius, over, only } = this.how;
    const stroke = viewer.paint(last ? [last, [y, x]] : [[y, x]], radius, id, { over, only });
    this.strokes.push(stroke);
    for (const tile of stroke.tiles) this.tiles.set(tile.join(), tile);
  }

  get isFull() {
    return this.points.length >= MOST_POINTS;
  }

  get shown() {
    return { strokes: this.strokes, tiles: [...this.tiles.values()] };
  }
}

/** What both pens do. */
class Pen {
  cursor = "none";
  /** @type {Line|null} */
  #line = null;
  /** @type {Point|null} */
  #at = null;
  bench;
  colour = INK;

  /** @param {Bench} bench */
  constructor(bench) {
    this.bench = bench;
  }

  /** @param {Point} point @param {PointerEvent} _event @param {Viewer} viewer */
  down(point, _event, viewer) {
    const under = viewer.idAt(point.y, point.x);
    const { desk, radius } = this.bench;
    this.#line = new Line({ ...this.way(under), radius, base: desk.base(), labels: desk.labels });
    this.bench.setBusy(true);
    this.#line.add(point, viewer);
  }

  /** @param {Point} point @param {PointerEvent} event @param {Viewer} viewer */
  move(point, event, viewer) {
    this.#at = point;
    if (!this.#line) return;
    this.#line.add(point, viewer);
    if (this.#line.isFull) this.up(point, event);
  }

  /** @param {Point} _point @param {PointerEvent} event */
  up(_point, event) {
    const line = this.#line;
    if (!line) return;
    if (event.type !== "pointerup" && event.type !== "pointermove") return void this.cancel();
    this.#line = null;
    this.bench.setBusy(false);
    const { radius, makes, base } = line.how;
    this.bench.desk.edit({
      operation: this.operation,
      parameters: { points: line.points, radius, ...this.said(line.how) },
      makes,
      base,
      shown: line.shown,
    });
  }

  /** Leave the stroke; whether there was one. */
  cancel() {
    const line = this.#line;
    if (!line) return false;
    this.#line = null;
    this.bench.setBusy(false);
    this.bench.desk.forget(line.how.labels, line.shown);
    return true;
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (event.deltaY || event.deltaX) this.bench.resize((event.deltaY || event.deltaX) < 0 ? 1 : -1);
  }

  /** @param {CanvasRenderingContext2D} context @param {Viewer} viewer */
  draw(context, viewer) {
    if (this.#at) drawPen(context, viewer, this.#at, this.bench.radius, this.colour);
  }

  // what the kinds of pens say

  /** @type {string} */
  operation = "";

  /** @param {number|null} _under @returns {Way} */
  way(_under) {
    throw new Error("A pen says what it paints.");
  }

  /** @param {Way} _how @returns {Record<string, any>} */
  said(_how) {
    throw new Error("A pen says what it paints.");
  }
}

/** Adds to the object in which a stroke begins, or makes a new one. */
export class Brush extends Pen {
  name = "brush";
  operation = "brush";

  /** @param {number|null} under */
  way(under) {
    const makes = under ? null : this.bench.desk.newId();
    return { id: under || /** @type {number} */ (makes), only: null, over: this.bench.choices.over, makes };
  }

  /** @param {{id: number, over: boolean, makes: number|null}} how */
  said({ id, over, makes }) {
    return { ...(makes === null ? { id } : {}), over };
  }
}

/** Makes background. */
export class Erase extends Pen {
  name = "erase";
  operation = "erase";
  colour = CUT;

  /** @param {number|null} under */
  way(under) {
    return { id: 0, only: this.bench.choices.only && under ? under : null, over: false, makes: null };
  }

  /** @param {{only: number|null}} how */
  said({ only }) {
    return only === null ? {} : { id: only };
  }
}
