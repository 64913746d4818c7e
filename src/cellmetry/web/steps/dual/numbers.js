/** The numbers that cells keep from image to image, in the viewer, as the table has them. @module */
import { fill, h } from "../../kernel/dom.js";
import { slider } from "../../controls/range.js";
import { rowsHere } from "../../table/planes.js";
import { noteTaste, taste } from "../../app/tastes.js";

/** @typedef {import("../../app/app.js").App} App */

const LAYER = "dual numbers";
const SIZE = "dual.numbers";
const NUMBER = "followed_label";
const MOST = 5000;

/** A slider of their size, 0 for none; they follow the table, its filters and the image that is seen. */
export class CellNumbers {
  #app;
  #source;
  #imageName;
  #said = h("p.quiet-text", { "aria-live": "polite" });
  #size = taste(SIZE, 0);
  #turn = 0;
  #offs;

  /** @param {App} app @param {import("../../table/panel.js").TablePanel} panel @param {() => string|null} imageName */
  constructor(app, panel, imageName) {
    const { source } = panel;
    this.#app = app;
    this.#source = source;
    this.#imageName = imageName;
    const show = (/** @type {number} */ size) => (size ? `${size} px` : "none");
    const oninput = (/** @type {number} */ size) => {
      noteTaste(SIZE, (this.#size = size));
      this.#show();
    };
    const sizes = slider({ label: "Followed IDs", min: 0, max: 40, step: 2, value: this.#size, show, oninput });
    this.element = h("div", {}, sizes.element, this.#said);
    this.element.hidden = !source.column("centroid_y_px") || !source.column(NUMBER);
    this.#offs = [app.viewer.on("shown", () => this.#show()), panel.on("filter", () => this.#show())];
    this.#show();
  }

  close() {
    this.#turn++;
    for (const off of this.#offs) off();
    this.#app.viewer.setLayer(LAYER, null);
  }

  async #show() {
    const turn = ++this.#turn;
    const [image, { viewer }] = [this.#imageName(), this.#app];
    if (!this.#size || image === null || this.element.hidden) return this.#draw([], 0);
    const names = this.#source.table.columns.map((each) => each.name);
    const where = [...this.#source.where, ...rowsHere(names, image, viewer)];
    try {
      const columns = [NUMBER, "centroid_y_px", "centroid_x_px"];
      const { values, total } = await this.#source.values(columns, { where, most: MOST });
      if (turn === this.#turn) this.#draw(this.#shapes(values[NUMBER], values), total);
    } catch (error) {
      if (turn === this.#turn) this.#app.error(error);
    }
  }

  /** @param {any[]} shapes @param {number} total Cells that meet the filters. */
  #draw(shapes, total) {
    this.#app.viewer.setLayer(LAYER, shapes.length ? { kind: "shapes", shapes } : null);
    const [some, all] = [shapes.length, total].map((each) => each.toLocaleString("en"));
    fill(this.#said, shapes.length < total && `${some} of ${all} cells have their number drawn.`);
  }

  /** @param {any[]} numbers @param {Record<string, any[]>} places */
  #shapes(numbers, { centroid_y_px: ys, centroid_x_px: xs }) {
    return numbers.map((id, k) => ({
      points: [[ys[k] + 0.5, xs[k] + 0.5]],
      colour: "#ffe14d",
      text: String(id),
      size: this.#size,
    }));
  }
}
