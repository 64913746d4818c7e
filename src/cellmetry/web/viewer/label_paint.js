/**
 * Ids of pixels to colours: fill, outline, highlight. Pure functions on arrays.
 * @module
 */

/** Pixels round a tile that decide on its outlines. */
export const MARGIN = 4;

/** @typedef {{ids: Uint32Array, width: number}} Window  Ids with `MARGIN` pixels more on each side. */
/**
 * @typedef {{fill: number, outline: number, thick: number, cased: boolean}} Ink Opacities, pixels of an outline, and whether a
 *   dark line lies within it, so that it is seen on what is as bright.
 */

const CASE = 0.6;
const WHITE = 0xffffffff;
const DARK = 0xe0000000;

/**
 * Paint the objects of a part of a window.
 * @param {Uint32Array} out Pixels as the canvas has them, of the part.
 * @param {Window} window
 * @param {{y0: number, y1: number, x0: number, x1: number}} part Without the margin.
 * @param {(id: number) => number} colourOf Packed without alpha; -1 of what is not drawn.
 * @param {Ink} ink
 */
export function paintObjects(out, { ids, width }, part, colourOf, ink) {
  const fill = Math.round(ink.fill * 255) << 24;
  const line = Math.round(ink.outline * 255) << 24;
  const thick = line ? ink.thick : 0;
  const dark = Math.round(ink.outline * CASE * 255) << 24;
  const most = thick && ink.cased ? thick + 1 : thick;
  let at = 0;
  let last = 0;
  let colour = -1;
  for (let y = part.y0; y < part.y1; y++) {
    let from = (y + MARGIN) * width + part.x0 + MARGIN;
    for (let x = part.x0; x < part.x1; x++, from++) {
      const id = ids[from];
      if (id !== last) {
        last = id;
        colour = id ? colourOf(id) : -1;
      }
      if (colour < 0) out[at++] = 0;
      else {
        const far = rimAt(ids, from, width, id, most);
        out[at++] = (far > thick ? dark : colour | (far ? line : fill)) >>> 0;
      }
    }
  }
}

/**
 * Return how many pixels a pixel of an object is from others, 0 where it is more than `most`.
 * @param {Uint32Array} ids @param {number} at @param {number} width @param {number} id @param {number} most
 */
function rimAt(ids, at, width, id, most) {
  for (let far = 1; far <= most; far++)
    if (ids[at - far] !== id || ids[at + far] !== id || ids[at - far * width] !== id || ids[at + far * width] !== id)
      return far;
  return 0;
}

/**
 * Make some objects stand out: a white rim, dark round it, and a stronger fill.
 * @param {Uint32Array} out @param {Window} window @param {{y0: number, y1: number, x0: number, x1: number}} part
 * @param {Set<number>} chosen @param {number} thick
 */
export function paintChosen(out, { ids, width }, part, chosen, thick) {
  let at = 0;
  let last = 0;
  let inside = false;
  for (let y = part.y0; y < part.y1; y++) {
    let from = (y + MARGIN) * width + part.x0 + MARGIN;
    for (let x = part.x0; x < part.x1; x++, from++, at++) {
      const id = ids[from];
      if (id !== last) {
        last = id;
        inside = chosen.has(id);
      }
      if (inside) out[at] = rimAt(ids, from, width, id, thick + 1) ? WHITE : stronger(out[at]);
      else if (isNear(ids, from, width, id, chosen, thick)) out[at] = DARK;
    }
  }
}

/** @param {number} colour */
const stronger = (colour) => ((colour & 0xffffff) | 0x66000000) >>> 0;

/**
 * Whether a pixel outside is close to one of these objects.
 * @param {Uint32Array} ids @param {number} at @param {number} width @param {number} id @param {Set<number>} chosen
 * @param {number} thick
 */
function isNear(ids, at, width, id, chosen, thick) {
  for (let far = 1; far <= thick; far++)
    for (const other of [ids[at - far], ids[at + far], ids[at - far * width], ids[at + far * width]])
      if (other !== id && other && chosen.has(other)) return true;
  return false;
}

/**
 * What is in a tile: which objects, which of them are near each other, and how large they are.
 * @param {Uint32Array} ids @param {number} width
 * @returns {{ids: Set<number>, near: Map<number, Set<number>>, diameter: number}} Diameter in pixels of the tile.
 */
export function survey(ids, width) {
  /** @type {Map<number, Set<number>>} */
  const near = new Map();
  let size = 0;
  let last = 0;
  let others = new Set();
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at];
    if (!id) continue;
    size++;
    if (id !== last) {
      last = id;
      others = near.get(id) ?? new Set();
      near.set(id, others);
    }
    if (at & 1) continue; // every second pixel is enough for neighbours
    meet(near, others, id, ids[at + REACH]);
    meet(near, others, id, ids[at + REACH * width]);
  }
  return { ids: new Set(near.keys()), near, diameter: near.size ? 1.13 * Math.sqrt(size / near.size) : 0 };
}

const REACH = 6;

/**
 * @param {Map<number, Set<number>>} near @param {Set<number>} others @param {number} id
 * @param {number|undefined} other
 */
function meet(near, others, id, other) {
  if (!other || other === id || others.has(other)) return;
  others.add(other);
  const back = near.get(other) ?? new Set();
  near.set(other, back.add(id));
}
