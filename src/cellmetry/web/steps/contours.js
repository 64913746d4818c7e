/** Outlines of the objects of a label image, along the edges of their pixels. @module */

/** Steps up, right, down, left; the object is at the right hand. */
const STEPS = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
];
/** Pixels ahead at the right and at the left of a corner, by direction. */
const RIGHT = [
  [-1, 0],
  [0, 0],
  [0, -1],
  [-1, -1],
];
const LEFT = [
  [-1, -1],
  [-1, 0],
  [0, 0],
  [0, -1],
];

/**
 * Return the outlines of all objects, holes as outlines of their own.
 * @param {Uint32Array} ids Row by row.
 * @param {number} height @param {number} width
 * @param {{y: number, x: number}} [origin] Where the first pixel lies.
 * @returns {number[][][]} Closed lines of (y, x).
 */
export function contours(ids, height, width, { y: top, x: left } = { y: 0, x: 0 }) {
  const seen = new Uint8Array(ids.length);
  const all = [];
  for (let k = 0; k < ids.length; k++) {
    const id = ids[k];
    if (!id || seen[k] || (k % width && ids[k - 1] === id)) continue;
    const line = follow(ids, seen, height, width, k);
    all.push(line.map(([y, x]) => [y + top, x + left]));
  }
  return all;
}

/**
 * Go round from the left edge of a pixel, upwards.
 * @param {Uint32Array} ids @param {Uint8Array} seen Pixels whose left edge was gone along.
 * @param {number} height @param {number} width @param {number} start
 */
function follow(ids, seen, height, width, start) {
  const id = ids[start];
  const is = (/** @type {number} */ y, /** @type {number} */ x) =>
    y >= 0 && x >= 0 && y < height && x < width && ids[y * width + x] === id;
  const from = { y: Math.floor(start / width) + 1, x: start % width };
  const line = [];
  let [y, x, way] = [from.y, from.x, 0];
  do {
    if (way === 0) seen[(y - 1) * width + x] = 1;
    [y, x] = [y + STEPS[way][0], x + STEPS[way][1]];
    const turn = !is(y + RIGHT[way][0], x + RIGHT[way][1]) ? 1 : is(y + LEFT[way][0], x + LEFT[way][1]) ? 3 : 0;
    if (turn) line.push([y, x]);
    way = (way + turn) % 4;
  } while (y !== from.y || x !== from.x || way !== 0);
  return line;
}

/**
 * The border of the part of an image that was looked at. @param {number[]} box y0, y1, x0, x1
 * @returns {import("../viewer/overlay.js").Shape}
 */
export function frameOf([y0, y1, x0, x1]) {
  const points = [
    [y0, x0],
    [y0, x1],
    [y1, x1],
    [y1, x0],
  ];
  return { points, closed: true, dashed: true, colour: "#ffffff", width: 1 };
}
