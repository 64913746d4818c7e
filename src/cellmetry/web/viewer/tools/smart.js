/**
 * Smart click: asks for a cell at a point and shows it; a second click into it takes it.
 * @module
 */
import { ClickTool } from "./clicks.js";
import { drawCross, drawLine, OFFER } from "./sketch.js";

/** @typedef {import("./bench.js").Point} Point */
/** @typedef {import("../viewer.js").Viewer} Viewer */
/** @typedef {{outline: number[][], base: number|null}} Offer */

export class SmartClick extends ClickTool {
  name = "smart";
  /** @type {Offer|null} */
  #offer = null;
  /** @type {Point|null} */
  #asked = null;
  #asking = new AbortController();

  /** Whether a proposed cell waits to be taken. */
  get offers() {
    return this.#offer !== null;
  }

  /** @param {number} _id @param {Point} point */
  clicked(_id, point) {
    if (this.#offer && isInside(point, this.#offer.outline)) this.confirm();
    else void this.#ask(point);
    return null;
  }

  /** @param {Point} point */
  async #ask(point) {
    this.cancel();
    this.#asked = point;
    const base = this.bench.desk.base();
    const { signal } = (this.#asking = new AbortController());
    this.bench.tell("asking", true);
    const said = await this.bench.desk.propose(point, signal);
    if (signal.aborted) return;
    this.bench.tell("asking", false);
    this.#asked = null;
    const outline = said?.outline ?? null;
    this.#offer = outline ? { outline, base } : null;
    this.bench.viewer.redraw();
  }

  /** Take the cell that is proposed; whether there was one. */
  confirm() {
    if (!this.#offer) return false;
    const { outline, base } = this.#offer;
    this.#offer = null;
    const { desk } = this.bench;
    desk.edit({ operation: "draw", parameters: { points: outline }, makes: desk.newId(), base, shown: { outline } });
    return true;
  }

  /** Leave it; whether there was one. */
  cancel() {
    const any = this.offers || this.#asked !== null;
    this.#asking.abort();
    this.bench.tell("asking", false);
    this.#offer = this.#asked = null;
    this.bench.viewer.redraw();
    return any;
  }

  /** @param {CanvasRenderingContext2D} context @param {Viewer} viewer */
  draw(context, viewer) {
    if (this.#asked) drawCross(context, viewer, [this.#asked.y, this.#asked.x]);
    if (this.#offer)
      drawLine(context, viewer, this.#offer.outline, { colour: OFFER, closed: true, dashed: true, fill: 0.18 });
  }
}

/** Whether a point lies inside an outline. @param {Point} point @param {number[][]} outline */
function isInside({ y, x }, outline) {
  let inside = false;
  outline.forEach(([y0, x0], k) => {
    const [y1, x1] = outline[(k + 1) % outline.length];
    if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) inside = !inside;
  });
  return inside;
}
