/** The tables of a study, read again when jobs make some or acts are undone. @module */
import { counted } from "../app/said.js";
import { Emitter } from "../kernel/emitter.js";

/** @typedef {import("../app/study.js").Study} Study */
/** @typedef {import("./source.js").TableView} TableView */
/** @typedef {import("../app/labels.js").LabelsList} LabelsList */
/** @typedef {import("../app/labels.js").LabelsView} LabelsView */

const REVIEW = "review ";
const MAKERS = new Set(["measure", "segment", "count", "quantify", "dual", "import"]);

/** Whether a table counts cells, not tells what is measured of them. @param {TableView} table */
export const isOfCounts = (table) =>
  ["image", "n", "n_instances", "n_density"].every((name) => table.columns.some((column) => column.name === name));

/**
 * The name of a table in lists, with its rows; of one that a recipe made, what that means.
 * @param {TableView} table
 */
export function listedTable(table) {
  const recipe = table.name.startsWith("run_") ? ", as the recipe found them, without corrections" : "";
  return `${table.name} (${counted(table.rows, "row")}${recipe})`;
}

/**
 * The labels of an image of which a table tells; null where the study has them not.
 * @param {TableView} table @param {string} imageId @param {LabelsList} labels @returns {LabelsView|null}
 */
export function labelsOf(table, imageId, labels) {
  const said = table.details.images?.[imageId];
  if (!said) return null;
  const all = said.labels ? labels.all.filter(({ id }) => id === said.labels) : labelsOfRecipe(table, labels);
  return all.find(({ image }) => image === imageId) ?? null;
}

/** Look at the labels of which a table tells, where there are some of their name. @param {TableView} table @param {LabelsList} labels */
export function selectLabelsOf(table, labels) {
  const name = table.details.labels ?? labelsOfRecipe(table, labels)[0]?.name;
  if (labels.names.includes(name)) labels.select(name);
}

/**
 * Labels as the recipe found them that made a table (`run_…`); where corrections were put onto them, or they got other
 * ids, the table tells of other cells.
 * @param {TableView} table @param {LabelsList} labels @returns {LabelsView[]}
 */
function labelsOfRecipe(table, labels) {
  const made = labels.all.filter(
    ({ origin }) => origin.job === table.job_id && !("rebased" in origin) && !("relabelled" in origin),
  );
  const named = made.filter(({ origin }) => table.name === `run_${origin.labels}`);
  const several = made.some(({ name }) => name !== made[0].name);
  return named.length || several ? named : made;
}

/** Tells `change`. */
export class TablesList extends Emitter {
  /** @type {TableView[]} The oldest first. */
  all = [];
  loaded = false;
  #study;
  #offs;

  /** @param {Study} study */
  constructor(study) {
    super();
    this.#study = study;
    const again = () => this.load().catch((error) => this.tell("error", error));
    this.#offs = [
      study.jobs.on("ended", (job) => (MAKERS.has(job.kind) || job.state === "done") && again()),
      study.on("act", (act) => !act.edit && ["undo", "redo", "remove"].includes(act.verb) && again()),
    ];
  }

  close() {
    for (const off of this.#offs) off();
  }

  /** Those that measure each cell, not what a review doubts; profiles and peaks say of which table they are. @returns {TableView[]} */
  get ofCells() {
    return this.all.filter(
      (table) =>
        !table.details.of &&
        !table.name.startsWith(REVIEW) &&
        ["image", "label"].every((name) => table.columns.some((column) => column.name === name)),
    );
  }

  /** Those that count cells, a row an image or a region of it. @returns {TableView[]} */
  get ofCounts() {
    return this.all.filter((table) => isOfCounts(table));
  }

  /**
   * The table of cells to show: of the name that was shown, else the newest, but one that a recipe made (`run_…`), which
   * knows no conditions and no corrections, only while nothing was measured.
   * @param {string} [shown] @returns {TableView|undefined}
   */
  best(shown) {
    const tables = this.ofCells;
    const measured = tables.filter((table) => !table.name.startsWith("run_"));
    const from = measured.length ? measured : tables;
    return from.find((table) => table.name === shown) ?? from.at(-1);
  }

  /** @param {string|null} id */
  find(id) {
    return this.all.find((table) => table.id === id);
  }

  async load() {
    this.all = await this.#study.get("tables");
    this.loaded = true;
    this.tell("change", this);
  }
}
