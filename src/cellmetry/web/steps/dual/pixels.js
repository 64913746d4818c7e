/** The size of a pixel in the step Two channels, and what is measured with it. @module */
import { fill, h } from "../../kernel/dom.js";
import { pixelSidesOf } from "../../app/images.js";
import { pixelFields } from "../../app/pixel_fields.js";
import { counted, shared } from "../../app/said.js";
import { numberText } from "../../table/words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

const WHAT =
  "Areas are pixels × width × height. Distances in µm (rings, profiles, peaks, local background) use both sides. Those " +
  "in pixels or per cent of the way to the edge count pixels; by DualCellQuant's rules, peaks in µm are per cent of the " +
  "radius of a circle of the cell's area.";

/** The section "Pixel size" of the images that are quantified. */
export class PixelSizes {
  #app;
  #images;
  #title = h("span");
  #fields = h("div");
  #off;
  #shown = "";

  /** @param {App} app @param {() => ImageView[]} images Those that are quantified. */
  constructor(app, images) {
    this.#app = app;
    this.#images = images;
    this.element = h(
      "details.dual-section",
      { dataset: { section: "pixels" } },
      h("summary", {}, this.#title),
      h("div.stack.dual-ids", {}, this.#fields, h("p.quiet-text", {}, WHAT)),
    );
    this.#off = app.openStudy.images.on("change", () => this.show());
    this.show();
  }

  close() {
    this.#off();
  }

  show() {
    const chosen = this.#images();
    const key = JSON.stringify(chosen.map((image) => [image.id, pixelSidesOf(image)]));
    if (key === this.#shown) return;
    this.#shown = key;
    fill(this.#title, `Pixel size: ${sidesText(shared(chosen, pixelSidesOf))}`);
    fill(
      this.#fields,
      chosen.length > 1 && h("p", {}, `Of ${counted(chosen.length, "image")}:`),
      chosen.length > 0 && pixelFields(this.#app, chosen),
    );
  }
}

/** @param {{x: number, y: number}|null|undefined} sides */
function sidesText(sides) {
  if (sides === undefined) return "several";
  if (sides === null) return "not known";
  const [width, height] = [sides.x, sides.y].map((side) => numberText(side, 3));
  return sides.x === sides.y ? `${width} µm` : `${width} × ${height} µm`;
}
