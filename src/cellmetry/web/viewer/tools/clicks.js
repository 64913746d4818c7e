/**
 * Tools of one click: fill, split by shape, grow, shrink.
 * @module
 */
import { drawCross } from "./sketch.js";

/** A gap is at most as large as so many of the cells round it; what is larger is open background. */
const MOST_CELLS = 4;

/** @typedef {import("./bench.js").Bench} Bench */
/** @typedef {import("./bench.js").Point} Point */
/** @typedef {import("./bench.js").Wish} Wish */
/** @typedef {import("../viewer.js").Viewer} Viewer */

const CLICK_PX = 4;

/** What they have in common: a click is theirs, a drag moves the picture. */
export class ClickTool {
  cursor = "crosshair";
  /** @type {{x: number, y: number, far: boolean}|null} */
  #down = null;

  /** @param {Bench} bench */
  constructor(bench) {
    this.bench = bench;
  }

  /** @param {Point} _point @param {PointerEvent} event */
  down(_point, event) {
    this.#down = { x: event.clientX, y: event.clientY, far: false };
  }

  /** @param {Point} _point @param {PointerEvent} event @param {Viewer} viewer */
  move(_point, event, viewer) {
    const from = this.#down;
    if (!from) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    from.far ||= Math.hypot(dx, dy) > CLICK_PX;
    if (!from.far) return;
    viewer.moveBy(dx, dy);
    Object.assign(from, { x: event.clientX, y: event.clientY });
  }

  /** @param {Point} point @param {PointerEvent} event @param {Viewer} viewer */
  up(point, event, viewer) {
    const from = this.#down;
    this.#down = null;
    if (!from || from.far || event.type !== "pointerup") return;
    const wish = this.clicked(viewer.idAt(point.y, point.x) ?? 0, point, event);
    if (wish) this.bench.desk.edit({ base: this.bench.desk.base(), ...wish });
  }

  /** @param {number} _id @param {Point} _point @param {PointerEvent} _event @returns {Wish|null} */
  clicked(_id, _point, _event) {
    return null;
  }

  /** Say that a cell is to be clicked. @returns {null} */
  nothing() {
    this.bench.desk.hint("There is no cell here. Click one.");
    return null;
  }
}

/** Fills the holes of an object, or the background that objects surround. */
export class Fill extends ClickTool {
  name = "fill";

  /** @param {number} id @param {Point} point @returns {Wish} */
  clicked(id, { y, x }) {
    if (id) return { operation: "fill_holes", parameters: { ids: [id] } };
    return { operation: "fill", parameters: { point: [y, x], most_cells: MOST_CELLS }, makes: this.bench.desk.newId() };
  }
}

/** Cuts an object where it is narrow, or between points that are marked with Shift. */
export class Watershed extends ClickTool {
  name = "watershed";
  /** @type {number[][]} */
  #seeds = [];
  #id = 0;

  /** @param {number} id @param {Point} point @param {PointerEvent} event @returns {Wish|null} */
  clicked(id, { y, x }, event) {
    if (!id) return this.nothing();
    if (!event.shiftKey) return this.#cut(id, []);
    if (id !== this.#id) this.#seeds = [];
    this.#id = id;
    this.#seeds.push([y, x]);
    return null;
  }

  /** Cut between the points; whether there were any. */
  confirm() {
    if (this.#seeds.length < 2) return false;
    this.bench.desk.edit({ base: this.bench.desk.base(), ...this.#cut(this.#id, this.#seeds) });
    return true;
  }

  cancel() {
    const any = this.#seeds.length > 0;
    this.#seeds = [];
    this.bench.viewer.redraw();
    return any;
  }

  /** @param {CanvasRenderingContext2D} context @param {Viewer} viewer */
  draw(context, viewer) {
    for (const seed of this.#seeds) drawCross(context, viewer, seed);
  }

  /** @param {number} id @param {number[][]} seeds @returns {Wish} */
  #cut(id, seeds) {
    this.#seeds = [];
    return { operation: "watershed", parameters: { id, ...(seeds.length ? { seeds } : {}) } };
  }
}

/** Makes an object larger. */
export class Grow extends ClickTool {
  name = "grow";

  /** @param {number} id @returns {Wish|null} */
  clicked(id) {
    return id ? { operation: this.name, parameters: { ids: [id], pixels: this.bench.choices.pixels } } : this.nothing();
  }
}

/** Makes an object smaller. */
export class Shrink extends Grow {
  name = "shrink";
}
