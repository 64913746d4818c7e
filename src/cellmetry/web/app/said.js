/** What people say of images: condition, replicate, pixel size; changed for one or many in one act. @module */
import { pixelSizeOf } from "./images.js";

/** @typedef {import("./images.js").ImageView} ImageView */
/** @typedef {import("./app.js").App} App */

/**
 * Return the value that all images share, undefined where they differ.
 * @param {ImageView[]} images
 * @param {(image: ImageView) => any} of
 */
export function shared(images, of) {
  const first = images.length ? of(images[0]) : undefined;
  return images.every((image) => JSON.stringify(of(image)) === JSON.stringify(first)) ? first : undefined;
}

/**
 * Return the values that are said, each once, in order.
 * @param {ImageView[]} images
 * @param {string} name
 * @returns {string[]}
 */
export function valuesOf(images, name) {
  const all = new Set(
    images.map((image) => image.said[name]).filter((value) => value !== undefined && value !== null && value !== ""),
  );
  return [...all].map(String).sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

/** Images of which nobody knows the size of a pixel. @param {ImageView[]} images */
export const withoutPixelSize = (images) =>
  images.filter((image) => image.state === "ready" && pixelSizeOf(image) === null);

/**
 * Say something of images, in one act that can be undone.
 * @param {App} app
 * @param {ImageView[]} images
 * @param {Record<string, any>} said As `PATCH images` takes it: `values`, `pixel_size_um`, `channel_names`, ….
 * @param {string} text What was done, for the note; none for one image.
 * @returns {Promise<boolean>} Whether it is said; if not, people have read why.
 */
export async function sayOf(app, images, said, text = "") {
  const study = app.openStudy;
  const done = study.patch("images", { images: images.map((image) => image.id), ...said });
  try {
    if (text && images.length > 1) await app.undoable(done, text);
    else await done;
    await study.images.load();
    return true;
  } catch (error) {
    app.error(error);
    return false;
  }
}

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
