/** Names of columns, their units and values, as people read them. @module */

/** @typedef {import("./source.js").Column} Column */

/** @type {Record<string, string>} */
const UNITS = {
  um: "µm",
  um2: "µm²",
  um3: "µm³",
  deg: "°",
  "intensity um2": "intensity × µm²",
  "intensity um3": "intensity × µm³",
  1: "",
  "1/mm2": "",
};
const ENDINGS = /_(um2|um3|um|px2|px|deg|s)(?=_|$)/;

/** @type {Record<string, string>} */
const WORDS = {
  flag_any: "any flag",
  label: "cell",
  n: "cells",
  n_cells_kept: "cells per image",
  n_cells_kept_per_mm2: "cells per mm²",
  n_instances: "objects",
  n_density: "density",
  n_low: "from",
  n_high: "to",
};

/** The unit of a column, empty where it has none. @param {Column} column */
export const unitOf = (column) => UNITS[column.unit] ?? column.unit;

/** What a column is called: `mean_channel0` is "mean channel0". @param {Column} column */
export function titleOf(column) {
  return WORDS[column.name] ?? plain(column.name.replace(ENDINGS, "").replaceAll("_", " ").trim());
}

/** @param {string} text */
const plain = (text) =>
  text
    .replace(/^bbox ([zyx])([01])$/, (_, axis, end) => `bounding box, ${axis} ${end === "0" ? "from" : "to"}`)
    .replace(/ skimage$/, " (as scikit-image)")
    .replace(/ imagej$/, " (as ImageJ)");

/** With its unit, for axes. @param {Column} column */
export const axisOf = (column) =>
  unitOf(column) ? `${capital(titleOf(column))} (${unitOf(column)})` : capital(titleOf(column));

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** What is written of a column: what it means, whose definition, its name in files. @param {Column} column */
export function tipOf(column) {
  const unit = unitOf(column);
  return [
    column.definition,
    unit && `Unit: ${unit}.`,
    column.source && `After: ${column.source}.`,
    `In files: ${column.name}.`,
  ]
    .filter(Boolean)
    .join("\n");
}

/** Whether it says that something is doubtful of a cell. @param {Column} column */
export const isFlag = (column) => column.name.startsWith("flag_");

/** The unit where it is short enough to stand behind each number. @param {Column} column */
export const shortUnitOf = (column) => (unitOf(column).length < 7 ? unitOf(column) : "");

const WHOLE = new Set(["", "1", "px"]);

/**
 * A value as text: four digits that count, numbers of things whole.
 * @param {any} value
 * @param {Column} [column]
 */
export function valueText(value, column) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (column && !WHOLE.has(column.unit) && Number.isInteger(value) && size < 1000 && value !== 0)
    return value.toPrecision(4).replace("-", "−");
  return numberText(value);
}

/** @param {number} value @param {number} [digits] */
export function numberText(value, digits = 4) {
  if (Number.isInteger(value)) return Math.abs(value) < 1e7 ? String(value) : value.toExponential(3);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4)
    return value
      .toExponential(digits - 2)
      .replace("e+", "e")
      .replace("-", "−");
  const text = size >= 10 ** (digits - 1) ? value.toFixed(size >= 10 ** digits ? 0 : 1) : value.toPrecision(digits);
  return text.replace("-", "−");
}

/** A text or number as a condition has it; texts with both kinds of quotes cannot be asked for. @param {string|number|boolean} value */
export function literal(value) {
  if (typeof value !== "string") return String(value);
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

/** The condition that a column has a value. @param {string} name @param {any} value */
export const isValue = (name, value) =>
  typeof value === "boolean" ? `${value ? "" : "not "}${name}` : `${name} == ${literal(value)}`;

/** Whether a column may stand in a condition. @param {Column} column */
export const canBeAsked = (column) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(column.name);
