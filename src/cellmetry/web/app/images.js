/** The images of a study, and which one is looked at. @module */
import { Emitter } from "../kernel/emitter.js";
import { place } from "../kernel/place.js";

/** @typedef {import("./study.js").Study} Study */
/**
 * @typedef {object} ImageView An image as `GET images` gives it.
 * @property {string} id
 * @property {number} seq
 * @property {string} name
 * @property {"new"|"ready"|"failed"} state
 * @property {string} reason
 * @property {Record<string, any>} header
 * @property {string[]} warnings
 * @property {Record<string, any>} said
 * @property {string[]} files
 * @property {string[]} labels
 * @property {boolean} removed
 * @property {{state: "good"|"doubtful", faults: string[], reasons: string[]}|null} quality
 */

const PAGE = 1000;

/**
 * Tells `change` when images came, left or are said to be something else, and `select` when another one is looked at.
 */
export class ImageList extends Emitter {
  /** @type {ImageView[]} */
  all = [];
  loaded = false;
  /** @type {Map<string, ImageView>} */
  #byId = new Map();
  /** @type {string|null} */
  #current = null;
  /** @type {Promise<void>|null} */
  #loading = null;
  #again = false;
  #study;

  /** @param {Study} study */
  constructor(study) {
    super();
    this.#study = study;
    this.#current = place.get("image");
  }

  /** @param {string|null} id @returns {ImageView|undefined} */
  find(id) {
    return id === null ? undefined : this.#byId.get(id);
  }

  /** Those that can be looked at and worked on. @returns {ImageView[]} */
  get ready() {
    return this.all.filter((image) => image.state === "ready");
  }

  /** The image that is looked at; the first that can be if none was chosen. @returns {ImageView|null} */
  get current() {
    return this.find(this.#current) ?? this.all.find((image) => image.state === "ready") ?? null;
  }

  /** @param {string|null} id */
  select(id) {
    if (id === this.#current) return;
    this.#current = id;
    place.note({ image: id, t: null, z: null });
    this.tell("select", this.current);
    this.tell("change", this);
  }

  /** Look at the image that the address names, as another step or the browser's history does. */
  follow() {
    const id = place.get("image");
    if (id === null || id === this.#current) return;
    this.#current = id;
    this.tell("select", this.current);
    this.tell("change", this);
  }

  /** Look at the next (or a former) image that can be looked at. @param {number} by */
  step(by) {
    const ready = this.ready;
    const at = ready.findIndex((image) => image.id === this.current?.id);
    const next = ready[Math.min(ready.length - 1, Math.max(0, at + by))];
    if (next) this.select(next.id);
  }

  /** Read the list again; calls while it is being read become one more reading. @returns {Promise<void>} */
  load() {
    if (this.#loading) this.#again = true;
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #load() {
    do {
      this.#again = false;
      const all = await this.#study.pages("images", { sort: "seq" }, (image) => image.id, PAGE);
      const before = this.current?.id;
      this.all = all;
      this.#byId = new Map(all.map((image) => [image.id, image]));
      this.loaded = true;
      if (before !== this.current?.id) this.tell("select", this.current);
      this.tell("change", this);
    } while (this.#again);
  }
}

/**
 * Return the side of a pixel in µm as people said it, else as the file says it; null where nobody knows.
 * @param {ImageView} image
 * @returns {number|null}
 */
export function pixelSizeOf(image) {
  return image.said.pixel_size_um ?? image.header.pixel_size_um?.x ?? null;
}

/**
 * Return how many there are along an axis of an image ("T", "C", "Z", "Y", "X"), 1 where it has no such axis.
 * @param {ImageView} image
 * @param {string} axis
 * @returns {number}
 */
export function lengthOf(image, axis) {
  const at = (image.header.axes ?? "").indexOf(axis);
  return at < 0 ? 1 : image.header.shape[at];
}

/** Whether a channel, or a column named after one, likely shows nuclei. @param {string} name */
export const isNuclear = (name) => /dapi|hoechst|dna|nuc|h2b|draq|syto|propidium/i.test(name);
