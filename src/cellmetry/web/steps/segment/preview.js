/** What the recipe finds in the field that is seen, before it is applied to all. @module */
import { fill, h } from "../../kernel/dom.js";
import { request } from "../../kernel/api.js";
import { icon } from "../../controls/icons.js";
import { lengthOf, pixelSizeOf } from "../../app/images.js";
import { contours, frameOf } from "../contours.js";
import { hasPlanes } from "./stack.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

const LAYER = "preview";
const COLOURS = ["#ffd54a", "#5fd0ff", "#ff8ad1", "#9cff8a"];
const MOST_SIDE = 2000;
const SETTLED_MS = 500;

/** A button; what was found in words and as outlines, both over the viewer; once shown it follows the form. */
export class Preview {
  #app;
  #wanted;
  #wrong;
  #said = h("div.preview-over", { "aria-live": "polite" });
  /** @type {AbortController|null} */
  #asking = null;
  #shown = false;
  #labelsSeen = true;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  #offs;

  /**
   * @param {App} app
   * @param {() => {recipe: string, set: string[]}} wanted
   * @param {(error: any) => void} wrong Tells of an error.
   */
  constructor(app, wanted, wrong) {
    this.#app = app;
    this.#wanted = wanted;
    this.#wrong = wrong;
    this.button = h(
      "button.grow",
      { type: "button", disabled: Boolean(app.openStudy.readOnly), onclick: () => this.run() },
      icon("eye"),
      "Preview",
    );
    app.frame?.viewerHost.append(this.#said);
    this.#offs = [app.look.on("change", () => this.clear()), app.openStudy.images.on("select", () => this.clear())];
  }

  close() {
    this.clear();
    this.#said.remove();
    for (const off of this.#offs) off();
  }

  /** The form has changed: show what it finds now, if a preview is seen. */
  follow() {
    if (!this.#shown) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.run(), SETTLED_MS);
  }

  /** Take the preview away. */
  clear() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    fill(this.#said);
    if (!this.#shown) return;
    this.#shown = false;
    this.#app.viewer.setLayer(LAYER, null);
    this.#app.viewer.setLabels({ visible: this.#labelsSeen });
  }

  /** Ask what is found in the field that is seen. */
  async run() {
    const { viewer, frame, openStudy: study } = this.#app;
    const { image } = viewer;
    if (!image || !frame) return;
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const wanted = this.#wanted();
      fill(this.#said, h("p.preview-said", {}, h("span.spinner.small-spinner"), "Looking at what is seen…"));
      const found = await study.post(
        "preview",
        { image: image.id, t: viewer.t, z: viewer.z, box: seenBox(viewer, frame.viewerHost), ...wanted },
        asking.signal,
      );
      const pixels = await Promise.all(
        found.seen.map((/** @type {any} */ each) => this.#pixels(each.pixels, asking.signal)),
      );
      const place = placeOf(image, wanted) + partOf(image, found.box);
      if (asking === this.#asking && viewer.image?.id === image.id) this.#show(found, pixels, place);
    } catch (error) {
      if (asking.signal.aborted) return;
      fill(this.#said);
      this.#wrong(error);
    }
  }

  /** @param {string} path @param {AbortSignal} signal */
  async #pixels(path, signal) {
    const answer = await request("GET", this.#app.openStudy.path + path, { signal });
    return new Uint32Array(await answer.arrayBuffer());
  }

  /** @param {any} found @param {Uint32Array[]} pixels @param {string} place */
  #show(found, pixels, place) {
    const { viewer } = this.#app;
    const [y0, y1, x0, x1] = found.box;
    const shapes = pixels.flatMap((ids, k) =>
      contours(ids, y1 - y0, x1 - x0, { y: y0, x: x0 }).map((points) => ({
        points,
        closed: true,
        colour: COLOURS[k % COLOURS.length],
        width: 2,
        cased: true,
      })),
    );
    if (!this.#shown) this.#labelsSeen = viewer.look.visible;
    this.#shown = true;
    viewer.setLabels({ visible: false });
    viewer.setLayer(LAYER, {
      kind: "shapes",
      shapes: partOf(viewer.image, found.box) ? [...shapes, frameOf(found.box)] : shapes,
    });
    fill(this.#said, this.#words(found, place));
  }

  /** @param {any} found @param {string} place */
  #words(found, place) {
    const um = pixelSizeOf(this.#app.viewer.image);
    const size = (/** @type {number|null} */ px) =>
      px === null ? "" : `, typically ${um ? `${(px * um).toPrecision(3)} µm` : `${px.toFixed(0)} px`} wide`;
    const lines = found.seen.map((/** @type {any} */ each, /** @type {number} */ k) => {
      const mark = h("span.preview-mark");
      mark.style.background = COLOURS[k % COLOURS.length];
      return h("li", {}, mark, `${each.n.toLocaleString("en")} ${each.name}${place}${size(each.median_diameter_px)}`);
    });
    const name = "End the preview";
    const end = h("button.quiet.square.small", { type: "button", "aria-label": name, title: name }, icon("close"));
    end.addEventListener("click", () => this.clear());
    return h("div.preview-said", {}, h("div.grow", {}, h("ul", {}, lines), notes(found.warnings)), end);
  }
}

/** Where in a Z stack cells were found. @param {ImageView} image @param {{set: string[]}} wanted */
function placeOf(image, { set }) {
  if (!hasPlanes(image)) return "";
  return set.some((change) => /\.stack="(max|mean)"$/.test(change)) ? " in the projection" : " in this plane";
}

/** That numbers are of a part of the plane only, and how much of it; empty where all is seen. @param {ImageView} image @param {number[]} box */
export function partOf(image, [y0, y1, x0, x1]) {
  const share = ((y1 - y0) * (x1 - x0)) / (lengthOf(image, "Y") * lengthOf(image, "X"));
  if (share >= 1) return "";
  const percent = 100 * share;
  return ` in the marked ${percent < 1 ? "< 1" : Math.min(99, Math.round(percent))} % of the image`;
}

/** @param {string[]} warnings */
export function notes(warnings) {
  if (!warnings.length) return null;
  const title = warnings.length === 1 ? "A note" : `${warnings.length} notes`;
  const lines = warnings.map((text) => h("p.quiet-text", {}, text));
  return h("details.fold-fields", {}, h("summary", {}, title), lines);
}

/**
 * The part of the image that is seen, at most what a preview takes.
 * @param {any} viewer @param {Element} host @returns {number[]}
 */
export function seenBox(viewer, host) {
  const { left, top, right, bottom } = host.getBoundingClientRect();
  const [height, width] = ["Y", "X"].map((axis) => viewer.image.header.shape[viewer.image.header.axes.indexOf(axis)]);
  const [a, b] = [viewer.toImage(left, top), viewer.toImage(right, bottom)];
  const side = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ length) => {
    const [least, most] = [Math.max(0, Math.floor(from)), Math.min(length, Math.ceil(to))];
    if (most - least <= MOST_SIDE) return most - least < 1 ? [0, Math.min(length, MOST_SIDE)] : [least, most];
    const start = Math.floor((least + most - MOST_SIDE) / 2);
    return [start, start + MOST_SIDE];
  };
  return [...side(a.y, b.y, height), ...side(a.x, b.x, width)];
}
