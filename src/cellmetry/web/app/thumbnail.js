/** Small pictures of images. @module */
import { address, at } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";

/**
 * Return a picture of an image; its state in words where there is none.
 * @param {string} studyPath `studies/ID/`.
 * @param {import("./images.js").ImageView} image
 * @param {{labels?: string|null, side?: number}} [more] With the outlines of these labels.
 * @returns {HTMLElement}
 */
export function thumbnail(studyPath, image, { labels = null, side = 256 } = {}) {
  if (image.state === "new") return h("span.thumb.thumb-new", {}, h("span.spinner"), h("span", {}, "Reading…"));
  if (image.state === "failed") return h("span.thumb.thumb-failed", {}, icon("warning"), h("span", {}, "Not readable"));
  const frame = h("span.thumb");
  const src = address(studyPath + at`images/${image.id}/thumbnail`, { side, labels });
  return fill(
    frame,
    h("img", { src, alt: "", loading: "lazy", decoding: "async", onerror: () => fill(frame, icon("image")) }),
  );
}
