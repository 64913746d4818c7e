/** How far people corrected the labels of an image. @module */
import { at } from "../../kernel/api.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/labels.js").LabelsView} LabelsView */
/** @typedef {{cells: number, more: boolean}} Corrected Cells that were corrected; `more`: there may be more of them. */

const EDITS = 1000;

/** Cells that people corrected, read once for each version of the labels of an image. */
export class CorrectedCells {
  #app;
  /** By image. @type {Map<string, {key: string, corrected: Promise<Corrected>}>} */
  #known = new Map();

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
  }

  /** @param {LabelsView} labels @returns {Promise<Corrected>} */
  of(labels) {
    const key = `${labels.id} ${labels.version}`;
    const before = this.#known.get(labels.image);
    if (before?.key === key) return before.corrected;
    const corrected = this.#read(labels);
    this.#known.set(labels.image, { key, corrected });
    return corrected;
  }

  /** @param {LabelsView} labels @returns {Promise<Corrected>} */
  async #read(labels) {
    const agreed = labels.origin.said?.length ?? 0; // what a newer model has as people corrected the older one
    if (labels.version === 0) return { cells: agreed, more: false };
    try {
      const edits = await this.#app.openStudy.get(at`labels/${labels.id}/edits`, { limit: EDITS });
      const held = edits.filter(holds);
      const cells = new Set(held.flatMap((/** @type {any} */ edit) => edit.ids)).size;
      return { cells: Math.max(agreed, cells), more: edits.length === EDITS };
    } catch (error) {
      this.#app.error(error);
      return { cells: agreed, more: false };
    }
  }
}

/** Whether an edit holds: it was neither refused nor undone, and is itself no undoing. @param {any} edit */
const holds = ({ version, act }) => version !== null && act.undone_by === null && act.undoes === null;
