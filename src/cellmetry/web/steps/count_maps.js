/** Maps of a count in the viewer: the objects, and beside them where cells are dense or the counters differ. @module */
import { fill, h } from "../kernel/dom.js";
import { request } from "../kernel/api.js";
import { labelled } from "../controls/labelled.js";
import { slider } from "../controls/range.js";
import { numberText } from "../table/words.js";
import { pixelSizeOf } from "../app/images.js";
import { noteTaste, taste } from "../app/tastes.js";
import { colourAt } from "../viewer/palette.js";
import { coloured } from "../viewer/overlay.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {"density"|"disagreement"} MapKind */
/** @typedef {{kind: "cells"|MapKind, shape: [number, number], block: number, limits: [number, number], pixels: string}} LayerView */
/**
 * @typedef {object} FieldMap
 * @property {MapKind} kind
 * @property {Float32Array} data
 * @property {number} height
 * @property {number} width
 * @property {number} block Side of a value in pixels of the image; a density is the sum over all of them.
 * @property {number} low
 * @property {number} high
 * @property {number[]} box y0, y1, x0, x1 that it covers.
 * @property {string} path Of its values, below the study.
 */

const MAP = "count map";
const CELLS = "count cells";
const TASTE = "count.map";
const STEPS = 9;
/** How strongly each map covers the image until somebody says otherwise. */
const OPACITIES = { density: 0.85, disagreement: 0.6 };
/** @type {Record<MapKind, {text: string, palette: string, ends: (map: FieldMap, um: number|null) => [string, string]}>} */
const KINDS = {
  density: { text: "Density", palette: "magma", ends: (map, um) => ["0", densityText(map.high / map.block ** 2, um)] },
  disagreement: {
    text: "Disagreement",
    palette: "balance",
    ends: (map) => [`more objects ${map.low.toFixed(1).replace("-", "−")}`, `${map.high.toFixed(1)} more density`],
  },
};

