/**
 * What is drawn over the tiles: shapes, and whole pictures that lie over the image (density, disagreement).
 * @module
 */
import { address, ApiError } from "../kernel/api.js";
import { packed, rgb } from "./lookup.js";
import { scaleOf } from "./palette.js";

/** @typedef {import("./camera.js").Camera} Camera */
/**
 * @typedef {object} Shape
 * @property {number[][]} points (y, x)
 * @property {string} [colour]
 * @property {boolean} [closed]
 * @property {number} [width] In pixels of the screen.
 * @property {number} [fill] Opacity, 0 to 1.
 * @property {boolean} [dashed]
 * @property {boolean} [cased] Whether a dark line lies below it, so that it is seen on what is as bright.
 * @property {string} [text]
 * @property {boolean} [middle] Whether the text lies on its point, not above it.
 * @property {number} [size] Of the text, in pixels of the screen; 12 if left out.
 */
/** @typedef {{kind: "shapes", shapes: Shape[]}} ShapesLayer */
/**
 * @typedef {object} MapLayer
 * @property {"map"} kind
 * @property {string} [url] Of a picture, below `/api/v1/` or whole.
 * @property {{data: ArrayLike<number>, height: number, width: number, low?: number, high?: number}} [pixels]
 * @property {string} [palette] Of `pixels`, and of a grey picture.
 * @property {string} [colour] "#rrggbb" of those `pixels` that are not 0, in the place of a palette: a mask.
 * @property {number} [opacity]
 * @property {number[]} [box] y0, y1, x0, x1 of the image that it covers; all of it if left out.
 */

const EDGE_PX = 40;
const CASE = "rgb(0 0 0 / 80%)";
/** Values of a map that are held at once, with 4 bytes each for its colours: those of 4096 × 4096. */
const MOST_VALUES = 2 ** 24;

/** Draw shapes. @param {CanvasRenderingContext2D} context @param {Camera} camera @param {ShapesLayer} layer */
export function drawShapes(context, camera, { shapes }) {
  for (const shape of shapes) if (shape.cased && isSeen(camera, shape.points)) drawCase(context, camera, shape);
  for (const shape of shapes) {
    if (!isSeen(camera, shape.points)) continue;
    context.save();
    context.strokeStyle = context.fillStyle = shape.colour ?? "#ffffff";
    context.lineWidth = shape.width ?? 2;
    context.setLineDash(shape.dashed ? [6, 4] : []);
    trace(context, camera, shape);
    if (shape.fill) {
      context.globalAlpha = shape.fill;
      context.fill();
      context.globalAlpha = 1;
    }
    context.stroke();
    if (shape.text) writeAt(context, camera, shape);
    context.restore();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Shape} shape */
function drawCase(context, camera, shape) {
  context.save();
  context.strokeStyle = CASE;
  context.lineWidth = (shape.width ?? 2) + 2.5;
  trace(context, camera, shape);
  context.stroke();
  context.restore();
}

/** @type {WeakMap<number[][], {count: number, box: number[]}>} */
const boxes = new WeakMap();

/** Whether the box of points meets the view. @param {Camera} camera @param {number[][]} points */
function isSeen(camera, points) {
  if (!points.length) return false;
  const known = boxes.get(points);
  const box = known?.count === points.length ? known.box : boxOf(points);
  boxes.set(points, { count: points.length, box });
  const start = camera.toScreen(box[0], box[2]);
  const end = camera.toScreen(box[1], box[3]);
  return end.y > -EDGE_PX && start.y < camera.height + EDGE_PX && end.x > -EDGE_PX && start.x < camera.width + EDGE_PX;
}

/** @param {number[][]} points @returns {number[]} y0, y1, x0, x1 */
function boxOf(points) {
  const box = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [y, x] of points) {
    box[0] = Math.min(box[0], y);
    box[1] = Math.max(box[1], y);
    box[2] = Math.min(box[2], x);
    box[3] = Math.max(box[3], x);
  }
  return box;
}

/** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Shape} shape */
function trace(context, camera, { points, closed }) {
  context.beginPath();
  points.forEach(([y, x], k) => {
    const at = camera.toScreen(y, x);
    if (k) context.lineTo(at.x, at.y);
    else context.moveTo(at.x, at.y);
  });
  if (closed) context.closePath();
}

/** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Shape} shape */
function writeAt(context, camera, { points, text = "", size = 12, middle = false }) {
  const top = points.reduce((best, point) => (point[0] < best[0] ? point : best));
  const at = camera.toScreen(top[0], top[1]);
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.lineWidth = 3;
  context.setLineDash([]);
  context.strokeStyle = "rgb(0 0 0 / 80%)";
  context.textBaseline = middle ? "middle" : "alphabetic";
  context.strokeText(text, at.x, at.y - (middle ? 0 : 6));
  context.fillText(text, at.x, at.y - (middle ? 0 : 6));
}

