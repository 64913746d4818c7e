/** What tables of radial profiles and peaks hold, by whichever rules they were made. @module */
import { GROUPS } from "../../plot/scale.js";

/** @typedef {import("../../table/source.js").TableView} TableView */
/** @typedef {Record<string, (number|null)[]>} Columns */
/** @typedef {{name: string, value: string, error: string|null}} Series Columns of a line and of its errors. */
/** @typedef {{first: string, second: string, difference: string, accepted: string[], reasons: string[]}} PeakColumns */

const CENTRE = /^center_(pct|um|px)$/;
/** @type {Record<string, {axis: string, text: string, edge: number}>} */
const UNITS = {
  pct: { axis: "Centre to edge (%)", text: "%", edge: 100 },
  um: { axis: "Distance from the edge (µm)", text: "µm", edge: 0 },
  px: { axis: "Distance from the edge (px)", text: "px", edge: 0 },
};
const COLOURS = { target: GROUPS[0], reference: GROUPS[1], ratio: GROUPS[2] };

/** Name of the column of positions, and what they are. @param {string[]} names */
export function positionsOf(names) {
  const column = names.find((name) => CENTRE.test(name)) ?? "center_pct";
  return { column, ...UNITS[CENTRE.exec(column)?.[1] ?? "pct"] };
}

/** The lines that a table of profiles has: target, reference, ratio. @param {string[]} names @returns {Series[]} */
export function seriesOf(names) {
  const pair = (/** @type {string} */ name, /** @type {[RegExp, RegExp][]} */ ways) => {
    for (const [value, error] of ways) {
      const found = names.find((each) => value.test(each));
      if (found) return [{ name, value: found, error: names.find((each) => error.test(each)) ?? null }];
    }
    return [];
  };
  const channel = (/** @type {string} */ name) =>
    pair(name, [
      [new RegExp(`^mean_of_cells_${name}$`), new RegExp(`^sem_over_cells_${name}$`)],
      [new RegExp(`^mean_${name}$`), new RegExp(`^sem_${name}$`)],
    ]);
  return [
    ...channel("target"),
    ...channel("reference"),
    ...pair("ratio", [
      [/^mean_of_cells_ratio_/, /^sem_over_cells_ratio_/],
      [/^ratio_/, /^sem_ratio/],
      [/^mean_ratio/, /^sem_ratio/],
    ]),
  ];
}

/**
 * Return the lines of a plot.
 * @param {Series[]} series @param {Columns} values @param {string} at Column of positions.
 * @param {{errors: boolean, peaks: Record<string, number|null>}} how
 * @returns {import("../../plot/profile.js").Line[]}
 */
export function linesOf(series, values, at, { errors, peaks }) {
  return series.map(({ name, value, error }) => ({
    name: name.charAt(0).toUpperCase() + name.slice(1),
    colour: COLOURS[/** @type {"ratio"} */ (name)],
    points: values[at].map((place, k) => [Number(place), values[value][k] ?? NaN]),
    errors: errors && error ? values[error].map(Number) : undefined,
    peak: peaks[name] ?? null,
  }));
}

/** Columns of a table of peaks. @param {string[]} names @returns {PeakColumns} */
export function peakColumns(names) {
  const one = (/** @type {RegExp} */ pattern) => names.find((name) => pattern.test(name)) ?? "";
  return {
    first: one(/^peak_target_(pct|um|px)$|^max_target_center_pct$/),
    second: one(/^peak_reference_(pct|um|px)$|^max_reference_center_pct$/),
    difference: one(/^difference_(pct|um|px)$/),
    accepted: names.filter((name) => /^accepted_|^accept_ref$/.test(name)),
    reasons: names.filter((name) => /^reason_/.test(name)),
  };
}

/** @param {(number|null)[]} values @returns {number|null} */
export function medianOf(values) {
  const there = values
    .filter((value) => value !== null)
    .map(Number)
    .sort((a, b) => a - b);
  if (!there.length) return null;
  const at = (there.length - 1) / 2;
  return (there[Math.floor(at)] + there[Math.ceil(at)]) / 2;
}
