/**
 * Labels: objects as outlines and fill over the image, coloured by their ids or by a value.
 * @module
 */
import { LabelTiles, placeOf } from "./label_tiles.js";
import { MARGIN, paintChosen, paintObjects, survey } from "./label_paint.js";
import { IdColours, scaleOf, UNKNOWN } from "./palette.js";
import { common, isEmpty } from "./painted.js";
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
 * @typedef {object} ValueColouring
 * @property {"value"} kind
 * @property {ArrayLike<number>} ids
 * @property {ArrayLike<number|null>} values
 * @property {number} low Has the first colour of the palette.
 * @property {number} high
 * @property {string} palette
 */
/**
 * @typedef {object} LabelLook
 * @property {boolean} visible
 * @property {boolean} outline
 * @property {number} fill Opacity, 0 to 1.
 * @property {{kind: "id"}|ValueColouring} colouring
 */

const FINEST = -4;
const FADE_PX = [3, 6];
const CASED_PX = 16;
const scratch = new Uint32Array(512 * 512);

export class LabelLayer extends TiledLayer {
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

  /** @param {Pyramid} pyramid @param {{t: number, z: number}} plane @param {TileStore} store @param {LabelLook} look */
  constructor(pyramid, plane, store, look) {
    super(pyramid);
    this.tiles = new LabelTiles(pyramid, plane, store);
    this.look = look;
    this.setLook(look);
  }

  /** Begin anew: tiles may be there from the last time. */
  begin() {
    for (const [place, tile] of this.tiles.all) this.#survey(place, tile);
  }

  /** Take over from the layer of another plane of the same labels. @param {LabelLayer} before */
  goOnFrom(before) {
    this.look = before.look;
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
    for (const [place, tile] of this.tiles.all) if (changed.some((id) => tile.ids?.has(id))) this.#soil(place);
  }

  /** @param {Camera} camera */
  levelFor(camera) {
    if (camera.ratio !== this.#ratio) this.stamp++;
    this.#ratio = camera.ratio;
    const level = Math.round(-Math.log2(camera.scale));
    return Math.min(Math.max(level, FINEST), this.pyramid.coarsest);
  }

  /** @param {Place} place */
  isReady(place) {
    return this.tiles.has(this.tiles.source(place));
  }

  /** Whether all that is seen is as it was read last. @param {Camera} camera */
  isFresh(camera) {
    const places = this.pyramid.tilesIn(Math.max(this.levelFor(camera), 0), camera.box());
    return places.every((place) => this.tiles.isFresh(place));
  }

  /** @param {Place} place */
  wishesOf(place) {
    const load = async (/** @type {AbortSignal} */ signal) => this.#survey(place, await this.tiles.load(place, signal));
    return [{ key: this.tiles.key(place), load }];
  }

  /** Note what is in a tile. @param {Place} place @param {Tile} tile @returns {Tile} */
  #survey(place, tile) {
    const [, width] = this.pyramid.grid(place.level).tile;
    const found = tile.values ? survey(tile.values, width) : { ids: new Set(), near: new Map(), diameter: 0 };
    this.#ids.learn(found.near);
    this.#learnSize(found, 2 ** place.level);
    tile.ids = found.ids;
    return tile;
  }

  /** @param {{ids: Set<number>, diameter: number}} found @param {number} step */
  #learnSize({ ids, diameter }, step) {
    if (this.diameter !== null || ids.size < 5) return;
    this.diameter = diameter * step;
    this.stamp++;
  }

  /** A tile was read: it is painted again, and the rims of its neighbours. @param {string} key */
  arrived(key) {
    if (key.startsWith(this.tiles.start)) this.#soil(this.tiles.placeOf(key));
  }

  /** Paint again, when it is seen, what shows pixels of a box. @param {Place} place @param {Box} [box] */
  #soil(place, box = this.pyramid.boxOf(place)) {
    for (const name of this.painted.keys()) {
      const shown = placeOf(name);
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
    const tile = this.tiles.of(this.tiles.source(place));
    const box = outer(part);
    painted.step = 1;
    const rows = box.y1 - box.y0;
    const columns = box.x1 - box.x0;
    if (!tile?.ids?.size) {
      painted.context.clearRect(box.x0, box.y0, columns, rows);
      return;
    }
    const window = this.tiles.window(place, box);
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
    const thick = Math.min(Math.round(1 + this.#ratio), MARGIN - 1);
    return { fill: this.look.fill, outline, thick, cased: seen >= CASED_PX };
  }

  /** The object that is drawn at a point. @param {number} y @param {number} x */
  seenAt(y, x) {
    const id = this.look.visible ? this.tiles.idAt(y, x) : null;
    return id && this.hidden.has(id) ? 0 : id;
  }

  /** Show a stroke, until the tiles are read again. @param {Stroke} stroke @returns {Place[]} The tiles. */
  cover(stroke) {
    const places = this.tiles.cover(stroke);
    for (const place of places) this.#soil(place, stroke.box);
    return places;
  }
}

/** @param {Box} box @param {number} by @returns {Box} */
const grown = (box, by) => ({ y0: box.y0 - by, y1: box.y1 + by, x0: box.x0 - by, x1: box.x1 + by });

/** @param {Box} box @returns {Box} */
const outer = (box) => ({
  y0: Math.floor(box.y0),
  y1: Math.ceil(box.y1),
  x0: Math.floor(box.x0),
  x1: Math.ceil(box.x1),
});

/** @param {ValueColouring} colouring */
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
