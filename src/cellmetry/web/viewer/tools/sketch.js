/**
 * What tools draw over the picture: lines that are seen on any ground.
 * @module
 */

/** @typedef {import("../viewer.js").Viewer} Viewer */
/** @typedef {{colour?: string, closed?: boolean, fill?: number, dashed?: boolean}} Look */

const DARK = "rgb(0 0 0 / 65%)";
export const INK = "#ffffff";
export const CUT = "#ff8a8a";
export const OFFER = "#7fe3ff";

/**
 * Draw a line through points of the image.
 * @param {CanvasRenderingContext2D} context @param {Viewer} viewer
 * @param {number[][]} points (y, x) @param {Look} [look]
 */
export function drawLine(context, viewer, points, { colour = INK, closed = false, fill = 0, dashed = false } = {}) {
  if (points.length < 2) return;
  context.save();
  context.lineJoin = context.lineCap = "round";
  trace(context, viewer, points, closed);
  if (fill) fillIn(context, colour, fill);
  ink(context, DARK, 4, []);
  ink(context, colour, 2, dashed ? [6, 5] : []);
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context @param {Viewer} viewer
 * @param {number[][]} points @param {boolean} closed
 */
function trace(context, viewer, points, closed) {
  context.beginPath();
  points.forEach(([y, x], k) => {
    const at = viewer.toScreen(y, x);
    if (k) context.lineTo(at.x, at.y);
    else context.moveTo(at.x, at.y);
  });
  if (closed) context.closePath();
}

/** @param {CanvasRenderingContext2D} context @param {string} colour @param {number} share */
function fillIn(context, colour, share) {
  context.globalAlpha = share;
  context.fillStyle = colour;
  context.fill("evenodd");
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {string} colour @param {number} width @param {number[]} dash */
function ink(context, colour, width, dash) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.stroke();
}

/**
 * Draw the ring of a pen.
 * @param {CanvasRenderingContext2D} context @param {Viewer} viewer @param {{y: number, x: number}} at
 * @param {number} radius In pixels of the image. @param {string} [colour]
 */
export function drawPen(context, viewer, at, radius, colour = INK) {
  const { x, y } = viewer.toScreen(at.y, at.x);
  context.save();
  context.beginPath();
  context.arc(x, y, Math.max(radius * viewer.camera.zoom, 1.5), 0, 2 * Math.PI);
  ink(context, DARK, 3, []);
  ink(context, colour, 1.5, []);
  context.restore();
}

/** Draw a cross at a point. @param {CanvasRenderingContext2D} context @param {Viewer} viewer @param {number[]} point */
export function drawCross(context, viewer, [y, x]) {
  const at = viewer.toScreen(y, x);
  context.save();
  context.beginPath();
  for (const [dx, dy] of [
    [5, 0],
    [0, 5],
  ]) {
    context.moveTo(at.x - dx, at.y - dy);
    context.lineTo(at.x + dx, at.y + dy);
  }
  ink(context, DARK, 4, []);
  ink(context, OFFER, 2, []);
  context.restore();
}
