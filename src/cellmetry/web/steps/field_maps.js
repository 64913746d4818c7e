/** Maps of the network's density and of where counters differ: one look, one unit, one legend wherever they are seen. @module */
import { request } from "../kernel/api.js";
import { h } from "../kernel/dom.js";
import { numberText } from "../table/words.js";
import { coloured } from "../viewer/overlay.js";
import { colourAt } from "../viewer/palette.js";

/** @typedef {"density"|"disagreement"} MapKind */
/**
 * @typedef {object} FieldMap
 * @property {MapKind} kind
 * @property {Float32Array} data
 * @property {number} height
 * @property {number} width
 * @property {number} block Side of a value in pixels of the image; a density is the sum over all of them.
 * @property {number} low
 * @property {number} high
 * @property {number[]} box y0, y1, x0, x1 that it covers.
 * @property {string} path Of its values, below the study.
 */
/**
 * @typedef {object} ReviewView A map as `GET maps` tells of it.
 * @property {MapKind} kind
 * @property {number} t
 * @property {number} z
 * @property {number} block
 * @property {[number, number]} shape
 * @property {number} low
 * @property {number} high
 * @property {string} pixels
 */

const STEPS = 9;
/** @type {Record<MapKind, {text: string, palette: string, ends: (map: FieldMap, um: number|null) => [string, string]}>} */
export const MAP_KINDS = {
  density: { text: "Density", palette: "magma", ends: (map, um) => ["0", densityText(map.high / map.block ** 2, um)] },
  disagreement: {
    text: "Disagreement",
    palette: "balance",
    ends: (map) => [`more objects ${map.low.toFixed(1).replace("-", "−")}`, `${map.high.toFixed(1)} more density`],
  },
};

/**
 * @param {{kind: string, shape: [number, number], block: number, limits: [number, number], pixels: string}} layer
 * @param {ArrayBuffer} values @param {number[]} field @returns {FieldMap}
 */
export function mapOf({ kind, shape: [height, width], block, limits: [low, high], pixels }, values, [y0, , x0]) {
  const box = [y0, y0 + height * block, x0, x0 + width * block];
  const data = new Float32Array(values);
  return { kind: /** @type {MapKind} */ (kind), data, height, width, block, low, high, box, path: pixels };
}

/**
 * Read a map that a review made. @param {string} study "studies/ID/" @param {ReviewView} told
 * @returns {Promise<FieldMap>}
 */
export async function readReviewed(study, { kind, block, shape, low, high, pixels }) {
  const answer = await request("GET", study + pixels);
  const [height, width] = shape;
  const box = [0, height * block, 0, width * block];
  return mapOf({ kind, block, shape, limits: [low, high], pixels }, await answer.arrayBuffer(), box);
}

/** As the viewer draws it. @param {FieldMap} map @param {number} opacity @returns {import("../viewer/overlay.js").MapLayer} */
export const layerOf = (map, opacity) => ({
  kind: "map",
  pixels: map,
  palette: MAP_KINDS[map.kind].palette,
  opacity,
  box: map.box,
});

/** @param {number} density Cells per pixel. @param {number|null} um Side of a pixel. */
const densityText = (density, um) =>
  um
    ? `${numberText((density * 1e6) / um ** 2, 2)} cells/mm²`
    : `${numberText(density * 1e4, 2)} cells in 100 × 100 px`;

/** What the colours mean. @param {FieldMap} map @param {number|null} um Side of a pixel, if it is known. */
export function legendOf(map, um) {
  const { palette, ends } = MAP_KINDS[map.kind];
  const stops = Array.from({ length: STEPS }, (_, k) => colourAt(palette, k / (STEPS - 1)));
  const bar = h("div.map-bar");
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  return [
    bar,
    h(
      "div.map-ends.number",
      {},
      ends(map, um).map((text) => h("span", {}, text)),
    ),
  ];
}

/** A map as a picture, one pixel a value, in the colours in which it is seen. @param {FieldMap} map @returns {Promise<Blob>} */
export async function pictureOf(map) {
  const canvas = coloured(map, MAP_KINDS[map.kind].palette);
  return new Promise((answer, refuse) =>
    canvas.toBlob((blob) => (blob ? answer(blob) : refuse(new Error("The browser could not make the picture.")))),
  );
}

/** What a kind of map is called. @param {MapKind} kind */
export const nameOfMap = (kind) => MAP_KINDS[kind].text;
