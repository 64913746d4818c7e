/**
 * Canvases of tiles that were painted, those used last, and which part of each is as it should be.
 * @module
 */

/** @typedef {import("./camera.js").Box} Box */
/**
 * @typedef {object} Painted
 * @property {HTMLCanvasElement} canvas
 * @property {CanvasRenderingContext2D} context
 * @property {number} stamp What it was painted by.
 * @property {number} step Of how many pixels along both axes one was painted.
 * @property {Box|null} done What is painted, in pixels of the tile.
 * @property {Box|null} dirty What of that is not as it should be.
 */

const MOST_SPARE = 48;
/** Canvases of layers that are no longer shown. @type {HTMLCanvasElement[]} */
const spare = [];

/** The canvases of one layer. */
export class PaintedTiles {
  /** @type {Map<string, Painted>} */
  #all = new Map();
  #most;

  /** @param {number} most Canvases. */
  constructor(most) {
    this.#most = most;
  }

  /** @param {string} key */
  peek(key) {
    return this.#all.get(key);
  }

  /** @param {string} key @param {number} height @param {number} width @returns {Painted} */
  of(key, height, width) {
    const found = this.#all.get(key) ?? this.#make(height, width);
    this.#all.delete(key);
    this.#all.set(key, found);
    return found;
  }

  /** Say that what a tile shows in a part is no longer so. @param {string} key @param {Box} part */
  soil(key, part) {
    const found = this.#all.get(key);
    if (found?.done) found.dirty = found.dirty ? around(found.dirty, part) : part;
  }

  keys() {
    return this.#all.keys();
  }

  /** Give all canvases to layers that come. */
  release() {
    for (const { canvas } of this.#all.values()) if (spare.length < MOST_SPARE) spare.push(canvas);
    this.#all.clear();
  }

  /** @param {number} height @param {number} width @returns {Painted} */
  #make(height, width) {
    const canvas = this.#spare(height, width) ?? document.createElement("canvas");
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.clearRect(0, 0, width, height);
    return { canvas, context, stamp: -1, step: 1, done: null, dirty: null };
  }

  /**
   * A canvas that is free, or that was not used for longest if there are many.
   * @param {number} height @param {number} width
   */
  #spare(height, width) {
    const free = spare.findIndex((canvas) => canvas.width === width && canvas.height === height);
    if (free >= 0) return spare.splice(free, 1)[0];
    if (this.#all.size < this.#most) return null;
    const [key, { canvas }] = /** @type {[string, Painted]} */ (this.#all.entries().next().value);
    this.#all.delete(key);
    return canvas;
  }
}

/** @param {Box} a @param {Box} b @returns {Box} */
export function around(a, b) {
  return { y0: Math.min(a.y0, b.y0), y1: Math.max(a.y1, b.y1), x0: Math.min(a.x0, b.x0), x1: Math.max(a.x1, b.x1) };
}

/** @param {Box} a @param {Box} b @returns {Box} It is empty where they do not meet. */
export function common(a, b) {
  return { y0: Math.max(a.y0, b.y0), y1: Math.min(a.y1, b.y1), x0: Math.max(a.x0, b.x0), x1: Math.min(a.x1, b.x1) };
}

/** @param {Box} box */
export const isEmpty = (box) => box.y1 <= box.y0 || box.x1 <= box.x0;

/** @param {Box} outer @param {Box} inner */
export const holds = (outer, inner) =>
  outer.y0 <= inner.y0 && outer.y1 >= inner.y1 && outer.x0 <= inner.x0 && outer.x1 >= inner.x1;
