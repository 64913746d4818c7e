/**
 * A layer made of tiles: what it draws where the fitting tiles are not there yet, and what of a tile it paints.
 * @module
 */
import { common, holds, isEmpty, PaintedTiles } from "./painted.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Box} Box */
/** @typedef {import("./painted.js").Painted} Painted */
/** @typedef {import("./pyramid.js").Place} Place */
/** @typedef {import("./pyramid.js").Pyramid} Pyramid */
/** @typedef {import("./tile_store.js").Wish} Wish */

const FRAME_MS = 10;
const GRAIN = 64;
const LARGE_PX = 4096;

/** Subclasses say which level fits, which tiles are there, and paint one. */
export class TiledLayer {
  painted = new PaintedTiles(96);
  /** Is raised when all that was painted is to be painted again. */
  stamp = 0;
  /** Paint every second pixel only, as long as something is dragged. */
  rough = false;
  /** Whether tiles are there that wait for a frame to be painted in. */
  behind = false;

  /** @param {Pyramid} pyramid */
  constructor(pyramid) {
    this.pyramid = pyramid;
  }

  /** @param {Camera} camera @returns {number} */
  levelFor(camera) {
    throw new Error(`no level for ${camera.zoom}`);
  }

  /** @param {Place} place @returns {boolean} Whether it can be painted. */
  isReady(place) {
    throw new Error(`unknown ${place.level}`);
  }

  /** @param {Painted} painted @param {Place} place @param {Box} part In pixels of the tile. */
  paint(painted, place, part) {
    throw new Error(`cannot paint ${place.level} ${part.y0} ${painted.step}`);
  }

  /** @param {Place} place @returns {Wish[]} */
  wishesOf(place) {
    throw new Error(`unknown ${place.level}`);
  }

  /** What this layer wants to read, the most urgent first. @param {Camera} camera @param {number} [ring] */
  wishes(camera, ring = 0) {
    const level = Math.max(this.levelFor(camera), 0);
    return this.pyramid.tilesIn(level, camera.box(), ring).flatMap((place) => this.wishesOf(place));
  }

  /** What is shown until the rest is there. */
  coarseWishes() {
    const all = { y0: 0, y1: this.pyramid.height, x0: 0, x1: this.pyramid.width };
    return this.pyramid.tilesIn(this.pyramid.coarsest, all).flatMap((place) => this.wishesOf(place));
  }

  /** Whether there is something to be seen everywhere. */
  get begun() {
    return this.isReady({ level: this.pyramid.coarsest, row: 0, column: 0 });
  }

  /** Whether nothing of the view is missing. @param {Camera} camera */
  isComplete(camera) {
    return this.pyramid.tilesIn(this.levelFor(camera), camera.box()).every((place) => this.isReady(place));
  }

  /**
   * Draw what is seen. Tiles that were never painted wait for another frame if there are too many of them.
   * @param {CanvasRenderingContext2D} context @param {Camera} camera @returns {boolean} Whether no tile is missing.
   */
  draw(context, camera) {
    const level = this.levelFor(camera);
    const view = camera.box();
    const until = performance.now() + FRAME_MS;
    let complete = true;
    this.behind = false;
    for (const place of this.pyramid.tilesIn(level, view)) {
      const ready = this.isReady(place);
      const waits = ready && !this.#wasPainted(place) && performance.now() > until;
      this.behind ||= waits;
      if (ready && !waits) this.#drawTile(context, camera, place, this.pyramid.boxOf(place));
      else {
        complete = false;
        this.#drawInstead(context, camera, place, view);
      }
    }
    return complete;
  }

