/**
 * The label images that a viewer has read: of each, which version is the newest that is known.
 *
 * A tile is asked for by version and epoch, so that the browser may keep it for ever. Here it is kept by its place alone:
 * what an edit changed is shown as it was until it is read again.
 * @module
 */
import { at } from "../kernel/api.js";
import { Pyramid } from "./pyramid.js";

/** @typedef {import("./tile_store.js").TileStore} TileStore */

export class KnownLabels {
  /** @type {Map<string, Pyramid>} */
  #pyramids = new Map();
  /** Versions that were heard of, also of labels that were never read. @type {Map<string, number>} */
  #heard = new Map();
  #study;
  #store;

  /** @param {string} study Path of it, "studies/ID/". @param {TileStore} store */
  constructor(study, store) {
    this.#study = study;
    this.#store = store;
  }

  /**
   * Return the tiles of labels as they are described now; what is older than that is read again.
   * @param {string} labels @returns {Promise<Pyramid>}
   */
  async read(labels) {
    const now = await Pyramid.read(this.#study + at`labels/${labels}`);
    const known = this.#pyramids.get(labels) ?? now;
    const other = known.epoch !== now.epoch;
    if (other || Number(known.version) < Number(now.version)) this.#store.spoilAll(`${known.path}/`);
    if (other) this.#heard.delete(labels);
    if (other) Object.assign(known, { epoch: now.epoch, version: now.version });
    this.#pyramids.set(labels, known);
    this.#raise(labels, Number(now.version));
    return known;
  }

  /**
   * Read tiles again when they are wanted, all of them if none are named.
   * @param {string} labels @param {number[][]|null} tiles Level, t, z, row, column. @param {number} version
   */
  refresh(labels, tiles, version) {
    this.#raise(labels, version);
    const path = this.#pyramids.get(labels)?.path;
    if (path === undefined) return;
    if (!tiles) this.#store.spoilAll(`${path}/`);
    else
      for (const [level, t, z, row, column] of tiles) this.#store.spoil(`${path}/${t}/${z}/${level}/${row}/${column}`);
  }

  /** @param {string} labels @param {number} version That there is, at least. */
  #raise(labels, version) {
    const newest = Math.max(version, this.#heard.get(labels) ?? 0);
    this.#heard.set(labels, newest);
    const known = this.#pyramids.get(labels);
    if (known) known.version = Math.max(known.version ?? 0, newest);
  }
}
