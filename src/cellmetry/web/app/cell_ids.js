/** The IDs of the cells in the viewer, as large as somebody wants them. @module */
import { at } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { slider } from "../controls/range.js";
import { planeOfLabels } from "./labels.js";
import { noteTaste, taste } from "./tastes.js";

/** @typedef {import("./app.js").App} App */

const LAYER = "ids";
const SIZE = "ids.size";
/** Pixels of the screen at a size of 1. */
const PX = 8;
const MOST = 1000;
const SETTLED_MS = 150;
const COLOUR = "#ffe14d";

/** A slider of their size, 0 for none; they follow what is seen, and edits. */
export class CellIds {
  #app;
  #size = taste(SIZE, 0);
  #said = h("p.quiet-text", { "aria-live": "polite" });
  #turn = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  #offs;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    const show = (/** @type {number} */ size) => (size ? `× ${size.toFixed(1)}` : "none");
    const oninput = (/** @type {number} */ size) => {
      noteTaste(SIZE, (this.#size = size));
      this.#follow();
    };
    const size = slider({ label: "IDs", min: 0, max: 5, step: 0.1, value: this.#size, show, oninput });
    size.element.title = "Size of the cells' IDs in the image; 0 hides them";
    this.element = h("div", {}, size.element, this.#said);
    const { viewer, openStudy: study } = app;
    this.#offs = [
      ...["shown", "camera", "labels", "hidden"].map((name) => viewer.on(name, () => this.#follow())),
      study.labels.on("change", () => this.#follow()),
    ];
    this.#follow();
  }

  close() {
    this.#turn++;
    clearTimeout(this.#timer);
    for (const off of this.#offs) off();
    this.#app.viewer.setLayer(LAYER, null);
  }

  /** Once what is seen rests. */
  #follow() {
    clearTimeout(this.#timer);
    if (!this.#size && !this.#app.viewer.layers.has(LAYER)) return;
    this.#timer = setTimeout(() => this.#show(), SETTLED_MS);
  }

  async #show() {
    const turn = ++this.#turn;
    const { viewer, openStudy: study, viewing } = this.#app;
    if (!this.#size || !viewing || !viewer.labels || !viewer.look.visible) return this.#draw([]);
    const plane = planeOfLabels(study.labels.find(viewer.labels), viewer);
    const place = { ...plane, ...this.#seen(), limit: MOST };
    try {
      const found = await study.get(at`labels/${viewer.labels}/objects`, place);
      if (turn === this.#turn) this.#draw(found.filter((/** @type {any} */ { id }) => !viewer.hidden.has(id)));
    } catch (error) {
      if (turn === this.#turn) this.#app.error(error);
    }
  }

  /** The part of the image that is seen. */
  #seen() {
    const { viewer, frame } = this.#app;
    const { left, top, right, bottom } = (frame?.viewerHost ?? document.body).getBoundingClientRect();
    const [from, to] = [viewer.toImage(left, top), viewer.toImage(right, bottom)];
    const whole = (/** @type {number} */ edge) => Math.max(0, edge);
    return {
      y0: whole(Math.floor(from.y)),
      y1: whole(Math.ceil(to.y)),
      x0: whole(Math.floor(from.x)),
      x1: whole(Math.ceil(to.x)),
    };
  }

  /** @param {{id: number, y0: number, y1: number, x0: number, x1: number}[]} cells */
  #draw(cells) {
    const shapes = cells.map(({ id, y0, y1, x0, x1 }) => ({
      points: [[(y0 + y1) / 2, (x0 + x1) / 2]],
      colour: COLOUR,
      text: String(id),
      size: Math.round(PX * this.#size),
      middle: true,
    }));
    this.#app.viewer.setLayer(LAYER, shapes.length ? { kind: "shapes", shapes } : null);
    fill(this.#said, cells.length === MOST && `IDs of the first ${MOST} cells; zoom in for others.`);
  }
}
