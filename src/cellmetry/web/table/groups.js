/** Measured columns in groups, so that one among a hundred is found. @module */
import { h } from "../kernel/dom.js";
import { capital, shortUnitOf, titleOf } from "./words.js";

/** @typedef {import("./source.js").Column} Column */

const PLACE = /^(centroid|bbox|touching|nearest|parent|children|n_neighbours|distance)/;
/** @type {[string, RegExp][]} The first that fits. */
const GROUPS = [
  ["Position and neighbours", PLACE],
  [
    "Shape",
    /^(eccentricity|aspect|perimeter_area|circularity|solidity|extent|euler|orientation|round|compact|feret_angle)/,
  ],
  ["Size", /^(area|volume|equivalent|major|minor|perimeter|convex|feret|filled)/],
];

/** Whether a column tells where a cell is, not what it is like. @param {string} name */
export const isPlace = (name) => PLACE.test(name);

/**
 * Return the channel of which a column tells; empty if of none.
 * @param {Column[]} columns
 * @returns {(column: Column) => string}
 */
function channelsIn(columns) {
  const names = columns
    .filter((column) => column.name.startsWith("mean_") && column.unit === "intensity")
    .map((column) => column.name.slice("mean_".length))
    .sort((a, b) => b.length - a.length);
  return (column) => names.find((name) => column.name.endsWith(`_${name}`)) ?? "";
}

/**
 * Return options of columns under the names of their groups.
 * @param {Column[]} columns
 * @returns {HTMLElement[]}
 */
export function groupedOptions(columns) {
  const channelOf = channelsIn(columns);
  const groupOf = (/** @type {Column} */ column) => {
    const channel = channelOf(column);
    if (channel) return `Intensity of ${channel}`;
    return GROUPS.find(([, pattern]) => pattern.test(column.name))?.[0] ?? "Other";
  };
  /** @type {Map<string, Column[]>} */
  const groups = new Map();
  for (const column of columns) groups.set(groupOf(column), [...(groups.get(groupOf(column)) ?? []), column]);
  const order = ["Size", "Shape", "Position and neighbours", "Other"];
  const names = [...groups.keys()].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return names.map((label) => h("optgroup", { label }, /** @type {Column[]} */ (groups.get(label)).map(optionOf)));
}

/** @param {Column} column */
function optionOf(column) {
  const unit = shortUnitOf(column);
  return h("option", { value: column.name }, capital(titleOf(column)) + (unit ? ` (${unit})` : ""));
}