  /** @param {Place} place */
  #wasPainted(place) {
    return (this.painted.peek(this.nameOf(place))?.done ?? null) !== null;
  }

  /** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Place} place @param {Box} view */
  #drawInstead(context, camera, place, view) {
    const box = this.pyramid.boxOf(place);
    for (let level = place.level + 1; level <= this.pyramid.coarsest; level++) {
      const coarser = this.pyramid.placeAt(place, level);
      if (!this.isReady(coarser)) continue;
      if (this.behind && level < this.pyramid.coarsest && !this.#wasPainted(coarser)) continue;
      this.#drawTile(context, camera, coarser, box);
      break;
    }
    if (place.level <= 0) return;
    for (const finer of this.pyramid.tilesIn(place.level - 1, common(box, view)))
      if (this.isReady(finer) && this.#wasPainted(finer))
        this.#drawTile(context, camera, finer, this.pyramid.boxOf(finer));
  }

  /**
   * Draw the part of a tile that lies in a box of the image.
   * @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Place} place @param {Box} box
   */
  #drawTile(context, camera, place, box) {
    const { step } = this.pyramid.grid(place.level);
    const whole = this.pyramid.boxOf(place);
    const seen = common(common(box, whole), outward(camera.box(), whole, step));
    if (isEmpty(seen)) return;
    const painted = this.#paintedOf(place, inTile(seen, whole, step));
    const shown = step * camera.scale * this.pyramid.grid(place.level).tile[0] > LARGE_PX ? seen : common(box, whole);
    const part = inTile(shown, whole, step * painted.step);
    const [y0, y1] = [Math.round(camera.deviceY(shown.y0)), Math.round(camera.deviceY(shown.y1))];
    const [x0, x1] = [Math.round(camera.deviceX(shown.x0)), Math.round(camera.deviceX(shown.x1))];
    if (y1 <= y0 || x1 <= x0) return;
    context.imageSmoothingEnabled = step * painted.step * camera.scale < 2 || place.level > 0;
    context.drawImage(painted.canvas, part.x0, part.y0, part.x1 - part.x0, part.y1 - part.y0, x0, y0, x1 - x0, y1 - y0);
  }

  /** A tile, painted where it is needed. @param {Place} place @param {Box} needed In pixels of the tile. */
  #paintedOf(place, needed) {
    const [height, width] = this.pyramid.grid(place.level).tile;
    const whole = { y0: 0, y1: height, x0: 0, x1: width };
    const painted = this.painted.of(this.nameOf(place), height, width);
    const part = common(grained(needed), whole);
    if (painted.stamp !== this.stamp || (painted.step > 1 && !this.rough)) {
      Object.assign(painted, { stamp: this.stamp, step: this.rough ? 2 : 1, done: null, dirty: null });
    }
    if (!painted.done || !holds(painted.done, part)) {
      painted.done = painted.done ? whole : part;
      painted.dirty = null;
      this.paint(painted, place, painted.done);
    } else if (painted.dirty) {
      const again = common(painted.dirty, painted.done);
      painted.dirty = null;
      if (!isEmpty(again)) this.paint(painted, place, again);
    }
    return painted;
  }

  /** @param {Place} place */
  nameOf({ level, row, column }) {
    return `${level}/${row}/${column}`;
  }
}

/** A box of the image in pixels of a tile. @param {Box} box @param {Box} tile @param {number} step @returns {Box} */
export function inTile(box, tile, step) {
  return {
    y0: (box.y0 - tile.y0) / step,
    y1: (box.y1 - tile.y0) / step,
    x0: (box.x0 - tile.x0) / step,
    x1: (box.x1 - tile.x0) / step,
  };
}

/**
 * A box made larger to whole pixels of a level.
 * @param {Box} box @param {Box} tile @param {number} step @returns {Box}
 */
function outward(box, tile, step) {
  const part = inTile(box, tile, step);
  return {
    y0: tile.y0 + Math.floor(part.y0) * step,
    y1: tile.y0 + Math.ceil(part.y1) * step,
    x0: tile.x0 + Math.floor(part.x0) * step,
    x1: tile.x0 + Math.ceil(part.x1) * step,
  };
}

/** @param {Box} box @returns {Box} */
function grained(box) {
  return {
    y0: Math.floor(box.y0 / GRAIN) * GRAIN,
    y1: Math.ceil(box.y1 / GRAIN) * GRAIN,
    x0: Math.floor(box.x0 / GRAIN) * GRAIN,
    x1: Math.ceil(box.x1 / GRAIN) * GRAIN,
  };
}
