/**
 * Which part of an image is seen: its centre in pixels of the image, and how many pixels of the screen one of them is.
 * @module
 */

const MOST = 64;
const EMPTY_PX = 24;
/** Above and below, where the controls are. */
const FOOT_PX = 48;

/** @typedef {{y0: number, y1: number, x0: number, x1: number}} Box  A box of an image; its end is outside. */

/** The camera of a viewer. Screen coordinates are CSS pixels from the viewer's upper left corner. */
export class Camera {
  y = 0;
  x = 0;
  zoom = 1;
  /** Size of the viewer in CSS pixels, and device pixels of each. */
  width = 1;
  height = 1;
  ratio = 1;
  /** Size of the image in pixels. */
  image = { height: 1, width: 1 };

  /** Device pixels that a pixel of the image is. */
  get scale() {
    return this.zoom * this.ratio;
  }

  /** The zoom at which the whole image is seen. */
  get fitting() {
    const free = (/** @type {number} */ side, empty = EMPTY_PX) => Math.max(side - 2 * empty, side / 2, 1);
    return Math.min(free(this.height, FOOT_PX) / this.image.height, free(this.width) / this.image.width, MOST);
  }

  get isFitted() {
    return this.zoom === this.fitting && this.y === this.image.height / 2 && this.x === this.image.width / 2;
  }

  /** @param {number} sx @param {number} sy @returns {{y: number, x: number}} */
  toImage(sx, sy) {
    return { y: this.y + (sy - this.height / 2) / this.zoom, x: this.x + (sx - this.width / 2) / this.zoom };
  }

  /** @param {number} y @param {number} x @returns {{x: number, y: number}} */
  toScreen(y, x) {
    return { x: (x - this.x) * this.zoom + this.width / 2, y: (y - this.y) * this.zoom + this.height / 2 };
  }

  /**
   * @param {number} width @param {number} height @param {number} ratio
   * @returns {boolean} Whether that changed anything.
   */
  resize(width, height, ratio) {
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    Object.assign(this, { width, height, ratio });
    return true;
  }

  /** Show the whole image. */
  fit() {
    this.goTo({ y: this.image.height / 2, x: this.image.width / 2, zoom: this.fitting });
  }

  /** @param {{y?: number, x?: number, zoom?: number}} to */
  goTo({ y = this.y, x = this.x, zoom = this.zoom }) {
    this.zoom = Math.min(Math.max(zoom, Math.min(this.fitting / 4, 1)), MOST);
    this.y = Math.min(Math.max(y, 0), this.image.height);
    this.x = Math.min(Math.max(x, 0), this.image.width);
  }

  /**
   * Zoom by a factor; what is at a point of the screen stays there.
   * @param {number} factor @param {{x: number, y: number}} [at]
   */
  zoomBy(factor, at = { x: this.width / 2, y: this.height / 2 }) {
    const before = this.toImage(at.x, at.y);
    this.goTo({ zoom: this.zoom * factor });
    const after = this.toImage(at.x, at.y);
    this.goTo({ y: this.y + before.y - after.y, x: this.x + before.x - after.x });
  }

  /** Move the picture by pixels of the screen. @param {number} dx @param {number} dy */
  moveBy(dx, dy) {
    this.goTo({ y: this.y - dy / this.zoom, x: this.x - dx / this.zoom });
  }

  /** Show a box of the image with some room round it. @param {number[]} box y0, y1, x0, x1 @param {number} [most] */
  goToBox([y0, y1, x0, x1], most = 8) {
    const zoom = 0.8 * Math.min(this.height / Math.max(y1 - y0, 1), this.width / Math.max(x1 - x0, 1));
    this.goTo({ y: (y0 + y1) / 2, x: (x0 + x1) / 2, zoom: Math.min(zoom, most) });
  }

  /** What is seen, within the image. @returns {Box} */
  box() {
    const { y, x } = this.toImage(0, 0);
    const end = this.toImage(this.width, this.height);
    return {
      y0: Math.max(y, 0),
      y1: Math.min(end.y, this.image.height),
      x0: Math.max(x, 0),
      x1: Math.min(end.x, this.image.width),
    };
  }

  /** Where a place of the image is on the canvas, in device pixels. @param {number} y */
  deviceY(y) {
    return (y - this.y) * this.scale + (this.height * this.ratio) / 2;
  }

  /** @param {number} x */
  deviceX(x) {
    return (x - this.x) * this.scale + (this.width * this.ratio) / 2;
  }
}
