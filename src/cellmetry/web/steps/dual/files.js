/** The files of a quantification: tables, masks, ratios, plots. @module */
import { h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { menuButton } from "../../controls/menu.js";
import { resultAddress, save, saveExport } from "../../table/downloads.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./tables.js").Quantified} Quantified */

const NO_GRID = "For a grid of all cells' profiles choose “Pictures and plots as files”, and quantify again.";

/** @param {App} app @param {Quantified} made */
export function fileButtons(app, made) {
  const { cells, others, folder } = made;
  const all = [cells, ...others.values()];
  const readOnly = Boolean(app.openStudy.readOnly);
  const exported = (/** @type {string} */ form) => () =>
    saveExport(
      app,
      { tables: all.map((each) => each.id), table_forms: [form], name_of_result: `${cells.name} as ${form}` },
      "Tables",
    );
  const button = (/** @type {string} */ text, /** @type {() => any} */ run, off = false) =>
    h("button", { type: "button", disabled: off, onclick: run }, icon("download"), text);
  return [
    h("h3.report-head", {}, "Download"),
    button("All tables as CSV", exported("csv"), readOnly),
    button("All tables as Excel", exported("xlsx"), readOnly),
    folder && button("Masks, ratios and plots", () => save(resultAddress(app, folder))),
    folder && others.has("radial_profile_cells") && gridsPart(app, made),
  ];
}

/** Grids of the profiles of single cells, a page or more an image. @param {App} app @param {Quantified} made */
function gridsPart(app, { folder, grids }) {
  const saved = (/** @type {string} */ file) => () => save(resultAddress(app, String(folder), file));
  const content = [icon("download"), "Grid of the cells' profiles"];
  if (!grids.length) return h("p.quiet-text", {}, NO_GRID);
  if (grids.length === 1) return h("button", { type: "button", onclick: saved(grids[0]) }, content);
  return menuButton({ label: "Grid of the cells' profiles", content, class: "dual-grids" }, () =>
    grids.map((file) => ({ text: file.split("/").at(-1) ?? file, run: saved(file) })),
  );
}
