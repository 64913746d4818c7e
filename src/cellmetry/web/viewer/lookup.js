/**
 * Raw values to colours: a table for each channel, whose colours are added up.
 *
 * The three parts of a colour stand in ten bits each, so that those of four channels are added at once.
 * @module
 */

/** @typedef {import("./values.js").Values} Values */
/** @typedef {{colour: string, low: number, high: number, gamma: number}} Look  How a channel is shown. */
/** @typedef {{table: Uint32Array, low: number, factor: number}} Table  `factor` 0: values are places in the table. */

const STEPS = 4096;
const ROUND = 3;

/** The parts of a colour. @param {string} colour `#rrggbb` @returns {[number, number, number]} */
export function rgb(colour) {
  const number = parseInt(colour.slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

/** A colour as the canvas has it. @param {number[]} parts @param {number} [alpha] */
export function packed([red, green, blue], alpha = 255) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * The table of a channel.
 * @param {Look} look @param {string} dtype Of its values. @param {Uint32Array} [into] Is filled again if it fits.
 * @returns {Table}
 */
export function tableOf(look, dtype, into) {
  const whole = dtype === "uint8" || dtype === "bool" ? 256 : dtype === "uint16" ? 65536 : 0;
  const size = whole || STEPS;
  const table = into?.length === size ? into : new Uint32Array(size);
  const low = whole ? look.low : 0;
  const high = whole ? Math.max(look.high, low + 1e-9) : STEPS - 1;
  fillTable(table, look, low, high);
  if (whole) return { table, low: 0, factor: 0 };
  return { table, low: look.low, factor: (STEPS - 1) / (look.high - look.low || 1) };
}

/** @param {Uint32Array} table @param {Look} look @param {number} low @param {number} high */
function fillTable(table, look, low, high) {
  const parts = rgb(look.colour);
  const at = (/** @type {number} */ part) => spread(parts.map((each) => Math.round(each * part)));
  const first = Math.min(Math.max(Math.ceil(low), 0), table.length);
  const end = Math.max(first, Math.min(Math.floor(high) + 1, table.length));
  const grades = Uint32Array.from({ length: 256 }, (_, k) => at(k / 255));
  const factor = 1 / (high - low);
  table.fill(0, 0, first);
  for (let value = first; value < end; value++) {
    const part = (value - low) * factor;
    table[value] = grades[Math.round(255 * (look.gamma === 1 ? part : part ** look.gamma))];
  }
  table.fill(grades[255], end);
}

/** @param {number[]} parts */
const spread = ([red, green, blue]) => red | (green << 10) | (blue << 20);

const line = new Uint32Array(8192);

/**
 * Add up the colours of channels.
 *
 * @param {Uint32Array} out Pixels as the canvas has them, row by row, as many as `rows` and `columns` say.
 * @param {{values: Values, table: Table}[]} channels
 * @param {{width: number, y0: number, x0: number, rows: number, columns: number, step: number}} part Of the tile, whose
 *   rows have `width` values; `step`: only each second or fourth value along both axes.
 */
export function blend(out, channels, { width, y0, x0, rows, columns, step }) {
  const sums = line.length >= columns ? line : new Uint32Array(columns);
  for (let row = 0; row < rows; row++) {
    const start = (y0 + row * step) * width + x0;
    sums.fill(0, 0, columns);
    channels.forEach(({ values, table }, k) => {
      if (k && k % ROUND === 0) limit(sums, columns);
      if (table.factor) addScaled(sums, values, table, start, columns, step);
      else addDirect(sums, values, table.table, start, columns, step);
    });
    finish(out, row * columns, sums, columns);
  }
}

/**
 * @param {Uint32Array} sums @param {Values} values @param {Uint32Array} table @param {number} start
 * @param {number} count @param {number} step
 */
function addDirect(sums, values, table, start, count, step) {
  for (let k = 0, at = start; k < count; k++, at += step) sums[k] += table[values[at]];
}

/**
 * @param {Uint32Array} sums @param {Values} values @param {Table} how @param {number} start @param {number} count
 * @param {number} step
 */
function addScaled(sums, values, { table, low, factor }, start, count, step) {
  const last = table.length - 1;
  for (let k = 0, at = start; k < count; k++, at += step) {
    const place = (values[at] - low) * factor;
    sums[k] += table[place > 0 ? (place < last ? place | 0 : last) : 0];
  }
}

/** Bring sums back to 255 at most, so that more can be added. @param {Uint32Array} sums @param {number} count */
function limit(sums, count) {
  for (let k = 0; k < count; k++) {
    const sum = sums[k];
    sums[k] = spread([Math.min(sum & 1023, 255), Math.min((sum >> 10) & 1023, 255), Math.min(sum >>> 20, 255)]);
  }
}

/** @param {Uint32Array} out @param {number} at @param {Uint32Array} sums @param {number} count */
function finish(out, at, sums, count) {
  for (let k = 0; k < count; k++) {
    const sum = sums[k];
    let red = sum & 1023;
    let green = (sum >> 10) & 1023;
    let blue = sum >>> 20;
    if (red > 255) red = 255;
    if (green > 255) green = 255;
    if (blue > 255) blue = 255;
    out[at + k] = 0xff000000 | (blue << 16) | (green << 8) | red;
  }
}
