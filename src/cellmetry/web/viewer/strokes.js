/**
 * Strokes of a pen on label pixels, as the server will make them.
 * @module
 */

/** @typedef {import("./camera.js").Box} Box */
/**
 * @typedef {object} Stroke
 * @property {number[][]} points (y, x)
 * @property {number} radius
 * @property {number} id 0 makes background.
 * @property {boolean} over Whether other objects are painted over too.
 * @property {number|null} only The one object that is erased; null for any.
 * @property {Box} box
 */

/**
 * @param {number[][]} points @param {number} radius @param {number} id
 * @param {{over?: boolean, only?: number|null}} [how] @returns {Stroke}
 */
export function strokeOf(points, radius, id, { over = false, only = null } = {}) {
  const ys = points.map((point) => point[0]);
  const xs = points.map((point) => point[1]);
  const box = {
    y0: Math.floor(Math.min(...ys) - radius),
    y1: Math.ceil(Math.max(...ys) + radius) + 1,
    x0: Math.floor(Math.min(...xs) - radius),
    x1: Math.ceil(Math.max(...xs) + radius) + 1,
  };
  return { points, radius, id, over, only, box };
}

/** @param {Box} a @param {Box} b */
export const meets = (a, b) => a.y0 < b.y1 && b.y0 < a.y1 && a.x0 < b.x1 && b.x0 < a.x1;

/**
 * Set the pixels of a tile whose centres a stroke covers; a pixel of the tile is every `step`-th one of the image.
 * @param {Uint32Array} ids @param {number} width Of a row of the tile. @param {Box} tile Its box in the image.
 * @param {number} step @param {Stroke} stroke
 */
export function coverWithStroke(ids, width, tile, step, stroke) {
  const { points, radius } = stroke;
  const count = Math.max(points.length - 1, 1);
  for (let k = 0; k < count; k++) {
    const piece = [points[k], points[Math.min(k + 1, points.length - 1)]];
    const box = strokeOf(piece, radius, 0).box;
    const near = radius * radius;
    eachPixel(tile, box, step, (y, x) => {
      const at = ((y - tile.y0) / step) * width + (x - tile.x0) / step;
      const covered = farFrom(y + 0.5, x + 0.5, piece) <= near || holds(piece, y, x);
      if (covered && mayPaint(ids[at], stroke)) ids[at] = stroke.id;
    });
  }
}

/** @param {Box} tile @param {Box} box @param {number} step @param {(y: number, x: number) => void} run */
function eachPixel(tile, box, step, run) {
  const first = (/** @type {number} */ from, /** @type {number} */ low) =>
    low + Math.ceil((Math.max(from, low) - low) / step) * step;
  const [y1, x1] = [Math.min(tile.y1, box.y1), Math.min(tile.x1, box.x1)];
  for (let y = first(box.y0, tile.y0); y < y1; y += step)
    for (let x = first(box.x0, tile.x0); x < x1; x += step) run(y, x);
}

/** @param {number} now @param {Stroke} stroke */
function mayPaint(now, { id, over, only }) {
  if (id === 0) return now !== 0 && (only === null || now === only);
  return now !== id && (over || now === 0);
}

/** Whether one of the points lies in a pixel. @param {number[][]} piece @param {number} y @param {number} x */
const holds = (piece, y, x) => piece.some((point) => Math.floor(point[0]) === y && Math.floor(point[1]) === x);

/** The square of the distance of a point from a line. @param {number} y @param {number} x @param {number[][]} piece */
function farFrom(y, x, [[y0, x0], [y1, x1]]) {
  const [dy, dx] = [y1 - y0, x1 - x0];
  const length = dy * dy + dx * dx;
  const part = length ? Math.min(Math.max(((y - y0) * dy + (x - x0) * dx) / length, 0), 1) : 0;
  return (y - y0 - part * dy) ** 2 + (x - x0 - part * dx) ** 2;
}
