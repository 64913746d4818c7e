/** How far people went through an image: cells that they corrected, and how much they looked through. @module */
import { at } from "../kernel/api.js";
import { lengthOf } from "../app/images.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("./train_fields.js").Field} Field */
/** @typedef {{corrected: number, reviewed: number}} Facts `reviewed`: share of the image, 0 to 1. */

const EDITS = 1000;

/** Facts by image, read once for each version of its labels. */
export class FieldFacts {
  #app;
  /** @type {Map<string, {key: string, facts: Promise<Facts>}>} */
  #known = new Map();
  /** Fields of all images that were looked through. @type {Promise<any[]>|null} */
  #looked = null;
  #off;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#off = app.openStudy.on("act", (act) => {
      if (!["review", "unreview", "undo", "redo"].includes(act.verb)) return;
      this.#known.clear();
      this.#looked = null;
    });
  }

  close() {
    this.#off();
  }

  /** Ids of the images of which all was looked through. @param {Field[]} fields @returns {Promise<Set<string>>} */
  async wholeOf(fields) {
    const looked = await this.#fields();
    const whole = fields.filter(({ image, labels }) => shareOf(image, fieldsOf(looked, image, labels)) >= 1);
    return new Set(whole.map(({ image }) => image.id));
  }

  /** @param {Field} field @returns {Promise<Facts>} */
  of(field) {
    const { image, labels } = field;
    const key = `${labels.id} ${labels.version}`;
    const before = this.#known.get(image.id);
    if (before?.key === key) return before.facts;
    const facts = this.#read(field);
    this.#known.set(image.id, { key, facts });
    return facts;
  }

  /** @returns {Promise<any[]>} */
  #fields() {
    this.#looked ??= this.#app.openStudy.get("reviewed").catch((error) => {
      this.#looked = null;
      throw error;
    });
    return this.#looked;
  }

  /** @param {Field} field @returns {Promise<Facts>} */
  async #read({ image, labels }) {
    const { openStudy: study } = this.#app;
    const none = Promise.resolve([]);
    try {
      const [edits, fields] = await Promise.all([
        labels.version > 0 ? study.get(at`labels/${labels.id}/edits`, { limit: EDITS }) : none,
        this.#fields(),
      ]);
      const held = edits.filter((/** @type {any} */ edit) => edit.version !== null && edit.act.undone_by === null);
      const agreed = labels.origin.said?.length ?? 0; // what a newer model has as people corrected the older one
      const corrected = Math.max(agreed, new Set(held.flatMap((/** @type {any} */ edit) => edit.ids)).size);
      return {
        corrected,
        reviewed: shareOf(
          image,
          fields.filter((/** @type {any} */ each) => each.labels === labels.name),
        ),
      };
    } catch (error) {
      this.#app.error(error);
      return { corrected: 0, reviewed: 0 };
    }
  }
}

/** @param {any[]} fields @param {import("../app/images.js").ImageView} image @param {{name: string}} labels */
const fieldsOf = (fields, image, labels) =>
  fields.filter((each) => each.image === image.id && each.labels === labels.name);

/**
 * @param {import("../app/images.js").ImageView} image
 * @param {any[]} fields Each of a grid, so none lies upon another.
 */
function shareOf(image, fields) {
  const whole = ["Y", "X", "Z", "T"].reduce((all, axis) => all * lengthOf(image, axis), 1);
  const looked = fields.reduce((all, { box: [y0, y1, x0, x1] }) => all + (y1 - y0) * (x1 - x0), 0);
  return Math.min(1, looked / whole);
}
