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
 * @property {string} sha256 Of its files: the same for copies.
 * @property {{state: "good"|"doubtful", faults: string[], reasons: string[], middle: [number, number]|null}|null} quality
 */

const PAGE = 1000;

/**
 * Tells `change` when images came, left or are said to be something else, `select` when another one is looked at, and
 * `lost` with the image that was looked at and has left.
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
  /** Names without the folder that all have in common, by id. @type {Map<string, string>} */
  #short = new Map();
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

  /** What an image is called where room is short: without the folder that all have in common. @param {ImageView} image */
  shortName(image) {
    return this.#short.get(image.id) ?? image.name;
  }

  /** Those that can be looked at and worked on. @returns {ImageView[]} */
  get ready() {
    return this.all.filter((image) => image.state === "ready");
  }

  /** Images that jobs work on where none are named. */
  get used() {
    return this.ready.filter((image) => !image.said.excluded);
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
      const lost = this.current;
      const before = lost?.id;
      this.all = all;
      this.#byId = new Map(all.map((image) => [image.id, image]));
      const short = withoutFolder(all.map((image) => image.name));
      this.#short = new Map(all.map((image, k) => [image.id, short[k]]));
      this.loaded = true;
      if (before !== this.current?.id) this.tell("select", this.current);
      this.tell("change", this);
      if (lost && !this.#byId.has(lost.id)) this.tell("lost", lost);
    } while (this.#again);
  }
}

/** Names without the folders that all of them have in common. @param {string[]} names */
export function withoutFolder(names) {
  const folders = (names[0] ?? "").split("/").slice(0, -1);
  while (folders.length && !names.every((name) => name.startsWith(`${folders.join("/")}/`))) folders.pop();
  const length = folders.length ? folders.join("/").length + 1 : 0;
  return names.map((name) => name.slice(length));
}

/**
 * Return width and height of a pixel in µm as people said them, else as the file says them; null where nobody knows.
 * @param {ImageView} image
 * @returns {{x: number, y: number}|null}
 */
export function pixelSidesOf({ said, header }) {
  const { pixel_size_um: side, pixel_size_y_um: height } = said;
  const x = side ?? header.pixel_size_um?.x ?? null;
  const y = height ?? side ?? header.pixel_size_um?.y ?? null;
  return x === null || y === null ? null : { x, y };
}

/** Return the side in µm of the square as large as a pixel; null where nobody knows. @param {ImageView} image */
export function pixelSizeOf(image) {
  const sides = pixelSidesOf(image);
  if (!sides) return null;
  return sides.x === sides.y ? sides.x : Math.sqrt(sides.x * sides.y);
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