/** What is seen of a count, and the controls for it. */
export class CountMaps {
  #app;
  #choice = h("select");
  #strength;
  /** @type {Record<string, number>} */
  #opacities;
  #legend = h("div.count-legend");
  /** @type {FieldMap[]} */
  #maps = [];
  /** Maps of the last review, of an image of which nothing was counted. @type {FieldMap[]} */
  #reviewed = [];
  #wasOne;
  #labelsSeen = true;
  #covers = false;
  #modeChanged = () => this.#draw();

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    const { kind, opacities } = taste(TASTE, { kind: "density", opacities: OPACITIES });
    this.#opacities = opacities;
    this.#strength = slider({
      label: "Strength",
      min: 0,
      max: 100,
      value: 0,
      show: (value) => `${value} %`,
      oninput: (value) => this.#setOpacity(value / 100),
    });
    fill(
      this.#choice,
      [
        ["density", KINDS.density.text],
        ["disagreement", KINDS.disagreement.text],
        ["", "None"],
      ].map(([value, text]) => h("option", { value }, text)),
    );
    this.#choice.value = kind;
    this.#choice.addEventListener("change", () => this.#keep());
    this.element = h(
      "div.stack",
      {},
      labelled("Map beside the cells", this.#choice),
      this.#strength.element,
      this.#legend,
    );
    const { pair } = app.viewer;
    this.#wasOne = pair.mode === "one";
    pair.control.addEventListener("change", this.#modeChanged);
    if (this.#wasOne) pair.setMode("side");
    this.#draw();
  }

  close() {
    const { viewer } = this.#app;
    this.clear();
    viewer.pair.second?.setLayer("regions", null);
    viewer.pair.control.removeEventListener("change", this.#modeChanged);
    if (this.#wasOne) viewer.pair.setMode("one");
  }

  /** Maps that may be saved. @returns {FieldMap[]} */
  get all() {
    return this.#maps;
  }

  /** Take away what was counted of another place; the study's labels stay hidden until it is known what is here. */
  blank() {
    this.#maps = [];
    this.#reviewed = [];
    this.#app.viewer.setLayer(CELLS, null);
    this.#draw();
  }

  /** Take everything away. */
  clear() {
    this.blank();
    this.#uncover();
  }

  /**
   * Show a count that was made.
   * @param {{box: number[], layers: LayerView[]}} found @param {ArrayBuffer[]} values Of each layer.
   */
  show({ box, layers }, values) {
    const cells = layers.findIndex((layer) => layer.kind === "cells");
    this.#maps = layers.flatMap((layer, k) => (layer.kind === "cells" ? [] : [mapOf(layer, values[k], box)]));
    this.#reviewed = [];
    if (cells < 0) this.#uncover();
    else this.#cover();
    const ids = cells < 0 ? null : new Uint32Array(values[cells]);
    this.#app.viewer.setLayer(CELLS, ids && { kind: "labels", ids, box, fill: 0.18 });
    this.#draw();
  }

  /** Show the maps that the newest review of labels made of an image, if it did. @param {string} labels Their name. */
  async showReviewed(labels) {
    const { viewer, openStudy: study } = this.#app;
    const { image, t, z } = viewer;
    /** @type {any[]} */
    const found = await study.get("maps", { image: image.id, labels });
    const here = found.filter((each) => each.t === t && each.z === z);
    const maps = await Promise.all(
      here.map(async ({ kind, block, shape, low, high, pixels }) => {
        const layer = { kind, block, shape, limits: /** @type {[number, number]} */ ([low, high]), pixels };
        const answer = await request("GET", study.path + pixels);
        return mapOf(layer, await answer.arrayBuffer(), [0, shape[0] * block, 0, shape[1] * block]);
      }),
    );
    if (viewer.image?.id !== image.id || this.#maps.length) return;
    this.#reviewed = maps;
    this.#draw();
  }

  /** The objects that were found are seen in the place of the study's labels. */
  #cover() {
    if (this.#covers) return;
    this.#covers = true;
    this.#labelsSeen = this.#app.viewer.look.visible;
    this.#app.viewer.setLabels({ visible: false });
  }

  #uncover() {
    if (!this.#covers) return;
    this.#covers = false;
    this.#app.viewer.setLabels({ visible: this.#labelsSeen });
  }

  #keep() {
    noteTaste(TASTE, { kind: this.#choice.value, opacities: this.#opacities });
    this.#draw();
  }

  /** @param {number} opacity */
  #setOpacity(opacity) {
    this.#opacities = { ...this.#opacities, [this.#choice.value]: opacity };
    this.#keep();
  }

  /** In the second view, or over the image where there is only one. */
  #draw() {
    const { viewer } = this.#app;
    const maps = this.#maps.length ? this.#maps : this.#reviewed;
    const map = maps.find((each) => each.kind === this.#choice.value) ?? null;
    const target = viewer.pair.second ?? viewer;
    if (target !== viewer) {
      viewer.setLayer(MAP, null);
      target.setLayer("regions", viewer.layers.get("regions") ?? null);
    }
    const opacity = this.#opacities[this.#choice.value];
    target.setLayer(MAP, map && { kind: "map", pixels: map, palette: KINDS[map.kind].palette, opacity, box: map.box });
    this.#strength.set(Math.round(100 * (opacity ?? 0)));
    fill(
      this.#legend,
      map
        ? legendOf(map, viewer.image && pixelSizeOf(viewer.image))
        : this.#choice.value && h("p.quiet-text", {}, "Nothing was mapped yet."),
    );
  }
}

/** @param {LayerView} layer @param {ArrayBuffer} values @param {number[]} field @returns {FieldMap} */
function mapOf({ kind, shape: [height, width], block, limits: [low, high], pixels }, values, [y0, , x0]) {
  const box = [y0, y0 + height * block, x0, x0 + width * block];
  const data = new Float32Array(values);
  return { kind: /** @type {MapKind} */ (kind), data, height, width, block, low, high, box, path: pixels };
}

/** @param {number} density Cells per pixel. @param {number|null} um Side of a pixel. */
const densityText = (density, um) =>
  um
    ? `${numberText((density * 1e6) / um ** 2, 2)} cells/mm²`
    : `${numberText(density * 1e4, 2)} cells in 100 × 100 px`;

/** @param {FieldMap} map @param {number|null} um Side of a pixel, if it is known. */
function legendOf(map, um) {
  const { palette, ends } = KINDS[map.kind];
  const stops = Array.from({ length: STEPS }, (_, k) => colourAt(palette, k / (STEPS - 1)));
  const bar = h("div.count-bar");
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  return [
    bar,
    h(
      "div.count-ends.number",
      {},
      ends(map, um).map((text) => h("span", {}, text)),
    ),
  ];
}

/** A map as a picture, one pixel a value, in the colours in which it is seen. @param {FieldMap} map @returns {Promise<Blob>} */
export async function pictureOf(map) {
  const canvas = coloured(map, KINDS[map.kind].palette);
  return new Promise((answer, refuse) =>
    canvas.toBlob((blob) => (blob ? answer(blob) : refuse(new Error("The browser could not make the picture.")))),
  );
}

/** What a kind of map is called. @param {MapKind} kind */
export const nameOfMap = (kind) => KINDS[kind].text;
