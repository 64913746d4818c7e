/** Estimates of a comparison as people write them. @module */
import { counted } from "../../app/said.js";
import { numberText, shortUnitOf } from "../../table/words.js";
import { statisticsIn } from "./statistics.js";

/** Whether shares of cells are compared. @param {any} found */
export const isShare = (found) => found.kind !== "amount";

/** @param {number|null|undefined} value @param {number} [scale] @param {number|null} [decimals] As `decimalsOf` gives them. */
export function estimateText(value, scale = 1, decimals = null) {
  if (value === null || value === undefined) return "–";
  if (decimals === null) return numberText(Number((value * scale).toPrecision(3)), 3);
  return (value * scale)
    .toFixed(decimals)
    .replace(/^-(?=0(\.0*)?$)/, "")
    .replace("-", "−");
}

/** @param {number|null} low @param {number|null} high @param {number} [scale] @param {number|null} [decimals] */
export const intervalText = (low, high, scale = 1, decimals = null) =>
  low === null || high === null
    ? "–"
    : `${estimateText(low, scale, decimals)} to ${estimateText(high, scale, decimals)}`;

/**
 * Return how many decimals means and their differences have alike, so that they agree as they are printed: as many as
 * give the smallest of them three digits; null where their sizes lie too far apart.
 * @param {any} found What was found of one value.
 */
export function decimalsOf(found) {
  const scale = isShare(found) ? 100 : 1;
  const ratios = found.options.scale === "log" ? [] : found.contrasts.map((/** @type {any} */ each) => each.estimate);
  const sizes = [...found.groups.map((/** @type {any} */ each) => each.mean), ...ratios]
    .map((value) => Math.abs(value ?? 0) * scale)
    .filter((size) => size > 0);
  if (!sizes.length) return null;
  const places = (/** @type {number} */ size) => 2 - Math.floor(Math.log10(size));
  const [most, least] = [places(Math.min(...sizes)), places(Math.max(...sizes))];
  return most - least > 5 || most > 6 ? null : Math.max(0, most);
}

/**
 * Return why a printed difference is not that of the printed means; empty where it is.
 * @param {any} found
 */
export function whyDifferent(found) {
  if (found.options.scale === "log" || found.estimation_only) return "";
  const [scale, decimals] = [isShare(found) ? 100 : 1, decimalsOf(found)];
  const shown = (/** @type {number} */ value) =>
    Number(decimals === null ? (value * scale).toPrecision(3) : (value * scale).toFixed(decimals));
  const means = new Map(found.groups.map((/** @type {any} */ each) => [each.condition, each.mean]));
  const off = found.contrasts
    .filter((/** @type {any} */ each) => each.estimate !== null)
    .map((/** @type {any} */ each) => {
      const [one, other] = [means.get(each.condition), means.get(each.reference)];
      const [printed, exact] = [shown(each.estimate) - (shown(one) - shown(other)), each.estimate - (one - other)];
      const [unit, size] = [10 ** -(decimals ?? 12), Math.abs(each.estimate) * 1e-6];
      return Math.abs(printed) < unit / 2 ? 0 : Math.abs(exact) <= size ? 1 : 2;
    });
  const most = Math.max(0, ...off);
  if (!most) return "";
  return most < 2
    ? "Differences are computed before means are rounded: their last digit may differ."
    : "A difference here is not that of the means below: it is made as its test does, of pairs or ranks of replicates.";
}

/** @param {number|null|undefined} p As figures and reports have it. */
export function pText(p) {
  if (p === null || p === undefined) return "–";
  return p < 0.0001 ? "< 0.0001" : p.toPrecision(3);
}

/**
 * Return which rows were compared, and which were left out by what.
 * @param {{filter: string, n_tested: number, n_removed_first: number}[]} [filters] Of each condition; older records have none.
 * @param {string} [rows] What they are called.
 */
export function leftOutText(filters, rows = "cells") {
  if (!filters) return "";
  if (!filters.length) return `No ${rows} were filtered out.`;
  const names = [...new Set(filters.map((each) => each.filter))];
  const sum = (/** @type {string} */ name, /** @type {"n_tested"|"n_removed_first"} */ what) =>
    filters.filter((each) => each.filter === name).reduce((total, each) => total + each[what], 0);
  const parts = names.map(
    (name) =>
      `${sum(name, "n_removed_first").toLocaleString("en")} ${name === "not flag_any" ? "with a flag" : `not ${name}`}`,
  );
  return `Of ${sum(names[0], "n_tested").toLocaleString("en")} ${rows}, left out: ${parts.join(", ")}.`;
}

/** @param {number} n @param {any} found */
function replicatesText(n, found) {
  if (found.estimation_only) return "one replicate each";
  return found.paired ? counted(n, "pair of replicates", "pairs of replicates") : counted(n, "replicate");
}

/**
 * Return what a contrast says, as a sentence.
 * @param {any} contrast @param {any} found @param {import("../../table/source.js").Column} column
 */
export function sentenceOf(contrast, found, column) {
  const { condition, reference, estimate, ci_low: low, ci_high: high, n_replicates: n } = contrast;
  const log = found.options.scale === "log";
  const scale = isShare(found) && !log ? 100 : 1;
  const unit = log ? "times" : isShare(found) ? "percentage points" : shortUnitOf(column);
  if (estimate === null)
    return `${condition} and ${reference}: no difference can be estimated. ${contrast.reason}`.trim();
  const decimals = log ? null : decimalsOf(found);
  const size = `${estimateText(log ? estimate : Math.abs(estimate), scale, decimals)}${unit ? ` ${unit}` : ""}`;
  const what = log
    ? `${condition} is ${size} ${reference}`
    : `${condition} is ${size} ${estimate < 0 ? "lower" : "higher"} than ${reference}`;
  const share = `${Math.round(found.options.confidence * 100)} %`;
  const of = log ? "ratio" : "difference";
  const interval =
    low === null || high === null
      ? "no interval can be given"
      : `${share} interval of the ${of} ${intervalText(low, high, scale, decimals)}`;
  const p = contrast.p_adjusted ?? contrast.p_value;
  return `${what} (${interval}${p === null ? "" : `, p ${p < 0.0001 ? "" : "= "}${pText(p)}`}; ${replicatesText(n, found)}).`;
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
