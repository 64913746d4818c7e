/**
 * A view of a stage: camera, layers over the image, tool and pointer. What is shown on it, `Viewer` says.
 * @module
 */
import { Emitter } from "../kernel/emitter.js";
import { ZoomButtons } from "./furniture.js";
import { Gestures } from "./gestures.js";
import { Stage } from "./stage.js";

/** @typedef {import("./stage.js").Layer} Layer */
/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} [cursor]
 * @property {(point: {y: number, x: number}, event: PointerEvent, viewer: any) => void} [down]
 * @property {(point: {y: number, x: number}, event: PointerEvent, viewer: any) => void} [move]
 * @property {(point: {y: number, x: number}, event: PointerEvent, viewer: any) => void} [up]
 * @property {(event: KeyboardEvent, viewer: any) => boolean|void} [key] True: it was for the tool.
 * @property {(event: WheelEvent, viewer: any) => void} [wheel] With Alt held.
 * @property {(context: CanvasRenderingContext2D, viewer: any) => void} [draw] In CSS pixels of the viewer.
 */

/** Tells "camera", "hover" and "error" of its stage, and "tool" when another is chosen. */
export class StageView extends Emitter {
  /** Controls at the lower left, to which others may be added. @type {HTMLElement} */
  corner;
  #gestures;
  /** @type {Tool|null} */
  #tool = null;

  /** @param {HTMLElement} host Is filled. */
  constructor(host) {
    super();
    const zoom = new ZoomButtons(this);
    this.corner = zoom.element;
    this.stage = new Stage(host, zoom.element);
    this.#gestures = new Gestures(/** @type {any} */ (this), this.stage.over);
    this.stage.on("camera", () => {
      zoom.show(this.camera.zoom);
      this.tell("camera", this.camera);
    });
    for (const name of ["hover", "error"]) this.stage.on(name, (said) => this.tell(name, said));
  }

  get element() {
    return this.stage.element;
  }

  /** Take the view away. */
  close() {
    this.#gestures.close();
    this.stage.close();
  }

  get layers() {
    return this.stage.layers;
  }

  /** Draw something over the image; null takes it away. @param {string} name @param {Layer|null} layer */
  setLayer(name, layer) {
    this.stage.setLayer(name, layer);
  }

  /** Centre in pixels of the image, and pixels of the screen that one of them is. */
  get camera() {
    const { y, x, zoom } = this.stage.camera;
    return { y, x, zoom };
  }

  /** Whether the camera shows all of the image. */
  get fitted() {
    return this.stage.camera.isFitted;
  }

  fit() {
    this.stage.move((camera) => camera.fit());
  }

  /** @param {number} factor @param {{x: number, y: number}} [at] In CSS pixels of the viewer. */
  zoomBy(factor, at) {
    this.stage.move((camera) => camera.zoomBy(factor, at));
  }

  /** Move the picture by pixels of the screen. @param {number} dx @param {number} dy */
  moveBy(dx, dy) {
    this.stage.move((camera) => camera.moveBy(dx, dy));
  }

  /** @param {{y?: number, x?: number, zoom?: number}} to */
  goTo(to) {
    this.stage.move((camera) => camera.goTo(to));
  }

  /** @param {number[]} box y0, y1, x0, x1 */
  goToBox(box) {
    this.stage.move((camera) => camera.goToBox(box));
  }

  /** Let two viewers look at the same place; returns what ends that. @param {StageView} other */
  syncWith(other) {
    other.goTo(this.camera);
    const ends = [this.on("camera", (to) => other.goTo(to)), other.on("camera", (to) => this.goTo(to))];
    return () => ends.forEach((end) => end());
  }

  /** Where a place of the page is in the image. @param {number} clientX @param {number} clientY */
  toImage(clientX, clientY) {
    const { left, top } = this.stage.over.getBoundingClientRect();
    return this.stage.camera.toImage(clientX - left, clientY - top);
  }

  /** Where a place of the image is, in CSS pixels of the viewer. @param {number} y @param {number} x */
  toScreen(y, x) {
    return this.stage.camera.toScreen(y, x);
  }

  get tool() {
    return this.#tool;
  }

  /** @param {Tool|null} tool */
  setTool(tool) {
    this.#tool = tool;
    this.stage.sketch = tool?.draw ? (context) => tool.draw?.(context, this) : null;
    this.#gestures.refreshCursor();
    this.redraw();
    this.tell("tool", tool);
  }

  /** Draw shapes and the tool again. */
  redraw() {
    this.stage.redraw();
  }

  focus() {
    this.stage.over.focus({ preventScroll: true });
  }

  /** The pointer is here, or nowhere. @param {{clientX: number, clientY: number}|null} event */
  hover(event) {
    this.stage.point(event);
  }

  /**
   * What else the readout says of an object under the pointer, as its area.
   * @param {((id: number) => string|null)|null} describe
   */
  setDescription(describe) {
    this.stage.describe = describe;
  }
}
