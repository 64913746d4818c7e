/**
 * An image, its channels blended: one plane, or a projection of all planes.
 * @module
 */
import { blend, tableOf } from "./lookup.js";
import { projected } from "./projection.js";
import { TiledLayer } from "./tiled_layer.js";
import { countIn, percentile, sample, zeros } from "./values.js";

/** @typedef {import("./channels.js").Channel} Channel */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Box} Box */
/** @typedef {import("./painted.js").Painted} Painted */
/** @typedef {import("./pyramid.js").Place} Place */
/** @typedef {import("./pyramid.js").Pyramid} Pyramid */
/** @typedef {import("./tile_store.js").TileStore} TileStore */
/** @typedef {{t: number, z: number, projection: "none"|"max"|"mean"}} Plane */

const scratch = new Uint32Array(512 * 512);

export class ImageLayer extends TiledLayer {
  #store;
  /** @type {Map<number, {look: string, table: import("./lookup.js").Table}>} */
  #tables = new Map();
  /** @type {Channel[]} */
  #channels = [];

  /** @param {Pyramid} pyramid @param {Plane} plane @param {TileStore} store @param {Channel[]} channels */
  constructor(pyramid, plane, store, channels) {
    super(pyramid);
    this.#store = store;
    this.plane = plane;
    this.show(channels);
  }

  /** Show channels as they say now. @param {Channel[]} channels */
  show(channels) {
    this.#channels = channels;
    this.stamp++;
  }

