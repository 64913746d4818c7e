/** Which columns of a table are shown: a choice that suits most, and a panel to change it. @module */
import { fill, h } from "../kernel/dom.js";
import { isNuclear } from "../app/images.js";
import { noteTaste, taste } from "../app/tastes.js";
import { icon } from "../controls/icons.js";
import { popover } from "../controls/popover.js";
import { isPlace } from "./groups.js";
import { capital, tipOf, titleOf, unitOf } from "./words.js";

/** @typedef {import("./source.js").Column} Column */

const FIRST = [
  /^image$/,
  /^label$/,
  /^(t|z|frame)$/,
  /^condition$/,
  /^replicate$/,
  /^(area|volume)_um[23]$/,
  /^equivalent_diameter_um$/,
  /^mean_/,
  /^circularity$/,
  /^solidity$/,
  /^(inside|outside|region)$/,
  /_positive$/,
  /^n_/,
  /^flag_any$/,
];
const WITHOUT_UM = [/^(area|volume)_px$/, /^equivalent_diameter_px$/];
const FEW = 14;
const KEYS = new Set(["image", "label", "t", "z", "frame"]);

/**
 * Return the columns that are shown until somebody chooses others.
 * @param {Column[]} columns
 * @returns {string[]}
 */
export function usualColumns(columns) {
  const names = columns.map((column) => column.name);
  const scaled = names.some((name) => /_um[23]?$/.test(name));
  if (names.length <= FEW) {
    const some = names.filter((name) => !scaled || !WITHOUT_UM.some((pattern) => pattern.test(name)));
    return [...some.filter((name) => KEYS.has(name)), ...some.filter((name) => !KEYS.has(name))];
  }
  const wanted = scaled ? FIRST : [...FIRST, ...WITHOUT_UM];
  const found = wanted.flatMap((pattern) => names.filter((name) => pattern.test(name)));
  return [...new Set(found)].slice(0, FEW);
}

/** Columns with numbers that were measured. @param {Column[]} columns @returns {Column[]} */
export function measures(columns) {
  const words = new Set([
    "image",
    "path",
    "status",
    "reason",
    "warnings",
    "axes",
    "shape",
    "sha256",
    "label",
    "t",
    "z",
  ]);
  return columns.filter((column) => !words.has(column.name) && column.source !== "study" && column.unit !== "");
}

/** The column that most people look at first. @param {Column[]} columns @returns {Column|undefined} */
export function mainMeasure(columns) {
  const all = measures(columns);
  const means = all.filter(({ name }) => name.startsWith("mean_"));
  const signal = means.find(({ name }) => !isNuclear(name)); // what stains nuclei is rarely what is asked about
  const order = [/^ratio_/, /_mean_/, /^area_um2$/, /^volume_um3$/, /^area_px$/, /^volume_/, /_um2$/, /./];
  const told = all.filter(({ name }) => !isPlace(name));
  return signal ?? means[0] ?? order.map((pattern) => told.find(({ name }) => pattern.test(name))).find(Boolean);
}

/** Chosen columns of a table, kept as a taste for tables of this name. @param {string} study @param {import("./source.js").TableView} table */
export function chosenColumns(study, table) {
  const names = new Set(table.columns.map((column) => column.name));
  const kept = (taste(`table.columns.${study}.${table.name}`, /** @type {string[]|null} */ (null)) ?? []).filter(
    (name) => names.has(name),
  );
  return kept.length ? kept : usualColumns(table.columns);
}

/** @param {string} study @param {string} table Name of the table. @param {string[]|null} names */
export const noteColumns = (study, table, names) => noteTaste(`table.columns.${study}.${table}`, names);

/**
 * Return a button whose panel shows and hides columns.
 * @param {{columns: Column[], chosen: () => string[], usual: () => string[], onchange: (names: string[]) => void}} said
 */
export function columnsButton({ columns, chosen, usual, onchange }) {
  return popover({ label: "Columns", content: [icon("table"), "Columns"] }, () => {
    const search = h("input", { type: "search", placeholder: "Find a column", "aria-label": "Find a column" });
    const list = h("div.table-columns", { role: "group", "aria-label": "Columns that are shown" });
    const reset = h("button.quiet.small", { type: "button", onclick: () => take(usual()) }, "Usual ones");
    const take = (/** @type {string[]} */ names) => {
      onchange(names);
      show();
    };
    const turn = (/** @type {string} */ name, /** @type {boolean} */ on) => {
      const now = new Set(chosen());
      if (on) now.add(name);
      else now.delete(name);
      if (now.size) onchange(columns.map((column) => column.name).filter((each) => now.has(each)));
    };
    const show = () => {
      const now = new Set(chosen());
      const wanted = search.value.trim().toLowerCase();
      const found = columns.filter((column) =>
        `${column.name} ${titleOf(column)} ${column.definition}`.toLowerCase().includes(wanted),
      );
      fill(
        list,
        found.map((column) => columnCheck(column, now.has(column.name), (on) => turn(column.name, on))),
        !found.length && h("p.quiet-text", {}, "There is no such column."),
      );
    };
    search.addEventListener("input", show);
    show();
    return { element: h("div.stack", {}, h("div.row", {}, search, reset), list) };
  });
}

/** @param {Column} column @param {boolean} checked @param {(on: boolean) => void} turn */
function columnCheck(column, checked, turn) {
  const box = h("input", { type: "checkbox", checked, onchange: () => turn(box.checked) });
  return h(
    "label.check.table-column",
    { title: tipOf(column) },
    box,
    h("span.cut.grow", {}, capital(titleOf(column))),
    h("span.quiet-text", {}, unitOf(column)),
  );
}
