/**
 * Raw values of pixels: from bytes to typed arrays, and what is counted of them.
 * @module
 */

/** @typedef {Uint8Array|Int8Array|Uint16Array|Int16Array|Uint32Array|Int32Array|Float32Array|Float64Array} Values */

/** @type {Record<string, any>} */
const KINDS = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/**
 * The values of little-endian bytes. What a browser has no array for becomes 64-bit floats.
 * @param {ArrayBuffer} buffer @param {string} dtype @returns {Values}
 */
export function decode(buffer, dtype) {
  if (dtype === "uint64") return Float64Array.from(new BigUint64Array(buffer), Number);
  if (dtype === "int64") return Float64Array.from(new BigInt64Array(buffer), Number);
  if (dtype === "float16") return Float32Array.from(new Uint16Array(buffer), half);
  return new KINDS[dtype](buffer);
}

/** An array for as many values of a type. @param {string} dtype @param {number} size @returns {Values} */
export function zeros(dtype, size) {
  return new (KINDS[dtype] ?? Float64Array)(size);
}

/** The number that 16 bits of a float say. @param {number} bits */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * The values of the upper left part of a tile, finite ones only, at most about `most` of them.
 * @param {Values} values @param {number} width Of a row of the tile. @param {[number, number]} shape Of the part.
 * @returns {Float64Array} Sorted.
 */
export function sample(values, width, [rows, columns], most = 65536) {
  const step = Math.max(1, Math.round(Math.sqrt((rows * columns) / most)));
  const found = new Float64Array(Math.ceil(rows / step) * Math.ceil(columns / step));
  let count = 0;
  for (let y = 0; y < rows; y += step)
    for (let x = 0; x < columns; x += step) {
      const value = values[y * width + x];
      if (Number.isFinite(value)) found[count++] = value;
    }
  return found.subarray(0, count).sort();
}

/** @param {Float64Array} sorted @param {number} percent */
export function percentile(sorted, percent) {
  if (!sorted.length) return 0;
  const at = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/**
 * How many of the values lie in each of `bins` equal parts between two values.
 * @param {Float64Array} sorted @param {number} low @param {number} high @param {number} bins
 */
export function countIn(sorted, low, high, bins) {
  const counts = new Uint32Array(bins);
  const factor = bins / (high - low || 1);
  for (const value of sorted) {
    const at = Math.floor((value - low) * factor);
    if (at >= 0 && value <= high) counts[Math.min(at, bins - 1)]++;
  }
  return counts;
}
