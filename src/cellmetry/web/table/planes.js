/** Which rows of a table are those of the plane of an image that is seen. @module */
import { lengthOf } from "../app/images.js";
import { isValue } from "./words.js";

/** @typedef {{t: number, z: number}} Plane */

/** Columns that say in which plane a cell lies, by the axis; a cell of an image without that axis has no value there. */
const PLANES = /** @type {const} */ ([
  ["t", "T"],
  ["frame", "T"],
  ["z", "Z"],
]);

/**
 * What a table with some columns says of a plane of an image.
 * @param {string[]} columns @param {import("../app/images.js").ImageView} image @param {Plane} at
 * @returns {Record<string, number>}
 */
export function planeOf(columns, image, { t, z }) {
  const told = PLANES.filter(([name, axis]) => columns.includes(name) && lengthOf(image, axis) > 1);
  return Object.fromEntries(told.map(([name]) => [name, name === "z" ? z : t]));
}

/**
 * Conditions of the rows of the plane of an image that a viewer shows; of all planes while it shows none.
 * @param {string[]} columns Of the table. @param {string} name Of the image, as the table has it.
 * @param {Plane & {image: any}} viewer @returns {string[]}
 */
export const rowsHere = (columns, name, viewer) => [
  isValue("image", name),
  ...Object.entries(viewer.image ? planeOf(columns, viewer.image, viewer) : {}).map((each) => isValue(...each)),
];
