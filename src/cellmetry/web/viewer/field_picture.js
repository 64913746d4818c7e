/**
 * Objects or a mask of a field, as a preview finds them: outlines and fill at the size in which they are seen.
 * @module
 */
import { MARGIN, paintObjects, survey } from "./label_paint.js";
import { packed, rgb } from "./lookup.js";
import { IdColours } from "./palette.js";

/** @typedef {import("./camera.js").Camera} Camera */
/**
 * @typedef {object} FieldLayer
 * @property {"labels"} kind
 * @property {Uint32Array} ids Row by row.
 * @property {number[]} box y0, y1, x0, x1 of the image that they cover, one value a pixel.
 * @property {string} [colour] Of all; by their ids if left out.
 * @property {number} [fill] Opacity, 0 to 1.
 * @property {boolean} [outline]
 */

const FINEST = 3;
const MOST_PX = 12e6;

export class FieldPicture {
  #layer;
  #colourOf;
  #grain = 0;
  #canvas = document.createElement("canvas");

  /** @param {FieldLayer} layer */
  constructor(layer) {
    this.#layer = layer;
    const { ids, box, colour } = layer;
    const colours = new IdColours();
    if (!colour) colours.learn(survey(ids, box[3] - box[2]).near);
    const one = colour ? packed(rgb(colour), 0) : 0;
    this.#colourOf = colour ? () => one : (/** @type {number} */ id) => colours.of(id);
  }

  /** @param {CanvasRenderingContext2D} context @param {Camera} camera */
  draw(context, camera) {
    const [y0, y1, x0, x1] = this.#layer.box;
    if (y1 <= y0 || x1 <= x0) return;
    const wanted = 2 ** Math.min(Math.max(Math.round(Math.log2(camera.scale)), 0), FINEST);
    const grain = wanted ** 2 * (y1 - y0) * (x1 - x0) > MOST_PX ? 1 : wanted;
    if (grain !== this.#grain) this.#paint(grain, camera.ratio);
    this.#grain = grain;
    const [top, left] = [camera.deviceY(y0), camera.deviceX(x0)];
    context.imageSmoothingEnabled = camera.scale / grain < 2;
    context.drawImage(this.#canvas, left, top, camera.deviceX(x1) - left, camera.deviceY(y1) - top);
  }

  /** @param {number} grain Pixels of the canvas along a side of one of the image. @param {number} ratio */
  #paint(grain, ratio) {
    const { ids, box, fill = 0.15, outline = true } = this.#layer;
    const [rows, columns] = [box[1] - box[0], box[3] - box[2]];
    const [height, width] = [rows * grain, columns * grain];
    const window = { ids: widened(ids, rows, columns, grain), width: width + 2 * MARGIN };
    const out = new Uint32Array(height * width);
    const ink = { fill, outline: outline ? 1 : 0, thick: Math.min(Math.round(1 + ratio), MARGIN - 1), cased: false };
    paintObjects(out, window, { y0: 0, y1: height, x0: 0, x1: width }, this.#colourOf, ink);
    Object.assign(this.#canvas, { height, width });
    const pixels = new ImageData(new Uint8ClampedArray(out.buffer), width, height);
    /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d")).putImageData(pixels, 0, 0);
  }
}

/**
 * Ids of a field, each as a square of pixels, with a margin in which those of the edge go on.
 * @param {Uint32Array} ids @param {number} rows @param {number} columns @param {number} grain
 */
function widened(ids, rows, columns, grain) {
  const width = columns * grain + 2 * MARGIN;
  const height = rows * grain + 2 * MARGIN;
  const out = new Uint32Array(width * height);
  const place = (/** @type {number} */ k, /** @type {number} */ count) =>
    Math.min(Math.max(Math.floor((k - MARGIN) / grain), 0), count - 1);
  const xs = Int32Array.from({ length: width }, (_, k) => place(k, columns));
  for (let k = 0; k < height; k++) {
    const start = place(k, rows) * columns;
    for (let n = 0; n < width; n++) out[k * width + n] = ids[start + xs[n]];
  }
  return out;
}
