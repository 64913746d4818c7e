/** Where the network sees cells, and where the labels disagree with it, over the picture. @module */
import { fill, h } from "../../kernel/dom.js";
import { pixelSizeOf } from "../../app/images.js";
import { planeOfLabels } from "../../app/labels.js";
import { MAP_KINDS, layerOf, legendOf, readReviewed } from "../field_maps.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../field_maps.js").ReviewView} ReviewView */

const LAYER = "map";
const OPACITY = 0.55;

/** A choice of maps, which is there once the network has looked at the labels that are shown. */
export class ReviewMaps {
  #app;
  #turn = 0;
  /** @type {ReviewView[]} */
  #maps = [];
  #image = "";
  #select = h("select", { onchange: () => this.#show() });
  #legend = h("div.map-legend");
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
    const kinds = Object.entries(MAP_KINDS).filter(([kind]) => this.#maps.some((map) => map.kind === kind));
    fill(
      this.#select,
      h("option", { value: "" }, "None"),
      kinds.map(([kind, { text }]) => h("option", { value: kind }, text)),
    );
    this.#select.value = kinds.some(([kind]) => kind === chosen) ? chosen : "";
    this.element.hidden = kinds.length === 0;
  }

  /** Show the map that is chosen, of the plane that is seen. */
  async #show() {
    const { viewer, openStudy: study } = this.#app;
    const turn = ++this.#turn;
    const { t, z } = planeOfLabels(study.labels.of(this.#image), viewer);
    const map = this.#maps.find((each) => each.kind === this.#select.value && each.t === t && each.z === z);
    if (!map) {
      fill(this.#legend);
      return viewer.setLayer(LAYER, null);
    }
    try {
      const read = await readReviewed(study.path, map);
      if (turn !== this.#turn) return;
      viewer.setLayer(LAYER, layerOf(read, OPACITY));
      fill(this.#legend, legendOf(read, viewer.image && pixelSizeOf(viewer.image)));
    } catch (error) {
      this.#app.error(error);
    }
  }
}
