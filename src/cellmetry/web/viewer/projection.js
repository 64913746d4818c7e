/**
 * All planes of a tile in one.
 * @module
 */

/** @typedef {import("./values.js").Values} Values */

const AT_ONCE = 4;

/**
 * The largest or the mean value at each pixel over all planes; null if all are 0.
 * @param {"max"|"mean"} kind @param {number} planes @param {(z: number) => Promise<Values|null>} read
 * @returns {Promise<Values|null>}
 */
export async function projected(kind, planes, read) {
  /** @type {Float64Array|Values|null} */
  let sum = null;
  /** @type {Values|null} */
  let like = null;
  for (let z = 0; z < planes; z += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, planes - z) }, (_, k) => read(z + k));
    for (const values of await Promise.all(some)) {
      if (!values) continue;
      like = values;
      sum ??= kind === "mean" ? new Float64Array(values.length) : values.slice();
      if (kind === "mean") addTo(sum, values);
      else raiseTo(sum, values);
    }
  }
  return kind === "mean" && sum && like ? meanOf(sum, planes, like) : sum;
}

/** @param {any} sum @param {Values} values */
function addTo(sum, values) {
  for (let k = 0; k < values.length; k++) sum[k] += values[k];
}

/** @param {any} most @param {Values} values */
function raiseTo(most, values) {
  for (let k = 0; k < values.length; k++) if (values[k] > most[k]) most[k] = values[k];
}

/** @param {any} sum @param {number} count @param {Values} like An array of the type that is wanted. */
function meanOf(sum, count, like) {
  const whole = !(like instanceof Float32Array || like instanceof Float64Array);
  const mean = new /** @type {any} */ (like.constructor)(sum.length);
  for (let k = 0; k < sum.length; k++) mean[k] = whole ? Math.round(sum[k] / count) : sum[k] / count;
  return mean;
}
