/** A ruler over the viewer: a line that tells its length. @module */
import { h } from "../kernel/dom.js";
import { openDialog } from "../controls/dialog.js";
import { pixelSidesOf } from "./images.js";
import { counted, sayOf, withoutPixelSize } from "./said.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {{y: number, x: number}} Point */

/**
 * Let somebody draw a line; the ruler is put away then, or by Escape.
 * @param {App} app
 * @param {string} hint What to draw.
 * @returns {Promise<number|null>} Its length in pixels of the image, null where none was drawn.
 */
export function measureLine(app, hint) {
  const { viewer } = app;
  const former = viewer.tool;
  app.frame?.hint(`${hint} Escape ends.`);
  return new Promise((answer) => {
    const end = (/** @type {number|null} */ length) => {
      viewer.setTool(former?.name === "ruler" ? null : former);
      viewer.redraw?.();
      app.frame?.hint("");
      answer(length);
    };
    viewer.setTool(rulerTool(app, end));
    viewer.focus?.();
  });
}

/** @param {App} app @param {(length: number|null) => void} end */
function rulerTool(app, end) {
  /** @type {{from: Point, to: Point}|null} */
  let line = null;
  return {
    name: "ruler",
    cursor: "crosshair",
    down: (/** @type {Point} */ at) => (line = { from: at, to: at }),
    move(/** @type {Point} */ at, /** @type {PointerEvent} */ _event, /** @type {any} */ viewer) {
      if (!line) return;
      line.to = at;
      viewer.redraw();
    },
    up(/** @type {Point} */ at) {
      if (!line) return;
      const length = Math.hypot(at.y - line.from.y, at.x - line.from.x);
      line = null;
      if (length >= 1) end(length);
    },
    key(/** @type {KeyboardEvent} */ event) {
      if (event.key !== "Escape") return false;
      end(null);
      return true;
    },
    draw: (/** @type {CanvasRenderingContext2D} */ context, /** @type {any} */ viewer) =>
      line && drawLine(context, viewer, line, lengthText(app, line)),
  };
}

/**
 * @param {CanvasRenderingContext2D} context @param {any} viewer
 * @param {{from: Point, to: Point}} line @param {string} text
 */
function drawLine(context, viewer, { from, to }, text) {
  const [a, b] = [viewer.toScreen(from.y, from.x), viewer.toScreen(to.y, to.x)];
  for (const [width, colour] of /** @type {[number, string][]} */ ([
    [4, "rgb(0 0 0 / 70%)"],
    [2, "#ffd54a"],
  ])) {
    Object.assign(context, { lineWidth: width, strokeStyle: colour });
    context.beginPath();
    context.moveTo(a.x, a.y);
    context.lineTo(b.x, b.y);
    context.stroke();
  }
  Object.assign(context, {
    font: "600 13px system-ui, sans-serif",
    lineWidth: 4,
    strokeStyle: "rgb(0 0 0 / 80%)",
    fillStyle: "#ffd54a",
  });
  const at = { x: b.x + (b.x >= a.x ? 12 : -12), y: b.y + 4 };
  context.textAlign = b.x >= a.x ? "left" : "right";
  context.strokeText(text, at.x, at.y);
  context.fillText(text, at.x, at.y);
}

/** @param {App} app @param {{from: Point, to: Point}} line */
function lengthText(app, { from, to }) {
  const px = Math.hypot(to.y - from.y, to.x - from.x);
  const sides = app.viewer.image && pixelSidesOf(app.viewer.image);
  if (!sides) return `${px.toFixed(0)} px`;
  const um = Math.hypot((to.y - from.y) * sides.y, (to.x - from.x) * sides.x);
  return `${um.toPrecision(3)} µm (${px.toFixed(0)} px)`;
}

/**
 * Let somebody draw over a scale bar, say how long it is, and so tell the pixel size.
 * @param {App} app
 */
export async function measureScale(app) {
  const px = await measureLine(app, "Draw a line along the scale bar, or along something whose length you know.");
  const image = app.openStudy.images.current;
  if (px === null || !image) return;
  const said = await askLength(app, px);
  if (said === null) return;
  const images = said.all ? withoutPixelSize(app.openStudy.images.all) : [image];
  const size = Number((said.um / px).toPrecision(6));
  await sayOf(
    app,
    images.some((each) => each.id === image.id) ? images : [image, ...images],
    { pixel_size_um: size, pixel_size_y_um: null },
    `Pixel size of ${counted(images.length, "image")}: ${size} µm`,
  );
  if (images.length <= 1) app.toast(`A pixel is ${size} µm.`, { kind: "done" });
}

/** @param {App} app @param {number} px @returns {Promise<{um: number, all: boolean}|null>} */
function askLength(app, px) {
  const sizeless = withoutPixelSize(app.openStudy.images.all).length;
  return new Promise((answer) => {
    /** @type {{um: number, all: boolean}|null} */
    let said = null;
    const length = h("input", { type: "number", step: "any", min: "0.000001", required: true, autofocus: true });
    const all = h("input", { type: "checkbox", checked: sizeless > 1 });
    const form = h(
      "form.stack",
      {},
      h("p", {}, `The line is ${px.toFixed(1)} pixels long.`),
      h("label.field", {}, h("span.field-name", {}, "Its length ", h("span.field-unit", {}, "µm")), length),
      sizeless > 1 && h("label.check", {}, all, `For all ${sizeless} images without pixel size`),
      h("div.row.end", {}, h("button.primary", { type: "submit" }, "Set the pixel size")),
    );
    const dialog = openDialog("Pixel size", form, { onclose: () => answer(said) });
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      said = { um: Number(length.value), all: sizeless > 1 && all.checked };
      dialog.close();
    });
    length.focus();
  });
}
