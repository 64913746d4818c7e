/** Names of columns, their units and values, as people read them. @module */

/** @typedef {import("./source.js").Column} Column */

/** @type {Record<string, string>} */
const UNITS = { um: "µm", um2: "µm²", um3: "µm³", deg: "°", "intensity um2": "intensity × µm²", "intensity um3": "intensity × µm³", "1": "" };
const ENDINGS = /_(um2|um3|um|px2|px|deg|s)(?=_|$)/;

/** @type {Record<string, string>} */
const WORDS = { flag_any: "any flag", label: "cell" };

/** The unit of a column, empty where it has none. @param {Column} column */
export const unitOf = (column) => UNITS[column.unit] ?? column.unit;

/** What a column is called: `mean_channel0` is "mean channel0". @param {Column} column */
export function titleOf(column) {
  return WORDS[column.name] ?? column.name.replace(ENDINGS, "").replaceAll("_", " ").trim();
}

/** With its unit, for axes. @param {Column} column */
export const axisOf = (column) => (unitOf(column) ? `${capital(titleOf(column))} (${unitOf(column)})` : capital(titleOf(column)));

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** What is written of a column: what it means, whose definition, its name in files. @param {Column} column */
export function tipOf(column) {
  const unit = unitOf(column);
  return [column.definition, unit && `Unit: ${unit}.`, column.source && `After: ${column.source}.`, `In files: ${column.name}.`].filter(Boolean).join("\n");
}

/** Whether it says that something is doubtful of a cell. @param {Column} column */
export const isFlag = (column) => column.name.startsWith("flag_");

/**
 * A value as text: four digits that count, whole numbers whole.
 * @param {any} value
 */
export function valueText(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "";
  if (typeof value !== "number") return String(value);
  return numberText(value);
}

/** @param {number} value @param {number} [digits] */
export function numberText(value, digits = 4) {
  if (Number.isInteger(value)) return Math.abs(value) < 1e7 ? String(value) : value.toExponential(3);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(digits - 2).replace("e+", "e").replace("-", "−");
  const text = size >= 10 ** (digits - 1) ? value.toFixed(size >= 10 ** digits ? 0 : 1) : value.toPrecision(digits);
  return text.replace("-", "−");
}

/** A text or number as a condition has it. @param {string|number|boolean} value */
export const literal = (value) => (typeof value === "string" ? JSON.stringify(value) : value === true ? "True" : value === false ? "False" : String(value));
