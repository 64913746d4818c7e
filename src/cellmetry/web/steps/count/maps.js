/** Maps of a count in the viewer: the objects, and beside them where cells are dense or the counters differ. @module */
import { fill, h } from "../../kernel/dom.js";
import { labelled } from "../../controls/labelled.js";
import { slider } from "../../controls/range.js";
import { pixelSizeOf } from "../../app/images.js";
import { planeOfLabels } from "../../app/labels.js";
import { noteTaste, taste } from "../../app/tastes.js";
import { frameOf } from "../contours.js";
import { MAP_KINDS, layerOf, legendOf, mapOf, readReviewed } from "../field_maps.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{kind: "cells"|MapKind, shape: [number, number], block: number, limits: [number, number], pixels: string}} LayerView */
/** @typedef {import("../field_maps.js").FieldMap} FieldMap */
/** @typedef {import("../field_maps.js").MapKind} MapKind */

const MAP = "count map";
const CELLS = "count cells";
const PART = "counted part";
const TASTE = "count.map";
/** How strongly each map covers the image until somebody says otherwise. */
const OPACITIES = { density: 0.85, disagreement: 0.6 };
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
  /** Number of what was asked to be seen last: maps that were asked for before are not shown any more. */
  #turn = 0;
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
        ["density", MAP_KINDS.density.text],
        ["disagreement", MAP_KINDS.disagreement.text],
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
    this.#turn++;
    this.#maps = [];
    this.#reviewed = [];
    for (const name of [CELLS, PART]) this.#app.viewer.setLayer(name, null);
    this.#draw();
  }

  /** Take everything away. */
  clear() {
    this.blank();
    this.#uncover();
  }

  /**
   * Show a count that was made.
   * @param {{box: number[], whole: boolean, layers: LayerView[]}} found @param {ArrayBuffer[]} values Of each layer.
   */
  show({ box, whole, layers }, values) {
    this.#turn++;
    const cells = layers.findIndex((layer) => layer.kind === "cells");
    this.#maps = layers.flatMap((layer, k) => (layer.kind === "cells" ? [] : [mapOf(layer, values[k], box)]));
    this.#reviewed = [];
    if (cells < 0) this.#uncover();
    else this.#cover();
    const ids = cells < 0 ? null : new Uint32Array(values[cells]);
    this.#app.viewer.setLayer(PART, whole ? null : { kind: "shapes", shapes: [frameOf(box)] });
    this.#app.viewer.setLayer(CELLS, ids && { kind: "labels", ids, box, fill: 0.18 });
    this.#draw();
  }

  /** Show the maps that the newest review of labels made of an image, if it did. @param {string} labels Their name. */
  async showReviewed(labels) {
    const { viewer, openStudy: study } = this.#app;
    const { image } = viewer;
    const { t, z } = planeOfLabels(study.labels.of(image.id, labels), viewer);
    const turn = ++this.#turn;
    /** @type {import("../field_maps.js").ReviewView[]} */
    const found = await study.get("maps", { image: image.id, labels });
    const here = found.filter((each) => each.t === t && each.z === z);
    const maps = await Promise.all(here.map((each) => readReviewed(study.path, each)));
    if (turn !== this.#turn || this.#maps.length) return;
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
    const opacity = this.#opacities[this.#choice.value] ?? 0;
    target.setLayer(MAP, map && layerOf(map, opacity));
    this.#strength.set(Math.round(100 * opacity));
    fill(
      this.#legend,
      map
        ? legendOf(map, viewer.image && pixelSizeOf(viewer.image))
        : this.#choice.value && h("p.quiet-text", {}, "Nothing was mapped yet."),
    );
  }
}
