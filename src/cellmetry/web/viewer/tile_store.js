/**
 * The tiles that are kept and those that are being read. What nobody looks at any more is not read to its end.
 * @module
 */
import { Emitter } from "../kernel/emitter.js";

const AT_ONCE = 5;
const AGAIN_AFTER_MS = 3000;
const MUCH_LATER_MS = 60_000;
const QUIET_MS = 15_000;

/**
 * @typedef {object} Tile
 * @property {any} values Typed array; null if all of it is 0.
 * @property {Set<number>} [ids] Of labels, objects in it.
 */
/** @typedef {{key: string, load: (signal: AbortSignal) => Promise<Tile>}} Wish */

/** Tells "tile" {key, tile} when one was read and "error" when one could not be. */
export class TileStore extends Emitter {
  /** @type {Map<string, {tile: Tile, bytes: number, stale: boolean}>} */
  #kept = new Map();
  /** @type {Map<string, AbortController>} */
  #running = new Map();
  /** @type {Map<string, number>} */
  #failed = new Map();
  /** @type {Wish[]} */
  #wishes = [];
  #bytes = 0;
  #complained = -QUIET_MS;
  #most;

  /** @param {number} mostBytes */
  constructor(mostBytes) {
    super();
    this.#most = mostBytes;
  }

  /** @param {string} key @returns {Tile|undefined} */
  get(key) {
    const entry = this.#kept.get(key);
    if (!entry) return undefined;
    this.#kept.delete(key); // the used last are at the end
    this.#kept.set(key, entry);
    return entry.tile;
  }

  /** A tile, without saying that it is used. @param {string} key @returns {Tile|undefined} */
  peek(key) {
    return this.#kept.get(key)?.tile;
  }

  /** @param {string} key */
  has(key) {
    return this.#kept.has(key);
  }

  /** Whether a tile is there and need not be read again. @param {string} key */
  isFresh(key) {
    return this.#kept.get(key)?.stale === false;
  }

  /** Whether nothing that is wanted is missing. */
  get idle() {
    return this.#running.size === 0 && !this.#next();
  }

  /** @param {string} key @param {Tile} tile */
  put(key, tile) {
    const bytes = (tile.values?.byteLength ?? 0) + 100;
    this.#bytes += bytes - (this.#kept.get(key)?.bytes ?? 0);
    this.#kept.delete(key);
    this.#kept.set(key, { tile, bytes, stale: false });
    for (const [old, entry] of this.#kept) {
      if (this.#bytes <= this.#most || old === key) break;
      this.#kept.delete(old);
      this.#bytes -= entry.bytes;
    }
  }

  /** Read a tile again when it is wanted next; it is kept until then. @param {string} key */
  spoil(key) {
    const entry = this.#kept.get(key);
    if (entry) entry.stale = true;
    this.#running.get(key)?.abort(); // it may have been answered before what spoilt it
    this.#running.delete(key);
  }

  /** Spoil all tiles whose keys begin so. @param {string} start */
  spoilAll(start) {
    for (const key of [...this.#kept.keys(), ...this.#running.keys()]) if (key.startsWith(start)) this.spoil(key);
  }

  /** All keys that begin so. @param {string} start */
  keys(start) {
    return [...this.#kept.keys()].filter((key) => key.startsWith(start));
  }

  /**
   * Read these, in this order, as far as they are not there; end reading others.
   * @param {Wish[]} wishes
   */
  want(wishes) {
    this.#wishes = wishes;
    const keys = new Set(wishes.map((each) => each.key));
    for (const [key, reading] of this.#running) {
      if (keys.has(key)) continue;
      reading.abort();
      this.#running.delete(key);
    }
    this.#start();
  }

  #start() {
    while (this.#running.size < AT_ONCE) {
      const wish = this.#next();
      if (!wish) return;
      this.#read(wish);
    }
  }

  #next() {
    const now = performance.now();
    return this.#wishes.find(
      ({ key }) =>
        (this.#kept.get(key)?.stale ?? true) && !this.#running.has(key) && (this.#failed.get(key) ?? 0) < now,
    );
  }

  /** @param {Wish} wish */
  async #read({ key, load }) {
    const reading = new AbortController();
    this.#running.set(key, reading);
    try {
      const tile = await load(reading.signal);
      if (this.#running.get(key) !== reading) return;
      this.#failed.delete(key);
      this.put(key, tile);
      this.tell("tile", { key, tile });
    } catch (error) {
      if (reading.signal.aborted) return;
      const wait = isFinal(error) ? MUCH_LATER_MS : AGAIN_AFTER_MS;
      this.#failed.set(key, performance.now() + wait);
      setTimeout(() => this.#start(), wait + 10);
      this.#complain(error);
    } finally {
      if (this.#running.get(key) === reading) this.#running.delete(key);
      this.#start();
    }
  }

  /** Tell of an error, not of each tile of a server that has gone away. @param {unknown} error */
  #complain(error) {
    const now = performance.now();
    if (now - this.#complained < QUIET_MS) return;
    this.#complained = now;
    this.tell("error", error);
  }

  /** End all reading and forget all tiles. */
  close() {
    this.want([]);
    this.#kept.clear();
    this.#bytes = 0;
  }
}

/** Whether asking again soon is of no use. @param {any} error */
const isFinal = (error) => error?.status >= 400 && error.status < 500 && error.status !== 429;
