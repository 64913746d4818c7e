/** What a job `quantify` made: its tables, its folder, and the columns that are looked at first. @module */
import { at } from "../../kernel/api.js";
import { chosenColumns, noteColumns, usualColumns } from "../../table/columns.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/source.js").TableView} TableView */
/** @typedef {{cells: TableView, others: Map<string, TableView>, folder: string|null, grids: string[]}} Quantified
 *   Of one job; `grids` are pictures of the profiles of all cells, in the folder. */

const PROFILES = "radial_profile_cells";
const GRID = /profile_grid[^/]*\.png$/;
const USUAL = [
  /^image$/,
  /^label$/,
  /^(t|z|condition|replicate|followed_label)$/,
  /^cell_area_um2$|^area_cell_um2$/,
  /^and_mask_(ratio_of|mean_of)/,
  /^(and|target)_mask_mean_target$/,
  /^and_mask_mean_reference$/,
  /^and_mask_area_px$|^area_and_px$/,
  /^(mean_target|mean_reference|ratio_of_means)_on_mask$/,
  /^cell_(mean|ratio_of)_/,
  /^mean_(target|reference)_whole$/,
  /^flag_any$/,
];

/**
 * Return what the job of a table made.
 * @param {App} app @param {import("../../table/tables.js").TablesList} tables @param {TableView} cells
 * @returns {Promise<Quantified>}
 */
export async function quantified(app, tables, cells) {
  const { name, job_id: job } = cells;
  const of = tables.all.filter((each) => each.job_id === job && each.details.of === name);
  const exports = await app.openStudy.get("results", { kind: "export" });
  const folder = exports.find((/** @type {any} */ each) => each.job_id === job)?.id ?? null;
  const others = new Map(of.map((each) => [each.name.slice(name.length + 1), each]));
  const files = folder && others.has(PROFILES) ? await app.openStudy.get(at`results/${folder}/files`) : [];
  const grids = files
    .map((/** @type {any} */ each) => each.name)
    .filter((/** @type {string} */ each) => GRID.test(each));
  return { cells, others, folder, grids };
}

/** Show the columns that matter, unless somebody chose others. @param {string} study @param {TableView} table */
export function beginColumns(study, table) {
  if (chosenColumns(study, table).join() !== usualColumns(table.columns).join()) return;
  const names = table.columns.map((column) => column.name);
  noteColumns(study, table.name, [...new Set(USUAL.flatMap((pattern) => names.filter((name) => pattern.test(name))))]);
}
