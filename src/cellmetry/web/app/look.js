/** What is looked at: which plane and frame, of which image with which labels; shown in the viewer. @module */
import { Emitter } from "../kernel/emitter.js";
import { place } from "../kernel/place.js";
import { lengthOf } from "./images.js";

/** @typedef {import("./app.js").App} App */

/** Tells `change` when another frame, plane, image or labels are looked at. */
export class Look extends Emitter {
  #app;
  #offs;
  #shown = "";

  /** @param {App} app An app with a study and its viewer. */
  constructor(app) {
    super();
    this.#app = app;
    const { images, labels } = app.openStudy;
    this.#offs = [
      images.on("change", () => this.show()),
      labels.on("change", () => this.show()),
      app.viewer.on("shown", () => this.#note()),
      app.viewer.on("views", (/** @type {string} */ mode) => place.note({ views: mode === "one" ? null : mode })),
      app.viewer.on("labels", (/** @type {any} */ { visible }) => place.note({ hide: visible ? null : "labels" })),
    ];
    this.#restore();
  }

  /** What the address says of the views. */
  #restore() {
    const { viewer } = this.#app;
    if (place.get("hide") === "labels") viewer.setLabels({ visible: false });
    const views = place.get("views");
    if (views === "side" || views === "split") viewer.pair?.setMode(views);
  }

  /** Whether all planes are shown in one. @returns {"none"|"max"|"mean"} */
  get #projection() {
    const said = place.get("planes");
    return said === "max" || said === "mean" ? said : "none";
  }

  /** Frame that is looked at. */
  get t() {
    return this.#at("t", "T");
  }

  /** Plane that is looked at. */
  get z() {
    return this.#at("z", "Z");
  }

  /** Look at another frame or plane. @param {{t?: number, z?: number}} at */
  go(at) {
    place.note(at);
    this.show();
  }

  /** Show it, if it is not shown. @returns {Promise<void>} */
  async show() {
    if (!this.#app.viewing) return;
    const { images, labels } = this.#app.openStudy;
    const image = images.current?.state === "ready" ? images.current : null;
    const found = image && labels.of(image.id);
    const key = JSON.stringify([image?.id, image?.said, found?.id, this.t, this.z, this.#projection]);
    if (key === this.#shown) return;
    this.#shown = key;
    try {
      const projection = this.#projection;
      await this.#app.viewer.show({ image, labels: found?.id ?? null, t: this.t, z: this.z, projection });
      this.tell("change", this);
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** The viewer may go to another plane by itself, as by a key. */
  #note() {
    const { t, z, image, projection } = this.#app.viewer;
    if (image?.id !== this.#app.openStudy.images.current?.id) return;
    if (t === this.t && z === this.z && projection === this.#projection) return;
    place.note({ t, z, planes: projection === "none" ? null : projection });
    this.#shown = "";
    this.tell("change", this);
  }

  close() {
    for (const off of this.#offs) off();
  }

  /** @param {string} name @param {string} axis */
  #at(name, axis) {
    const image = this.#app.openStudy.images.current;
    const last = image?.state === "ready" ? lengthOf(image, axis) - 1 : 0;
    return Math.min(Math.max(0, Number(place.get(name)) || 0), last);
  }
}