/** A map, ready to be drawn. */
export class MapPicture {
  /** @type {HTMLImageElement|HTMLCanvasElement|null} */
  #picture = null;

  /** @param {MapLayer} layer @param {() => void} onReady @param {(error: unknown) => void} onError */
  constructor(layer, onReady, onError) {
    this.layer = layer;
    this.#make().then(onReady, onError);
  }

  async #make() {
    const { pixels, palette, colour } = this.layer;
    const picture = pixels ? null : await this.#load();
    refuseLarge(pixels?.height ?? picture?.naturalHeight ?? 0, pixels?.width ?? picture?.naturalWidth ?? 0);
    if (pixels && colour) this.#picture = masked(pixels, colour);
    else if (pixels) this.#picture = coloured(pixels, palette ?? "viridis");
    else if (picture) this.#picture = palette ? recoloured(picture, palette) : picture;
  }

  async #load() {
    const picture = new Image();
    picture.src = String(address(/** @type {string} */ (this.layer.url)));
    await picture.decode();
    return picture;
  }

  /** @param {CanvasRenderingContext2D} context @param {Camera} camera In device pixels. */
  draw(context, camera) {
    if (!this.#picture) return;
    const [y0, y1, x0, x1] = this.layer.box ?? [0, camera.image.height, 0, camera.image.width];
    const { width, height } = this.#picture;
    const [top, left] = [camera.deviceY(y0), camera.deviceX(x0)];
    // Blocks at the edge reach beyond the image; only what lies within it is seen.
    const [bottom, right] = [Math.min(y1, camera.image.height), Math.min(x1, camera.image.width)];
    const part = { width: (width * (right - x0)) / (x1 - x0), height: (height * (bottom - y0)) / (y1 - y0) };
    context.globalAlpha = this.layer.opacity ?? 0.6;
    context.imageSmoothingEnabled = true;
    context.drawImage(
      this.#picture,
      ...[0, 0, part.width, part.height],
      ...[left, top, camera.deviceX(right) - left, camera.deviceY(bottom) - top],
    );
    context.globalAlpha = 1;
  }
}

/** @param {number} height @param {number} width @throws {ApiError} Where a map would take too much of the memory. */
function refuseLarge(height, width) {
  if (height * width <= MOST_VALUES) return;
  const text = `A map of ${width} × ${height} values is too large to be shown at once; make it with larger blocks.`;
  throw new ApiError(413, { kind: "TooLarge", message: text });
}

/**
 * Return a canvas with a pixel for each value.
 * @param {{data: ArrayLike<number>, height: number, width: number, low?: number, high?: number}} pixels
 * @param {string} palette
 */
export function coloured({ data, height, width, low, high }, palette) {
  const scale = scaleOf(palette);
  let [least, most] = [low ?? Infinity, high ?? -Infinity];
  if (low === undefined || high === undefined)
    for (let k = 0; k < data.length; k++) {
      if (low === undefined && data[k] < least) least = data[k];
      if (high === undefined && data[k] > most) most = data[k];
    }
  const factor = 255 / (most - least || 1);
  const out = new Uint32Array(height * width);
  for (let k = 0; k < out.length; k++) {
    const place = (data[k] - least) * factor;
    if (Number.isFinite(place)) out[k] = scale[Math.max(0, Math.min(Math.round(place), 255))];
  }
  return pictureOf(out, height, width);
}

/** @param {{data: ArrayLike<number>, height: number, width: number}} pixels @param {string} colour */
function masked({ data, height, width }, colour) {
  const ink = packed(rgb(colour), 255);
  return pictureOf(
    Uint32Array.from({ length: height * width }, (_, k) => (data[k] ? ink : 0)),
    height,
    width,
  );
}

/** @param {HTMLImageElement} picture @param {string} palette */
function recoloured(picture, palette) {
  const { naturalHeight: height, naturalWidth: width } = picture;
  const canvas = Object.assign(document.createElement("canvas"), { height, width });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const scale = scaleOf(palette);
  return pictureOf(
    Uint32Array.from({ length: height * width }, (_, k) => scale[data[4 * k]]),
    height,
    width,
  );
}

/** @param {Uint32Array<ArrayBuffer>} out @param {number} height @param {number} width */
function pictureOf(out, height, width) {
  const canvas = Object.assign(document.createElement("canvas"), { height, width });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.putImageData(new ImageData(new Uint8ClampedArray(out.buffer), width, height), 0, 0);
  return canvas;
}
