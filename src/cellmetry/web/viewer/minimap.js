/**
 * The whole image, small, with the part that is seen; a click or drag goes there.
 * @module
 */
import { h } from "../kernel/dom.js";
import { Camera } from "./camera.js";

/** @typedef {import("./image_layer.js").ImageLayer} ImageLayer */

const SIDES = [90, 150];
const SHARE = 0.16;

export class Minimap {
  #canvas = h("canvas", { "aria-hidden": "true" });
  #frame = h("div.viewer-minimap-frame");
  element = h("div.viewer-minimap", { hidden: true }, this.#canvas, this.#frame);
  #camera = new Camera();
  #drawn = "";

  /** @param {(to: {y: number, x: number}) => void} goTo */
  constructor(goTo) {
    const go = (/** @type {PointerEvent} */ event) => {
      if (!event.buttons) return;
      this.element.setPointerCapture(event.pointerId);
      const { left, top } = this.#canvas.getBoundingClientRect();
      goTo(this.#camera.toImage(event.clientX - left, event.clientY - top));
    };
    this.element.addEventListener("pointerdown", go);
    this.element.addEventListener("pointermove", go);
  }

  /**
   * Show a view; nothing where all of the image is seen.
   * @param {ImageLayer} layer @param {Camera} camera @param {string} key Is another when the picture is.
   */
  draw(layer, camera, key) {
    const box = camera.box();
    const all = box.y1 - box.y0 >= camera.image.height - 0.5 && box.x1 - box.x0 >= camera.image.width - 0.5;
    this.element.hidden = all || !layer.begun;
    if (this.element.hidden) return;
    this.#aim(camera);
    if (key !== this.#drawn) this.#paint(layer);
    this.#drawn = key;
    const start = this.#camera.toScreen(box.y0, box.x0);
    const end = this.#camera.toScreen(box.y1, box.x1);
    const { style } = this.#frame;
    style.left = `${start.x}px`;
    style.top = `${start.y}px`;
    style.width = `${Math.max(end.x - start.x, 4)}px`;
    style.height = `${Math.max(end.y - start.y, 4)}px`;
  }

  /** @param {Camera} camera */
  #aim({ image, ratio, width }) {
    const side = Math.round(Math.min(Math.max(width * SHARE, SIDES[0]), SIDES[1]));
    const zoom = side / Math.max(image.height, image.width);
    Object.assign(this.#camera, { image, zoom, y: image.height / 2, x: image.width / 2 });
    const size = [Math.max(Math.round(image.width * zoom), 8), Math.max(Math.round(image.height * zoom), 8)];
    if (!this.#camera.resize(size[0], size[1], ratio)) return;
    this.#drawn = "";
    Object.assign(this.#canvas, { width: size[0] * ratio, height: size[1] * ratio });
    this.#canvas.style.width = `${size[0]}px`;
    this.#canvas.style.height = `${size[1]}px`;
  }

  /** @param {ImageLayer} layer */
  #paint(layer) {
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    layer.draw(context, this.#camera);
  }
}
