/** Where the network sees cells, and where the labels disagree with it, over the picture. @module */
import { fill, h } from "../kernel/dom.js";
import { request } from "../kernel/api.js";
import { colourAt } from "../viewer/palette.js";

/** @typedef {import("../app/app.js").App} App */
/**
 * @typedef {object} MapView A map as `GET maps` tells of it.
 * @property {"density"|"disagreement"} kind
 * @property {number} t
 * @property {number} z
 * @property {number} block
 * @property {[number, number]} shape
 * @property {number} low
 * @property {number} high
 * @property {string} pixels
 */

const LAYER = "map";
const KINDS = { density: "Density of cells", disagreement: "Where labels disagree" };
const PALETTE = { density: "viridis", disagreement: "magma" };
const UNIT = { density: "cells in a block", disagreement: "standard units" };
const STEPS = 24;

/** A choice of maps, which is there once the network has looked at the labels that are shown. */
export class ReviewMaps {
  #app;
  #turn = 0;
  /** @type {MapView[]} */
  #maps = [];
  #image = "";
  #select = h("select", { onchange: () => this.#show() });
  #legend = h("div.correct-legend", { hidden: true });
  #offs;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    const field = h("label.correct-result", {}, h("span.quiet-text", {}, "Map"), this.#select);
    this.element = h("div.correct-maps", { hidden: true }, field, this.#legend);
    const { jobs, labels } = app.openStudy;
    this.#offs = [
      app.viewer.on("shown", () => this.#look()),
      labels.on("select", () => this.#read()),
      jobs.on("ended", (job) => job.kind === "review" && this.#read()),
    ];
    void this.#read();
  }

  close() {
    this.#turn++;
    this.#app.viewer.setLayer(LAYER, null);
    for (const off of this.#offs) off();
  }

  /** Another image or plane may be shown now. */
  #look() {
    if (this.#app.viewer.image?.id === this.#image) void this.#show();
    else void this.#read();
  }

  async #read() {
    const { viewer, openStudy: study } = this.#app;
    const turn = ++this.#turn;
    this.#image = viewer.image?.id ?? "";
    if (!this.#image || study.labels.name === null) return;
    try {
      const maps = await study.get("maps", { image: this.#image, labels: study.labels.name });
      if (turn !== this.#turn) return;
      this.#maps = maps;
      this.#offer();
      await this.#show();
    } catch (error) {
      this.#app.error(error);
    }
  }

  #offer() {
    const chosen = this.#select.value;
    const kinds = Object.entries(KINDS).filter(([kind]) => this.#maps.some((map) => map.kind === kind));
    fill(
      this.#select,
      h("option", { value: "" }, "None"),
      kinds.map(([kind, text]) => h("option", { value: kind }, text)),
    );
    this.#select.value = kinds.some(([kind]) => kind === chosen) ? chosen : "";
    this.element.hidden = kinds.length === 0;
  }

  /** Show the map that is chosen, of the plane that is seen. */
  async #show() {
    const { viewer, openStudy: study } = this.#app;
    const turn = ++this.#turn;
    const { t, z } = viewer;
    const map = this.#maps.find((each) => each.kind === this.#select.value && each.t === t && each.z === z);
    this.#showLegend(map ?? null);
    if (!map) return viewer.setLayer(LAYER, null);
    try {
      const answer = await request("GET", study.path + map.pixels);
      const data = new Float32Array(await answer.arrayBuffer());
      if (turn === this.#turn) viewer.setLayer(LAYER, layerOf(map, data));
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {MapView|null} map */
  #showLegend(map) {
    this.#legend.hidden = !map;
    if (!map) return;
    const bar = h("span.correct-legend-bar", { "aria-hidden": "true" });
    const colours = Array.from({ length: STEPS }, (_, k) => colourAt(PALETTE[map.kind], k / (STEPS - 1)));
    bar.style.background = `linear-gradient(90deg, ${colours.join(", ")})`;
    const [low, high] = [map.low, map.high].map((value) => h("span.number", {}, Number(value.toPrecision(2))));
    fill(this.#legend, low, bar, high, h("span.quiet-text", {}, UNIT[map.kind]));
  }
}

/** @param {MapView} map @param {Float32Array} data @returns {import("../viewer/overlay.js").MapLayer} */
function layerOf({ kind, block, shape: [height, width], low, high }, data) {
  const box = [0, height * block, 0, width * block];
  return { kind: "map", pixels: { data, height, width, low, high }, palette: PALETTE[kind], opacity: 0.55, box };
}
