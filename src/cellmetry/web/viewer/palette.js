/**
 * Colours that colour-blind people tell apart: of objects by their ids, and of values.
 * @module
 */
import { packed, rgb } from "./lookup.js";

/** Colours of objects on a dark picture, after Okabe and Ito and after Tol; neighbours in the list are unlike. */
const OBJECTS = ["#e69f00", "#56b4e9", "#f0e442", "#cc79a7", "#44cfa0", "#ff7a5c", "#9fb4ff", "#c5e860"];

/** @type {Record<string, string[]>} Colours at equal distances from low to high. */
const SCALES = {
  viridis: "#440154 #482878 #3e4a89 #31688e #26828e #1f9e89 #35b779 #6ece58 #b5de2b #fde725".split(" "),
  magma: "#000004 #180f3d #440f76 #721f81 #9e2f7f #cd4071 #f1605d #fd9668 #feca8d #fcfdbf".split(" "),
  cividis: "#00224e #123570 #3b496c #575d6d #707173 #8a8678 #a59c74 #c3b369 #e1cc55 #fee838".split(" "),
  difference: "#2166ac #4393c3 #92c5de #d1e5f0 #f7f7f7 #fddbc7 #f4a582 #d6604d #b2182b".split(" "),
  balance: "#8fd0ff #4f9bd6 #2a6496 #12304a #000000 #4a1a14 #973428 #da5c48 #ffb09e".split(" "),
  grey: "#000000 #ffffff".split(" "),
};

/** Colour of an object that has no value. */
export const UNKNOWN = packed([150, 150, 150], 0);

/** @type {Map<string, Uint32Array>} */
const made = new Map();

/** 256 colours of a palette as the canvas has them, opaque. @param {string} name @returns {Uint32Array} */
export function scaleOf(name) {
  const known = made.get(name);
  if (known) return known;
  const stops = (SCALES[name] ?? SCALES.viridis).map(rgb);
  const scale = Uint32Array.from({ length: 256 }, (_, k) => {
    const at = (k / 255) * (stops.length - 1);
    const [from, to] = [stops[Math.floor(at)], stops[Math.ceil(at)]];
    return packed(from.map((part, c) => Math.round(part + (to[c] - part) * (at % 1))));
  });
  made.set(name, scale);
  return scale;
}

/** Colour of a part of a palette, for legends and plots. @param {string} name @param {number} part 0 to 1 */
export function colourAt(name, part) {
  const colour = scaleOf(name)[Math.round(255 * Math.min(Math.max(part, 0), 1))];
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}

/** Colours of objects by their ids: those that are seen near each other get unlike ones. */
export class IdColours {
  #colours = OBJECTS.map((each) => packed(rgb(each), 0));
  /** @type {Map<number, number>} */
  #of = new Map();

  /** Packed, without alpha. @param {number} id */
  of(id) {
    return this.#colours[this.#of.get(id) ?? this.#first(id)];
  }

  /**
   * Give colours to objects that have none yet.
   * @param {Map<number, Set<number>>} near Of each object those near it.
   */
  learn(near) {
    for (const id of [...near.keys()].sort((a, b) => a - b)) {
      if (this.#of.has(id)) continue;
      const taken = new Set([...(near.get(id) ?? [])].map((each) => this.#of.get(each)));
      const first = this.#first(id);
      const all = this.#colours.map((_, k) => (first + k) % this.#colours.length);
      this.#of.set(id, all.find((each) => !taken.has(each)) ?? first);
    }
  }

  /** @param {number} id */
  #first(id) {
    return Math.floor(((id * 0.618034) % 1) * this.#colours.length);
  }
}
