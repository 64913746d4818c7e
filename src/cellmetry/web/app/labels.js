/** The label images of a study. @module */
import { at } from "../kernel/api.js";
import { Emitter } from "../kernel/emitter.js";
import { place } from "../kernel/place.js";

/** @typedef {import("./study.js").Study} Study */
/**
 * @typedef {object} LabelsView Labels as `GET labels` gives them.
 * @property {string} id
 * @property {string} image
 * @property {string} name
 * @property {string} axes
 * @property {number[]} shape
 * @property {number} version
 * @property {number} next_id Smallest id that was never used.
 * @property {number} outlines Objects, each counted once in every plane where it is.
 * @property {number} objects Objects, each counted once, but once a plane where planes are not linked.
 * @property {boolean|null} linked_z Whether an id means one body through all planes.
 * @property {Record<string, any>} origin
 * @property {boolean} right Whether somebody said that all cells are right.
 * @property {number} reviewed Part that was looked through, 0 to 1.
 * @property {boolean} teaches Whether a training takes them if nobody names images.
 */

const PAGE = 1000;

/** How many planes of a Z stack have cells of their own; 1 where each cell is one. @param {LabelsView|null} labels */
export function planesApart(labels) {
  const at = labels && labels.linked_z === false ? labels.axes.indexOf("Z") : -1;
  return labels && at >= 0 ? labels.shape[at] : 1;
}

/**
 * Frame and plane of labels at a place of their image: those without frames or planes of their own have one for all.
 * @param {Pick<LabelsView, "axes"|"shape">|null|undefined} labels @param {{t: number, z: number}} at
 */
export function planeOfLabels(labels, { t, z }) {
  const { axes = "", shape = [] } = labels ?? {};
  const last = (/** @type {string} */ axis) => (axes.includes(axis) ? shape[axes.indexOf(axis)] - 1 : 0);
  return { t: Math.min(t, last("T")), z: Math.min(z, last("Z")) };
}

/**
 * Tells `change` when label images came, left or were edited, and `select` when labels of another name are looked at.
 */
export class LabelsList extends Emitter {
  /** @type {LabelsView[]} */
  all = [];
  /** @type {Map<string, LabelsView[]>} Newest first. */
  #byImage = new Map();
  /** @type {Promise<void>|null} */
  #loading = null;
  #again = false;
  /** Labels that were edited since their counts were read. @type {Set<string>} */
  #edited = new Set();
  #study;

  /** @param {Study} study */
  constructor(study) {
    super();
    this.#study = study;
  }

  /** All names of labels, the first made first. @returns {string[]} */
  get names() {
    return [...new Set(this.all.map((labels) => labels.name))];
  }

  /** Name of the labels that are looked at. @returns {string|null} */
  get name() {
    const asked = place.get("labels");
    return asked !== null && this.names.includes(asked) ? asked : (this.names[0] ?? null);
  }

  /** Look at the labels of this name. @param {string} name */
  select(name) {
    if (name === this.name) return;
    place.note({ labels: name });
    this.tell("select", name);
    this.tell("change", this);
  }

  /**
   * Return the newest labels of an image: those of a name, else those that are looked at, else any.
   * @param {string} imageId
   * @param {string} [name]
   * @returns {LabelsView|null}
   */
  of(imageId, name) {
    const all = this.#byImage.get(imageId) ?? [];
    if (name !== undefined) return all.find((labels) => labels.name === name) ?? null;
    return all.find((labels) => labels.name === this.name) ?? all[0] ?? null;
  }

  /**
   * Whether somebody said that all cells of an image's labels of a name are right.
   * @param {string} imageId @param {string|null} name
   */
  areRight(imageId, name) {
    const all = this.#byImage.get(imageId) ?? [];
    return all.some((labels) => labels.right && labels.name === name);
  }

  /** @param {string} id @returns {LabelsView|undefined} */
  find(id) {
    return this.all.find((labels) => labels.id === id);
  }

  /** Note the version that an edit made; its counts are known by `readEdited`. @param {{labels: string, version: number|null}} edit */
  edited({ labels, version }) {
    const found = this.find(labels);
    if (!found || version === null) return;
    found.version = Math.max(found.version, version);
    found.teaches = true;
    this.#edited.add(labels);
    this.tell("change", this);
  }

  /** Read what edits changed: counts, and whether the labels teach. */
  async readEdited() {
    const edited = [...this.#edited];
    this.#edited.clear();
    for (const each of edited) {
      const read = await this.#study.get(at`labels/${each}`);
      const found = this.find(each);
      if (found && read.version >= found.version) Object.assign(found, read);
    }
    this.tell("change", this);
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
      this.all = await this.#study.pages("labels", {}, (labels) => labels.id, PAGE);
      this.#byImage = new Map();
      for (const each of this.all) this.#byImage.set(each.image, [each, ...(this.#byImage.get(each.image) ?? [])]);
      this.tell("change", this);
    } while (this.#again);
  }
}
