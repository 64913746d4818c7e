/** Labels without an object, for an image whose cells somebody draws by hand. @module */
import { h } from "../kernel/dom.js";
import { iconOf, toolNamed } from "../viewer/tools/all.js";

/** @typedef {import("../app/app.js").App} App */

/**
 * Return a button that begins to draw the cells of the image that is looked at, or adds to those that it has; null where
 * nobody may.
 * @param {App} app @param {{class?: string}} [more]
 * @returns {HTMLButtonElement|null}
 */
export function drawByHand(app, more = {}) {
  const { images, labels, readOnly } = app.openStudy;
  const image = images.current;
  if (readOnly || image?.state !== "ready") return null;
  const there = labels.of(image.id);
  const title = there ? "Add cells with the brush" : "Begin without cells, and draw each with the brush";
  const button = h("button", { type: "button", title, ...more }, iconOf(toolNamed("brush")), "Draw by hand");
  button.addEventListener("click", () => {
    if (there) return app.goStep("correct", { tool: "brush" });
    button.disabled = true;
    begin(app, image.id)
      .catch((error) => app.error(error))
      .finally(() => (button.disabled = false));
  });
  return button;
}

/** @param {App} app @param {string} image */
async function begin(app, image) {
  const { openStudy: study } = app;
  const made = study.post("labels", { image, name: study.labels.name ?? "cells" });
  await app.undoable(made, "Draw the first cell with the brush");
  await study.labels.load();
  if (app.step !== "correct") app.goStep("correct");
}
