/** Fields of an image that were looked through: drawn over the picture, and marked. @module */
import { lengthOf } from "../../app/images.js";
import { planeOfLabels } from "../../app/labels.js";
import { cornersOf } from "./live.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

const FIELD_PX = 512;
const DONE = "#5fd38d";

/**
 * Return the field in which a point lies.
 * @param {ImageView} image @param {number} y @param {number} x @returns {number[]} y0, y1, x0, x1
 */
export function fieldAt(image, y, x) {
  const [height, width] = [lengthOf(image, "Y"), lengthOf(image, "X")];
  const first = (/** @type {number} */ at, /** @type {number} */ size) =>
    Math.floor(Math.min(Math.max(at, 0), size - 1) / FIELD_PX) * FIELD_PX;
  const [y0, x0] = [first(y, height), first(x, width)];
  return [y0, Math.min(y0 + FIELD_PX, height), x0, Math.min(x0 + FIELD_PX, width)];
}

/** Shows which fields of the image that is seen were reviewed. */
export class ReviewedFields {
  #app;
  #offs;
  #turn = 0;
  /** @type {any[]} */
  #fields = [];

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#offs = [
      app.viewer.on("shown", () => this.read()),
      app.openStudy.on("act", (act) => !act.edit && this.read()),
      app.openStudy.labels.on("select", () => this.read()),
    ];
    void this.read();
  }

  close() {
    this.#turn++;
    this.#app.viewer.setLayer("reviewed", null);
    for (const off of this.#offs) off();
  }

  async read() {
    const turn = ++this.#turn;
    const image = this.#app.viewer.image?.id;
    if (!image) return;
    try {
      const fields = await this.#app.openStudy.get("reviewed", { image });
      if (turn !== this.#turn) return;
      this.#fields = fields;
      this.#show();
    } catch (error) {
      this.#app.error(error);
    }
  }

  #show() {
    const {
      viewer,
      openStudy: { labels },
    } = this.#app;
    const plane = planeOfLabels(labels.of(viewer.image?.id ?? "", labels.name ?? undefined), viewer);
    const isHere = (/** @type {any} */ { t, z, labels: name }) =>
      t === plane.t && z === plane.z && name === labels.name;
    const look = { closed: true, colour: DONE, width: 1.5 };
    const here = this.#fields.filter(isHere);
    const shapes = here.map(({ box, who }) => ({ ...look, points: cornersOf(box), text: `Reviewed by ${who}` }));
    viewer.setLayer("reviewed", shapes.length ? { kind: "shapes", shapes } : null);
  }

  /**
   * Note that somebody has looked through a field.
   * @param {{image: string, labels: string|null, t: number, z: number, box: number[]}} field `labels`: those that were
   *   seen. @returns {Promise<{act: number|null}>}
   */
  mark({ image, labels, t, z, box }) {
    const { openStudy: study } = this.#app;
    return study.put("reviewed", { image, labels: study.labels.name, labels_id: labels, t, z, box });
  }
}
