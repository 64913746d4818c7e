/**
 * Labels: objects as outlines and fill over the image, coloured by their ids or by a value.
 * @module
 */
import { MARGIN, paintChosen, paintObjects, survey } from "./label_paint.js";
import { IdColours, scaleOf, UNKNOWN } from "./palette.js";
import { common, isEmpty } from "./painted.js";
import { coverWithStroke, meets } from "./strokes.js";
import { inTile, TiledLayer } from "./tiled_layer.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Box} Box */
/** @typedef {import("./painted.js").Painted} Painted */
/** @typedef {import("./pyramid.js").Place} Place */
/** @typedef {import("./pyramid.js").Pyramid} Pyramid */
/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./tile_store.js").Tile} Tile */
/** @typedef {import("./tile_store.js").TileStore} TileStore */
/**
 * @typedef {object} LabelLook
 * @property {boolean} visible
 * @property {boolean} outline
 * @property {number} fill Opacity, 0 to 1.
 * @property {{kind: "id"}|{kind: "value", ids: ArrayLike<number>, values: ArrayLike<number>, low: number, high: number, palette: string}} colouring
 */

const FINEST = -4;
const FADE_PX = [3, 6];
const scratch = new Uint32Array(512 * 512);
const field = new Uint32Array((512 + 2 * MARGIN) ** 2);

export class LabelLayer extends TiledLayer {
  #store;
  #ids = new IdColours();
  /** @type {Map<number, number>|null} */
  #values = null;
  /** @type {LabelLook} */
  look;
  #ratio = 1;
  /** Diameter of a typical object in pixels of the image; null as long as nobody knows. @type {number|null} */
  diameter = null;
  hidden = new Set();
  selected = new Set();
  /** @type {Set<Stroke>} */
  strokes = new Set();

  /** @param {Pyramid} pyramid @param {{t: number, z: number}} plane @param {TileStore} store @param {LabelLook} look */
  constructor(pyramid, plane, store, look) {
    super(pyramid);
    this.#store = store;
    this.plane = plane;
    this.version = pyramid.version ?? 0;
    this.look = look;
    this.setLook(look);
  }

  /** Take over from the layer of another plane of the same labels. @param {LabelLayer} before */
  goOnFrom(before) {
    this.look = before.look;
    this.version = before.version;
    this.#ids = before.#ids;
    this.#values = before.#values;
    this.diameter = before.diameter;
    this.hidden = before.hidden;
    this.selected = before.selected;
  }

  /** @param {LabelLook} look */
  setLook(look) {
    this.look = look;
    this.#values = look.colouring.kind === "value" ? valueColours(look.colouring) : null;
    this.stamp++;
  }

  /** @param {Set<number>} hidden */
  setHidden(hidden) {
    if (hidden === this.hidden) return;
    this.hidden = hidden;
    this.stamp++;
  }

  /** Highlight these; only tiles that have one of them, or had, are painted again. @param {Set<number>} ids */
  select(ids) {
    const changed = [...ids].filter((id) => !this.selected.has(id));
    for (const id of this.selected) if (!ids.has(id)) changed.push(id);
    this.selected = ids;
    for (const key of this.#store.keys(this.#start)) {
      const tile = this.#store.peek(key);
      if (changed.some((id) => tile?.ids?.has(id))) this.#soil(placeOf(key, this.#start));
    }
  }

  /** @param {Camera} camera */
  levelFor(camera) {
    if (camera.ratio !== this.#ratio) this.stamp++;
    this.#ratio = camera.ratio;
    const level = Math.round(-Math.log2(camera.scale));
    return Math.min(Math.max(level, FINEST), this.pyramid.coarsest);
  }

  get #start() {
    return `${this.pyramid.path}/${this.plane.t}/${this.plane.z}/`;
  }

