/**
 * How the channels of images are shown: what the file says at first, then what the person chose, by study and name.
 * @module
 */

/**
 * @typedef {object} Channel
 * @property {string} name
 * @property {boolean} visible
 * @property {string} colour `#rrggbb`
 * @property {number} low Value that is black.
 * @property {number} high Value that has the full colour.
 * @property {number} gamma
 * @property {number} min Smallest and largest value that there can be.
 * @property {number} max
 * @property {boolean} chosen Whether the person set low and high.
 */

/** The channels of an image as its header says. @param {any} header @returns {Channel[]} */
function channelsOf(header) {
  return header.channels.map((/** @type {any} */ { name, colour, display: { min, max, start, end } }) => {
    const shown = header.colour ? { low: min, high: max } : { low: start, high: end > start ? end : start + 1 };
    return { name, visible: true, colour, gamma: 1, ...shown, min, max, chosen: false };
  });
}

/** Tastes of a person for the channels of one study. */
export class ChannelTastes {
  #place;

  /** @param {string} study Path of the study. */
  constructor(study) {
    this.#place = `cellmetry.channels.${study}`;
  }

  /**
   * The channels of an image, as they were chosen for channels of these names.
   * @param {any} header @param {string[]|null} [names] As users said.
   */
  channelsOf(header, names = null) {
    const chosen = this.#read();
    return channelsOf(header).map((channel, c) => {
      const name = names?.[c] ?? channel.name;
      const { low, high, ...rest } = chosen[name] ?? {};
      const range = low < high && high <= channel.max ? { low, high, chosen: true } : {};
      return { ...channel, ...rest, ...(header.colour ? {} : range), name };
    });
  }

  /** @param {Channel} channel */
  keep({ name, visible, colour, gamma, low, high, chosen }) {
    const all = this.#read();
    all[name] = { visible, colour, gamma, ...(chosen ? { low, high } : {}) };
    try {
      localStorage.setItem(this.#place, JSON.stringify(all));
    } catch {
      // a full or forbidden store loses a taste, nothing else
    }
  }

  /** @returns {Record<string, any>} */
  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.#place) ?? "{}");
    } catch {
      return {};
    }
  }
}
