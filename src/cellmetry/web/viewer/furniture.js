/**
 * What stands round the picture: scale bar, readout of the pixel under the pointer, buttons of zoom.
 * @module
 */
import { fill, h } from "../kernel/dom.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./channels.js").Channel} Channel */

const BAR_PX = 140;
const NICE = [1, 2, 5, 10];

/** A length that is easy to read and at most `most`. @param {number} most */
function niceLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return power * /** @type {number} */ (NICE.findLast((each) => each * power <= most * (1 + 1e-9)) ?? 1);
}

/** A length in words. @param {number} length In µm, or in pixels. @param {boolean} known Whether it is in µm. */
export function lengthText(length, known) {
  if (!known) return `${number(length)} px`;
  if (length >= 1000) return `${number(length / 1000)} mm`;
  return length < 1 ? `${number(length * 1000)} nm` : `${number(length)} µm`;
}

/** @param {number} value */
const number = (value) => String(Number(value.toPrecision(6)));

/** A bar of a known length. */
export class ScaleBar {
  #line = h("div.viewer-scale-line");
  #text = h("span");
  element = h("div.viewer-scale", { hidden: true }, this.#text, this.#line);

  /** @param {Camera} camera @param {number|null} pixelUm Size of a pixel in µm. */
  draw(camera, pixelUm) {
    const unit = pixelUm ?? 1;
    const length = niceLength((BAR_PX / camera.zoom) * unit);
    this.#line.style.width = `${(length / unit) * camera.zoom}px`;
    fill(this.#text, lengthText(length, pixelUm !== null));
    this.element.hidden = false;
  }
}

/** What is under the pointer. */
export class Readout {
  element = h("div.viewer-readout", { hidden: true });

  /**
   * @param {{y: number, x: number, id: number|null, values: (number|null)[], exact: boolean}|null} at
   * @param {Channel[]} channels @param {string|null} more What else is known of the object.
   */
  show(at, channels, more = null) {
    this.element.hidden = at === null;
    if (!at) return;
    const values = channels
      .map((channel, c) => ({ channel, value: at.values[c] }))
      .filter(({ channel, value }) => channel.visible && value !== null && value !== undefined)
      .map(({ channel, value }) => [swatch(channel), h("b", {}, `${at.exact ? "" : "≈ "}${valueText(value)}`)]);
    fill(
      this.element,
      h("span", {}, `y ${Math.floor(at.y)}  x ${Math.floor(at.x)}`),
      ...values.map((parts) => h("span", {}, ...parts)),
      at.id ? h("span", {}, `Cell ${at.id}`) : null,
      more ? h("span", {}, more) : null,
    );
  }
}

/** @param {Channel} channel */
function swatch(channel) {
  return h("i.viewer-swatch", { style: { background: channel.colour }, title: channel.name });
}

/** @param {number|null} value */
function valueText(value) {
  return Number.isInteger(value) ? String(value) : (value ?? 0).toPrecision(4);
}

/**
 * The buttons of zoom. @param {{zoomBy: (factor: number) => void, fit: () => void, actualSize: () => void}} viewer
 */
export class ZoomButtons {
  #percent;

  /** @param {{zoomBy: (factor: number) => void, fit: () => void, goTo: (to: any) => void}} viewer */
  constructor(viewer) {
    const actual = () => viewer.goTo({ zoom: 1 });
    this.#percent = h("button.viewer-percent", { type: "button", title: "Show at 100 %", onclick: actual });
    this.element = h(
      "div.viewer-zoom",
      { role: "group", "aria-label": "Zoom" },
      button("−", "Zoom out (−)", () => viewer.zoomBy(1 / 1.5)),
      this.#percent,
      button("+", "Zoom in (+)", () => viewer.zoomBy(1.5)),
      h("button", { type: "button", title: "Show the whole image (0)", onclick: () => viewer.fit() }, "Fit"),
    );
  }

  /** @param {number} zoom */
  show(zoom) {
    const text = zoom < 0.1 ? (zoom * 100).toFixed(1) : String(Math.round(zoom * 100));
    fill(this.#percent, `${text} %`);
  }
}

/** @param {string} sign @param {string} name @param {() => void} run */
function button(sign, name, run) {
  return h("button", { type: "button", title: name, "aria-label": name, onclick: run }, sign);
}
