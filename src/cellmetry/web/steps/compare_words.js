/** Estimates of a comparison as people write them. @module */
import { numberText, shortUnitOf } from "../table/words.js";
import { statisticsIn } from "./compare_statistics.js";

/** Whether shares of cells are compared. @param {any} found */
export const isShare = (found) => found.kind !== "amount";

/** @param {number|null|undefined} value @param {number} [scale] */
export const estimateText = (value, scale = 1) =>
  value === null || value === undefined ? "–" : numberText(Number((value * scale).toPrecision(3)), 3);

/** @param {number|null} low @param {number|null} high @param {number} [scale] */
export const intervalText = (low, high, scale = 1) =>
  low === null || high === null ? "–" : `${estimateText(low, scale)} to ${estimateText(high, scale)}`;

/** @param {number|null|undefined} p */
export function pText(p) {
  if (p === null || p === undefined) return "–";
  return p < 0.0001 ? "< 0.0001" : String(Number(p.toPrecision(2)));
}

/**
 * Return what a contrast says, as a sentence.
 * @param {any} contrast @param {any} found @param {import("../table/source.js").Column} column
 */
export function sentenceOf(contrast, found, column) {
  const { condition, reference, estimate, ci_low: low, ci_high: high, n_replicates: n } = contrast;
  const log = found.options.scale === "log";
  const scale = isShare(found) && !log ? 100 : 1;
  const unit = log ? "times" : isShare(found) ? "percentage points" : shortUnitOf(column);
  if (estimate === null)
    return `${condition} and ${reference}: no difference can be estimated. ${contrast.reason}`.trim();
  const size = `${estimateText(log ? estimate : Math.abs(estimate), scale)}${unit ? ` ${unit}` : ""}`;
  const what = log
    ? `${condition} is ${size} ${reference}`
    : `${condition} is ${size} ${estimate < 0 ? "lower" : "higher"} than ${reference}`;
  const share = `${Math.round(found.options.confidence * 100)} %`;
  const of = log ? "ratio" : "difference";
  const interval =
    low === null || high === null
      ? "no interval can be given"
      : `${share} interval of the ${of} ${intervalText(low, high, scale)}`;
  const p = contrast.p_adjusted ?? contrast.p_value;
  return `${what} (${interval}${p === null ? "" : `, p ${p < 0.0001 ? "" : "= "}${pText(p)}`}; ${n} ${found.paired ? "pairs of replicates" : "replicates"}).`;
}

/**
 * Return what was asked, as a sentence: of which table, which cells, by which statistics.
 * @param {any} comparison As `GET comparisons` lists it. @param {string} [table] Name of its table.
 */
export function howOf(comparison, table) {
  const { settings } = comparison.details;
  if (!settings) return "";
  const [first] = settings.comparisons;
  const cells = settings.keep.map((/** @type {string} */ where) =>
    where === "not flag_any" ? "cells without a flag" : `only ${where}`,
  );
  const parts = [
    table ? `Of the table ${table}` : "Of a table that was made again since",
    ...cells,
    ...settings.gates.map(gateOf),
    ...(first.control ? [`against ${first.control}`] : []),
    ...statisticsIn(first),
  ];
  return `${parts.join("; ")}.`;
}

/** @param {{value: string, threshold: number|null}} gate */
const gateOf = ({ value, threshold }) => `positive where ${value} is above ${threshold ?? "what its cells gave"}`;