  get #visible() {
    return this.#channels.map((channel, c) => ({ channel, c })).filter(({ channel }) => channel.visible);
  }

  /** @param {Camera} camera */
  levelFor(camera) {
    const level = Math.floor(0.6 - Math.log2(camera.scale));
    return Math.min(Math.max(level, 0), this.pyramid.coarsest);
  }

  /** @param {Place} place */
  isReady(place) {
    return this.#visible.every(({ c }) => this.#store.has(this.#key(place, c)));
  }

  /** @param {Place} place @param {Plane} [plane] */
  wishesOf(place, plane = this.plane) {
    return this.#visible.map(({ c }) => ({
      key: this.#key(place, c, plane),
      load: async (/** @type {AbortSignal} */ signal) => ({ values: await this.#load(place, c, signal, plane) }),
    }));
  }

  /** What the planes before and after have where the view is. @param {Camera} camera */
  nextWishes(camera) {
    const { t, z, projection } = this.plane;
    const { sizes } = this.pyramid;
    if (projection !== "none") return [];
    const planes = [
      { t, z: z + 1 },
      { t, z: z - 1 },
      { t: t + 1, z },
      { t: t - 1, z },
    ];
    const places = this.pyramid.tilesIn(this.levelFor(camera), camera.box());
    return planes
      .filter((each) => each.t >= 0 && each.z >= 0 && each.t < sizes.t && each.z < sizes.z)
      .flatMap((each) => places.flatMap((place) => this.wishesOf(place, { ...each, projection })));
  }

  /** The key of the tile of a channel. @param {Place} place @param {number} c @param {Plane} [from] */
  #key({ level, row, column }, c, from = this.plane) {
    const { t, z, projection } = from;
    const plane = projection === "none" ? z : projection;
    return `${this.pyramid.path}/${level}/${t}/${c}/${plane}/${row}/${column}`;
  }

  /** @param {Place} place @param {number} c @param {AbortSignal} signal @param {Plane} [from] */
  #load({ level, row, column }, c, signal, from = this.plane) {
    const { t, z, projection } = from;
    const read = (/** @type {number} */ at) => this.pyramid.tile([level, t, c, at, row, column], signal);
    return projection === "none" ? read(z) : projected(projection, this.pyramid.sizes.z, read);
  }

  /** @param {Painted} painted @param {Place} place @param {Box} part */
  paint(painted, place, part) {
    const step = painted.step;
    const [height, width] = this.pyramid.grid(place.level).tile;
    const channels = this.#visible.map(({ channel, c }) => ({
      values: this.#store.get(this.#key(place, c))?.values ?? this.#nothing(height * width),
      table: this.#tableOf(channel, c),
    }));
    const rows = Math.ceil((part.y1 - part.y0) / step);
    const columns = Math.ceil((part.x1 - part.x0) / step);
    blend(scratch, channels, { width, y0: part.y0, x0: part.x0, rows, columns, step });
    const pixels = new ImageData(new Uint8ClampedArray(scratch.buffer, 0, rows * columns * 4), columns, rows);
    painted.context.putImageData(pixels, part.x0 / step, part.y0 / step);
  }

  /** @type {import("./values.js").Values|null} */
  #empty = null;

  /** @param {number} size */
  #nothing(size) {
    if (!this.#empty || this.#empty.length < size) this.#empty = zeros(this.pyramid.dtype, size);
    return this.#empty;
  }

  /** @param {Channel} channel @param {number} c */
  #tableOf(channel, c) {
    const look = `${channel.colour} ${channel.low} ${channel.high} ${channel.gamma}`;
    const known = this.#tables.get(c);
    if (known?.look === look) return known.table;
    const table = tableOf(channel, this.pyramid.dtype, known?.table.table);
    this.#tables.set(c, { look, table });
    return table;
  }

  /**
   * The values of the channels at a point, of the finest tiles that are there; null where there are none.
   * @param {number} y @param {number} x @returns {{values: (number|null)[], exact: boolean}}
   */
  valuesAt(y, x) {
    let exact = true;
    const values = this.#channels.map((_, c) => {
      const found = this.#valueAt(c, y, x);
      exact &&= found?.level === 0;
      return found?.value ?? null;
    });
    return { values, exact };
  }

  /** @param {number} c @param {number} y @param {number} x */
  #valueAt(c, y, x) {
    for (let level = 0; level <= this.pyramid.coarsest; level++) {
      const { tile, step } = this.pyramid.grid(level);
      const [py, px] = [Math.floor(y / step), Math.floor(x / step)];
      const place = { level, row: Math.floor(py / tile[0]), column: Math.floor(px / tile[1]) };
      const key = this.#key(place, c);
      if (!this.#store.has(key)) continue;
      const values = this.#store.get(key)?.values;
      return { level, value: values ? values[(py % tile[0]) * tile[1] + (px % tile[1])] : 0 };
    }
    return null;
  }

  /** Values of the coarsest level of a channel, sorted; null as long as they are not there. @param {number} c */
  async #sampleOf(c) {
    const place = { level: this.pyramid.coarsest, row: 0, column: 0 };
    const key = this.#key(place, c);
    const { signal } = new AbortController();
    if (!this.#store.has(key)) this.#store.put(key, { values: await this.#load(place, c, signal) });
    const { tile, shape } = this.pyramid.levels[place.level];
    const rows = Math.min(tile[0], shape[0]);
    const columns = Math.min(tile[1], shape[1]);
    return sample(this.#store.get(key)?.values ?? this.#nothing(tile[0] * tile[1]), tile[1], [rows, columns]);
  }

  /** Values between which most of a channel lies. @param {number} c @returns {Promise<{low: number, high: number}>} */
  async rangeOf(c) {
    const sorted = await this.#sampleOf(c);
    const low = percentile(sorted, 0.5);
    const high = percentile(sorted, 99.8);
    return { low, high: high > low ? high : low + 1 };
  }

  /** The smallest and largest value of a channel in the coarsest level. @param {number} c */
  async spanOf(c) {
    const sorted = await this.#sampleOf(c);
    return { low: sorted[0] ?? 0, high: sorted[sorted.length - 1] ?? 1 };
  }

  /** @param {number} c @param {number} low @param {number} high @param {number} bins */
  async histogramOf(c, low, high, bins) {
    return countIn(await this.#sampleOf(c), low, high, bins);
  }
}
