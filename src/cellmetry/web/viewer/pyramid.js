/**
 * The tiles of an image or of labels: levels, boxes, addresses. A pixel of level L is 2^L pixels of the image.
 * @module
 */
import { get, request } from "../kernel/api.js";
import { decode } from "./values.js";

/** @typedef {import("./camera.js").Box} Box */
/** @typedef {import("./values.js").Values} Values */
/** @typedef {{shape: [number, number], tile: [number, number], tiles: [number, number]}} Level */
/** @typedef {{level: number, row: number, column: number}} Place  A tile of one plane. */

const FINE_TILE = 512;

/** The tiles that `GET …/tiles` describes. */
export class Pyramid {
  /** @param {string} path Of the tiles, below `/api/v1/`. @param {any} said */
  constructor(path, said) {
    this.path = path;
    /** @type {string} */
    this.dtype = said.dtype;
    /** @type {Level[]} */
    this.levels = said.levels;
    /** @type {{t: number, c: number, z: number}} */
    this.sizes = { t: said.t, c: said.c, z: said.z };
    /** Of labels: the newest that is known. @type {number|null} */
    this.version = said.version;
    /** Of labels: as long as it is the same, a version is the same pixels. @type {string|null} */
    this.epoch = said.epoch;
  }

  /** @param {string} path Of an image or of labels. @param {AbortSignal} [signal] */
  static async read(path, signal) {
    return new Pyramid(`${path}/tiles`, await get(`${path}/tiles`, undefined, signal));
  }

  get height() {
    return this.levels[0].shape[0];
  }

  get width() {
    return this.levels[0].shape[1];
  }

  get coarsest() {
    return this.levels.length - 1;
  }

  /**
   * How a level is cut. Level -1 is the finest with each pixel drawn as 2 × 2, and so on.
   * @param {number} level @returns {{tile: [number, number], tiles: [number, number], step: number}}
   */
  grid(level) {
    const step = 2 ** level;
    if (level >= 0) return { ...this.levels[level], step };
    const side = FINE_TILE * step;
    return { tile: [FINE_TILE, FINE_TILE], tiles: [Math.ceil(this.height / side), Math.ceil(this.width / side)], step };
  }

  /** The tile of another level in which one lies, or in which it begins. @param {Place} place @param {number} level */
  placeAt(place, level) {
    const { y0, x0 } = this.boxOf(place);
    const { tile, step } = this.grid(level);
    return { level, row: Math.floor(y0 / (tile[0] * step)), column: Math.floor(x0 / (tile[1] * step)) };
  }

  /**
   * The box of a tile in pixels of the image. @param {Place} place @returns {Box}
   */
  boxOf({ level, row, column }) {
    const {
      tile: [height, width],
      step,
    } = this.grid(level);
    return {
      y0: row * height * step,
      y1: Math.min((row + 1) * height * step, this.height),
      x0: column * width * step,
      x1: Math.min((column + 1) * width * step, this.width),
    };
  }

  /**
   * The tiles of a level that a box meets, those nearest to its centre first.
   * @param {number} level @param {Box} box @param {number} [ring] Further tiles on each side.
   * @returns {Place[]}
   */
  tilesIn(level, box, ring = 0) {
    const { tile, tiles, step } = this.grid(level);
    const found = [];
    if (box.y1 <= box.y0 || box.x1 <= box.x0) return [];
    const first = (/** @type {number} */ at, /** @type {number} */ side) => Math.max(Math.floor(at / side) - ring, 0);
    const last = (/** @type {number} */ at, /** @type {number} */ side, /** @type {number} */ count) =>
      Math.min(Math.ceil(at / side) - 1 + ring, count - 1);
    const [height, width] = [tile[0] * step, tile[1] * step];
    for (let row = first(box.y0, height); row <= last(box.y1, height, tiles[0]); row++)
      for (let column = first(box.x0, width); column <= last(box.x1, width, tiles[1]); column++)
        found.push({ level, row, column });
    const [y, x] = [(box.y0 + box.y1) / 2 / height - 0.5, (box.x0 + box.x1) / 2 / width - 0.5];
    const far = (/** @type {Place} */ each) => Math.hypot(each.row - y, each.column - x);
    return found.sort((a, b) => far(a) - far(b));
  }

  /**
   * Read a tile, of labels that of the newest version; null if all of it is 0.
   * @param {number[]} indices Level, planes, row and column, as in its address.
   * @param {AbortSignal} [signal]
   * @returns {Promise<Values|null>}
   */
  async tile(indices, signal) {
    const { version, epoch } = this;
    const answer = await request("GET", `${this.path}/${indices.join("/")}`, { query: { version, epoch }, signal });
    return answer.status === 204 ? null : decode(await answer.arrayBuffer(), this.dtype);
  }
}