  /** The tile of the level that has the pixels of a place. @param {Place} place */
  #source(place) {
    return place.level >= 0 ? place : this.pyramid.placeAt(place, 0);
  }

  /** @param {Place} place */
  #key({ level, row, column }) {
    return `${this.#start}${level}/${row}/${column}`;
  }

  /** @param {Place} place */
  isReady(place) {
    return this.#store.has(this.#key(this.#source(place)));
  }

  /** Whether all that is seen is as it was read last. @param {Camera} camera */
  isFresh(camera) {
    const places = this.pyramid.tilesIn(Math.max(this.levelFor(camera), 0), camera.box());
    return places.every((place) => this.#store.isFresh(this.#key(place)));
  }

  /** @param {Place} place */
  wishesOf(place) {
    const { level, row, column } = place;
    const { t, z } = this.plane;
    const load = async (/** @type {AbortSignal} */ signal) => {
      const version = this.version;
      const values = await this.pyramid.tile([level, t, z, row, column], { version, signal });
      return this.#read(place, { values, version });
    };
    return [{ key: this.#key(place), load }];
  }

  /** Note what is in a tile that was read. @param {Place} place @param {Tile} tile @returns {Tile} */
  #read(place, tile) {
    for (const stroke of this.strokes) this.#cover(place, tile, stroke);
    const [, width] = this.pyramid.grid(place.level).tile;
    const found = tile.values ? survey(tile.values, width) : { ids: new Set(), near: new Map(), diameter: 0 };
    this.#ids.learn(found.near);
    this.#learnSize(found, 2 ** place.level);
    return { ...tile, ids: found.ids };
  }

  /** @param {{ids: Set<number>, diameter: number}} found @param {number} step */
  #learnSize({ ids, diameter }, step) {
    if (this.diameter !== null || ids.size < 5) return;
    this.diameter = diameter * step;
    this.stamp++;
  }

  /** A tile was read: it is painted again, and the rims of its neighbours. @param {string} key */
  arrived(key) {
    if (key.startsWith(this.#start)) this.#soil(placeOf(key, this.#start));
  }

  /** Paint again, when it is seen, what shows pixels of a box. @param {Place} place @param {Box} [box] */
  #soil(place, box = this.pyramid.boxOf(place)) {
    for (const name of this.painted.keys()) {
      const shown = placeOf(name, "");
      if (Math.max(shown.level, 0) !== place.level) continue;
      const { step } = this.pyramid.grid(shown.level);
      const wide = grown(box, MARGIN * step + 2 ** place.level);
      const tile = this.pyramid.boxOf(shown);
      const part = common(wide, tile);
      if (!isEmpty(part)) this.painted.soil(name, outer(inTile(part, tile, step)));
    }
  }

  /** @param {Painted} painted @param {Place} place @param {Box} part */
  paint(painted, place, part) {
    const source = this.#source(place);
    const tile = this.#store.get(this.#key(source));
    const box = { y0: Math.floor(part.y0), y1: Math.ceil(part.y1), x0: Math.floor(part.x0), x1: Math.ceil(part.x1) };
    painted.step = 1;
    const rows = box.y1 - box.y0;
    const columns = box.x1 - box.x0;
    if (!tile?.ids?.size) {
      painted.context.clearRect(box.x0, box.y0, columns, rows);
      return;
    }
    const window = this.#window(place, box);
    const ink = this.#inkAt(place.level);
    paintObjects(scratch, window, box, (id) => this.#colourOf(id), ink);
    if ([...this.selected].some((id) => tile.ids?.has(id))) paintChosen(scratch, window, box, this.selected, ink.thick);
    const pixels = new ImageData(new Uint8ClampedArray(scratch.buffer, 0, rows * columns * 4), columns, rows);
    painted.context.putImageData(pixels, box.x0, box.y0);
  }

  /** @param {number} id */
  #colourOf(id) {
    if (this.hidden.has(id)) return -1;
    return this.#values ? (this.#values.get(id) ?? UNKNOWN) : this.#ids.of(id);
  }

  /** Outlines fade where objects are so small that nothing else would be seen. @param {number} level */
  #inkAt(level) {
    const seen = this.diameter === null ? FADE_PX[1] : this.diameter / 2 ** level / this.#ratio;
    const part = Math.min(Math.max((seen - FADE_PX[0]) / (FADE_PX[1] - FADE_PX[0]), 0), 1);
    const outline = this.look.outline ? part : 0;
    return { fill: this.look.fill, outline, thick: Math.min(Math.round(1 + this.#ratio), MARGIN - 1) };
  }

  /**
   * The ids of rows of a tile and of the pixels round them; beyond what is known the nearest goes on.
   * @param {Place} place @param {{y0: number, y1: number}} rows
   */
  #window(place, { y0, y1 }) {
    const { tile, step } = this.pyramid.grid(place.level);
    const own = this.#source(place);
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
      const tile = this.#store.peek(this.#key({ level: own.level, row, column }));
      const start = (y - row * high) * wide - column * wide;
      if (!tile) for (let k = from; k < to; k++) field[at + k] = this.#nearest(own, y, columns[k]);
      else if (!tile.values) field.fill(0, at + from, at + to);
      else for (let k = from; k < to; k++) field[at + k] = tile.values[start + columns[k]];
    }
  }

  /** @param {Place} own @param {number} y @param {number} x */
  #nearest(own, y, x) {
    const [high, wide] = this.pyramid.grid(own.level).tile;
    const values = this.#store.peek(this.#key(own))?.values;
    return values ? values[clamp(y - own.row * high, high) * wide + clamp(x - own.column * wide, wide)] : 0;
  }

  /** The object at a point, of the finest tile that is there; null where none is. @param {number} y @param {number} x */
  idAt(y, x) {
    if (y < 0 || x < 0 || y >= this.pyramid.height || x >= this.pyramid.width) return null;
    for (let level = 0; level <= this.pyramid.coarsest; level++) {
      const { tile, step } = this.pyramid.grid(level);
      const [py, px] = [Math.floor(y / step), Math.floor(x / step)];
      const key = this.#key({ level, row: Math.floor(py / tile[0]), column: Math.floor(px / tile[1]) });
      const found = this.#store.peek(key);
      if (found) return found.values ? found.values[(py % tile[0]) * tile[1] + (px % tile[1])] : 0;
    }
    return null;
  }

  /** The object that is drawn at a point. @param {number} y @param {number} x */
  seenAt(y, x) {
    const id = this.look.visible ? this.idAt(y, x) : null;
    return id && this.hidden.has(id) ? 0 : id;
  }

  /** Show a stroke in the tiles that are there, until they are read again. @param {Stroke} stroke @returns {number[][]} Tiles. */
  cover(stroke) {
    const tiles = [];
    for (const key of this.#store.keys(this.#start)) {
      const place = placeOf(key, this.#start);
      const tile = this.#store.peek(key);
      if (!tile || !this.#cover(place, tile, stroke)) continue;
      if (stroke.id) tile.ids?.add(stroke.id);
      this.#soil(place, stroke.box);
      tiles.push([place.level, this.plane.t, this.plane.z, place.row, place.column]);
    }
    return tiles;
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
   * Read tiles again, the old ones being shown until then; all of them if none are named.
   * @param {number[][]|null} tiles Level, t, z, row, column. @param {number} version The newest.
   */
  refresh(tiles, version) {
    this.version = Math.max(version, this.version);
    if (!tiles) this.#store.spoilAll(`${this.pyramid.path}/`);
    else
      for (const [level, t, z, row, column] of tiles)
        this.#store.spoil(`${this.pyramid.path}/${t}/${z}/${level}/${row}/${column}`);
  }
}

/** @param {string} key @param {string} start @returns {Place} */
function placeOf(key, start) {
  const [level, row, column] = key.slice(start.length).split("/").map(Number);
  return { level, row, column };
}

/** @typedef {{column: number, from: number, to: number}} Run  Neighbours that lie in one column of tiles. */

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

/** @param {Box} box @param {number} by @returns {Box} */
const grown = (box, by) => ({ y0: box.y0 - by, y1: box.y1 + by, x0: box.x0 - by, x1: box.x1 + by });

/** @param {Box} box @returns {Box} */
const outer = (box) => ({
  y0: Math.floor(box.y0),
  y1: Math.ceil(box.y1),
  x0: Math.floor(box.x0),
  x1: Math.ceil(box.x1),
});

/** @param {any} colouring */
function valueColours({ ids, values, low, high, palette }) {
  const scale = scaleOf(palette);
  const factor = 255 / (high - low || 1);
  const found = new Map();
  for (let k = 0; k < ids.length; k++) {
    const value = values[k];
    if (value === null || !Number.isFinite(value)) continue;
    found.set(ids[k], scale[Math.round(Math.min(Math.max((value - low) * factor, 0), 255))] & 0xffffff);
  }
  return found;
}
