/** Plots as a picture for a paper: PNG of 150 dpi, dark lines on white whatever the theme is. @module */

/** @typedef {{title: string, plots: {svg: SVGElement, keys: {name: string, colour: string}[]}[]}} Figure */

const DPI = 150;
/** Pixels of the picture a pixel of the page. */
const SCALE = 3;
const [PAD, HEAD, KEYS] = [14, 26, 20];
const FONT = "Arial, Helvetica, sans-serif";
/** What the theme gives to plots, as attributes: a picture by itself reads no style sheet. @type {[string, Record<string, string>][]} */
const INK = [
  ["text", { fill: "#333333", "font-size": "11px", "font-family": FONT }],
  [".plot-name", { fill: "#000000", "font-size": "12px" }],
  [".plot-axis line", { stroke: "#666666" }],
  [".plot-grid", { stroke: "#dddddd", "stroke-dasharray": "2 3" }],
  [".plot-zero", { stroke: "#666666", "stroke-dasharray": "4 3" }],
  [".plot-curve", { fill: "none", "stroke-width": "2", "stroke-linejoin": "round" }],
  [".plot-band", { opacity: "0.2" }],
  [".plot-peak", { "stroke-width": "1.5", "stroke-dasharray": "3 3" }],
];

/**
 * Return plots below each other, with their keys, as a PNG.
 * @param {Figure} figure @returns {Promise<Blob>}
 */
export async function pngOf({ title, plots }) {
  const sizes = plots.map(({ svg }) => ["width", "height"].map((side) => Number(svg.getAttribute(side))));
  const width = Math.max(...sizes.map(([wide]) => wide)) + 2 * PAD;
  const height = HEAD + 2 * PAD + sizes.reduce((sum, [, high]) => sum + high + KEYS, 0);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: width * SCALE, height: height * SCALE });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(SCALE, SCALE);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  write(context, title, { x: PAD, y: PAD + 13, size: 14, width: width - 2 * PAD });
  let y = PAD + HEAD;
  for (const [k, { svg, keys }] of plots.entries()) {
    context.drawImage(await imageOf(svg), PAD, y, sizes[k][0], sizes[k][1]);
    y += sizes[k][1] + 12;
    writeKeys(context, keys, y);
    y += KEYS - 12;
  }
  return withDpi(await blobOf(canvas), DPI);
}

/** @param {SVGElement} svg @returns {Promise<HTMLImageElement>} */
async function imageOf(svg) {
  const copy = /** @type {SVGElement} */ (svg.cloneNode(true));
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  for (const [selector, attributes] of INK)
    for (const part of copy.querySelectorAll(selector))
      for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

/** @param {CanvasRenderingContext2D} context @param {{name: string, colour: string}[]} keys @param {number} y */
function writeKeys(context, keys, y) {
  let x = PAD + 58;
  for (const { name, colour } of keys) {
    context.fillStyle = colour;
    context.fillRect(x, y - 9, 10, 10);
    write(context, name, { x: x + 15, y, size: 12 });
    x += context.measureText(name).width + 34;
  }
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {{x: number, y: number, size: number, width?: number}} at */
function write(context, text, { x, y, size, width }) {
  context.font = `${size}px ${FONT}`;
  context.fillStyle = "#000000";
  context.fillText(text, x, y, width);
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
const blobOf = (canvas) =>
  new Promise((answer, refuse) => {
    canvas.toBlob((blob) => (blob ? answer(blob) : refuse(new Error("The browser could not make the picture."))));
  });

/** Where the first chunk of a PNG ends: after its signature and its size. */
const HEADER = 33;

/** Return a PNG that says how large it is on paper. @param {Blob} png @param {number} dpi */
async function withDpi(png, dpi) {
  const chunk = new DataView(new ArrayBuffer(21));
  const perMetre = Math.round(dpi / 0.0254);
  chunk.setUint32(0, 9);
  [..."pHYs"].forEach((letter, k) => chunk.setUint8(4 + k, letter.charCodeAt(0)));
  chunk.setUint32(8, perMetre);
  chunk.setUint32(12, perMetre);
  chunk.setUint8(16, 1); // the unit is the metre
  chunk.setUint32(17, checksum(new Uint8Array(chunk.buffer, 4, 13)));
  return new Blob([png.slice(0, HEADER), chunk.buffer, png.slice(HEADER)], { type: "image/png" });
}

/** The CRC-32 that PNG has. @param {Uint8Array} bytes */
function checksum(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
