/** Counts what is seen as soon as it is seen, and again when the settings change. @module */
import { ApiError, request } from "../../kernel/api.js";
import { lengthOf } from "../../app/images.js";
import { partOf, seenBox } from "../segment/preview.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./card.js").CountRow} CountRow */
/** @typedef {import("./maps.js").LayerView} LayerView */
/** @typedef {{box: number[], whole: boolean, counts: CountRow[], layers: LayerView[], warnings: string[]}} Found */

const SOON_MS = 250;
const MOST_PIXELS = 4 * 1024 ** 2;

/** Keeps card and maps true to the image, the plane and the settings. */
export class LiveCount {
  /** What is shown. @type {Found|null} */
  found = null;
  #app;
  #settings;
  #card;
  #maps;
  #key = "";
  /** Image and plane of which the count is shown. */
  #place = "";
  /** @type {AbortController|null} */
  #asking = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  /**
   * @param {App} app
   * @param {import("./settings.js").CountSettings} settings
   * @param {import("./card.js").CountCard} card
   * @param {import("./maps.js").CountMaps} maps
   */
  constructor(app, settings, card, maps) {
    this.#app = app;
    this.#settings = settings;
    this.#card = card;
    this.#maps = maps;
  }

  close() {
    this.#end();
  }

  /** Count soon, unless what would be counted is what is shown; `anew` also then. @param {boolean} [anew] */
  plan(anew = false) {
    if (!this.#settings.loaded) return;
    const key = this.#now();
    if (key === this.#key && !anew) return;
    this.#end();
    this.#key = key;
    if (!this.#may()) return;
    const { viewer } = this.#app;
    const place = JSON.stringify([viewer.image.id, viewer.t, viewer.z]);
    if (place !== this.#place) this.#maps.blank();
    this.#card.wait(place !== this.#place);
    this.#place = place;
    this.#timer = setTimeout(() => this.#run(), SOON_MS);
  }

  /** Another place of the image is seen: count that soon, if only what is seen is counted. */
  moved() {
    if (this.#part()) this.plan();
  }

  #end() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  /** What is seen and how it would be counted, as a text. */
  #now() {
    const {
      viewer,
      openStudy: { images, labels, readOnly },
    } = this.#app;
    const name = this.#settings.labels;
    const given = name && viewer.image ? labels.of(viewer.image.id, name) : null;
    const place = [viewer.image?.id, images.current?.state, viewer.t, viewer.z, readOnly ? labels.name : this.#part()];
    return JSON.stringify([...place, this.wished, given?.id, given?.version]);
  }

  /** The part of a large image that is seen, which is counted; null of one that is counted as a whole. */
  #part() {
    const { viewer } = this.#app;
    if (!viewer.image || lengthOf(viewer.image, "Y") * lengthOf(viewer.image, "X") <= MOST_PIXELS) return null;
    return seenBox(viewer, viewer.element);
  }

  /** How is counted; null while a field is wrong, which is said beside it. */
  get wished() {
    try {
      return this.#settings.wanted;
    } catch {
      return null;
    }
  }

  /** Whether there is something to count by somebody who may. */
  #may() {
    const {
      viewer,
      openStudy: { readOnly },
    } = this.#app;
    if (viewer.image && !readOnly && this.wished) return true;
    this.#clear(this.#why());
    if (viewer.image && readOnly) this.#showReviewed();
    return false;
  }

  /** Why nothing is counted. */
  #why() {
    const { images, readOnly } = this.#app.openStudy;
    if (readOnly) return `${readOnly} Counts that were kept are in the table.`;
    if (images.current?.state === "new") return "Reading the image…";
    if (images.current?.state === "failed") return `It cannot be read: ${images.current.reason}`;
    return images.current ? "A setting is no value yet; it is said beside it." : "Drop an image to count its cells.";
  }

  /** @param {string} text Why there is no count. */
  #clear(text) {
    this.found = null;
    this.#maps.clear();
    this.#card.say(text);
  }

  async #run() {
    const { viewer, openStudy: study } = this.#app;
    const { image, t, z } = viewer;
    const asking = (this.#asking = new AbortController());
    try {
      const box = this.#part();
      const asked = { image: image.id, t, z, ...(box ? { box } : {}), ...this.wished };
      const found = await study.post("preview/count", asked, asking.signal);
      const values = await Promise.all(
        found.layers.map((/** @type {LayerView} */ layer) => this.#values(layer, asking.signal)),
      );
      if (asking.signal.aborted || viewer.image?.id !== image.id) return;
      this.found = found;
      this.#card.show({ ...found, part: partOf(image, found.box), labels: asked.labels ?? null });
      this.#maps.show(found, values);
      if (!found.layers.some((/** @type {LayerView} */ layer) => layer.kind === "density")) this.#showReviewed();
    } catch (error) {
      if (!asking.signal.aborted) this.#failed(error);
    }
  }

  /** @param {LayerView} layer @param {AbortSignal} signal */
  async #values(layer, signal) {
    return (await request("GET", this.#app.openStudy.path + layer.pixels, { signal })).arrayBuffer();
  }

  /** @param {unknown} error */
  #failed(error) {
    this.#key = "";
    const known = error instanceof ApiError && error.status > 0 && error.status < 500;
    this.#clear(known ? error.message : "It was not counted.");
    if (!known) this.#app.error(error);
    if (error instanceof ApiError) this.#settings.showError(error);
    this.#showReviewed();
  }

  /** The maps that a review of corrections made are better than none. */
  #showReviewed() {
    const name = this.#settings.labels ?? this.#app.openStudy.labels.name;
    if (name) this.#maps.showReviewed(name).catch((error) => this.#app.error(error));
  }
}
