/**
 * The tiles of one plane of labels: which are there, what they hold, strokes that are not in them yet.
 * @module
 */
import { MARGIN } from "./label_paint.js";
import { coverWithStroke, meets } from "./strokes.js";

/** @typedef {import("./label_paint.js").Window} Window */
/** @typedef {import("./pyramid.js").Place} Place */
/** @typedef {import("./pyramid.js").Pyramid} Pyramid */
/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./tile_store.js").Tile} Tile */
/** @typedef {import("./tile_store.js").TileStore} TileStore */
/** @typedef {{column: number, from: number, to: number}} Run  Neighbours that lie in one column of tiles. */

const field = new Uint32Array((512 + 2 * MARGIN) ** 2);

export class LabelTiles {
  /** Strokes that are shown though the tiles do not have them. @type {Set<Stroke>} */
  strokes = new Set();
  #store;

  /** @param {Pyramid} pyramid @param {{t: number, z: number}} plane @param {TileStore} store */
  constructor(pyramid, plane, store) {
    this.pyramid = pyramid;
    this.plane = plane;
    this.#store = store;
    /** How keys of this plane begin. */
    this.start = `${pyramid.path}/${plane.t}/${plane.z}/`;
  }

  /** Tiles that are there. @returns {[Place, Tile][]} */
  get all() {
    return this.#store.keys(this.start).map((key) => [this.placeOf(key), /** @type {Tile} */ (this.#store.peek(key))]);
  }

  /** @param {Place} place */
  key({ level, row, column }) {
    return `${this.start}${level}/${row}/${column}`;
  }

  /** @param {string} key */
  placeOf(key) {
    return placeOf(key.slice(this.start.length));
  }

  /** The tile of the level that has the pixels of a place. @param {Place} place */
  source(place) {
    return place.level >= 0 ? place : this.pyramid.placeAt(place, 0);
  }

  /** @param {Place} place */
  of(place) {
    return this.#store.get(this.key(place));
  }

  /** @param {Place} place */
  has(place) {
    return this.#store.has(this.key(place));
  }

  /** Whether a tile is there as it was read last. @param {Place} place */
  isFresh(place) {
    return this.#store.isFresh(this.key(place));
  }

  /** @param {Place} place @param {AbortSignal} signal @returns {Promise<Tile>} */
  async load({ level, row, column }, signal) {
    const tile = { values: await this.pyramid.tile([level, this.plane.t, this.plane.z, row, column], signal) };
    for (const stroke of this.strokes) this.#cover({ level, row, column }, tile, stroke);
    return tile;
  }

  /** Put a stroke into the tiles that are there. @param {Stroke} stroke @returns {Place[]} Those that have it. */
  cover(stroke) {
    this.strokes.add(stroke);
    const covered = this.all.filter(([place, tile]) => this.#cover(place, tile, stroke));
    if (stroke.id) for (const [, tile] of covered) tile.ids?.add(stroke.id);
    return covered.map(([place]) => place);
  }

  /** @param {Place} place @param {Tile} tile @param {Stroke} stroke @returns {boolean} Whether it lies in the tile. */
  #cover(place, tile, stroke) {
    const box = this.pyramid.boxOf(place);
    if (!meets(box, stroke.box)) return false;
    const { tile: shape, step } = this.pyramid.grid(place.level);
    if (!tile.values) {
      if (!stroke.id) return true;
      tile.values = new Uint32Array(shape[0] * shape[1]);
    }
    coverWithStroke(tile.values, shape[1], box, step, stroke);
    return true;
  }

  /**
   * The ids of rows of a tile and of the pixels round them; beyond what is known the nearest goes on.
   * @param {Place} place @param {{y0: number, y1: number}} rows
   */
  window(place, { y0, y1 }) {
    const { tile, step } = this.pyramid.grid(place.level);
    const own = this.source(place);
    const { tile: side, step: coarse } = this.pyramid.grid(own.level);
    const fine = step / coarse;
    const width = tile[1] + 2 * MARGIN;
    const [height, wide] = this.pyramid.levels[own.level].shape;
    const left = place.column * tile[1] - MARGIN;
    const columns = Int32Array.from({ length: width }, (_, k) => clamp(Math.floor((left + k) * fine), wide));
    const runs = runsOf(columns, side[1]);
    let known = -1;
    for (let k = y0; k < y1 + 2 * MARGIN; k++) {
      const y = clamp(Math.floor((place.row * tile[0] - MARGIN + k) * fine), height);
      if (y === known) field.copyWithin(k * width, (k - 1) * width, k * width);
      else this.#row(k * width, y, columns, runs, own);
      known = y;
    }
    return { ids: field, width };
  }

  /** @param {number} at @param {number} y @param {Int32Array} columns @param {Run[]} runs @param {Place} own */
  #row(at, y, columns, runs, own) {
    const [high, wide] = this.pyramid.grid(own.level).tile;
    const row = Math.floor(y / high);
    for (const { column, from, to } of runs) {
      const tile = this.#store.peek(this.key({ level: own.level, row, column }));
      const start = (y - row * high) * wide - column * wide;
      if (!tile) for (let k = from; k < to; k++) field[at + k] = this.#nearest(own, y, columns[k]);
      else if (!tile.values) field.fill(0, at + from, at + to);
      else for (let k = from; k < to; k++) field[at + k] = tile.values[start + columns[k]];
    }
  }

  /** @param {Place} own @param {number} y @param {number} x */
  #nearest(own, y, x) {
    const [high, wide] = this.pyramid.grid(own.level).tile;
    const values = this.#store.peek(this.key(own))?.values;
    return values ? values[clamp(y - own.row * high, high) * wide + clamp(x - own.column * wide, wide)] : 0;
  }

  /**
   * The object at a point, of the finest tile that is as it was read last, else of any; null where none is there.
   * @param {number} y @param {number} x
   */
  idAt(y, x) {
    if (y < 0 || x < 0 || y >= this.pyramid.height || x >= this.pyramid.width) return null;
    let older = null;
    for (let level = 0; level <= this.pyramid.coarsest; level++) {
      const { tile, step } = this.pyramid.grid(level);
      const [py, px] = [Math.floor(y / step), Math.floor(x / step)];
      const key = this.key({ level, row: Math.floor(py / tile[0]), column: Math.floor(px / tile[1]) });
      const found = this.#store.peek(key);
      if (!found) continue;
      const id = found.values ? found.values[(py % tile[0]) * tile[1] + (px % tile[1])] : 0;
      if (this.#store.isFresh(key)) return id;
      older ??= id;
    }
    return older;
  }
}

/** @param {string} name Level, row and column. @returns {Place} */
export function placeOf(name) {
  const [level, row, column] = name.split("/").map(Number);
  return { level, row, column };
}

/** @param {Int32Array} columns @param {number} wide @returns {Run[]} */
function runsOf(columns, wide) {
  /** @type {Run[]} */
  const runs = [];
  columns.forEach((x, k) => {
    const column = Math.floor(x / wide);
    const last = runs.at(-1);
    if (last?.column === column) last.to = k + 1;
    else runs.push({ column, from: k, to: k + 1 });
  });
  return runs;
}

/** @param {number} at @param {number} size */
const clamp = (at, size) => (at < 0 ? 0 : at >= size ? size - 1 : at);
