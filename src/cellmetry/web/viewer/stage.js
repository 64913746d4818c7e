/**
 * The canvases of a viewer and its frames: one at most for each of the browser's, only when something has changed.
 * @module
 */
import { h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { Camera } from "./camera.js";
import { FieldPicture } from "./field_picture.js";
import { Readout, ScaleBar } from "./furniture.js";
import { Minimap } from "./minimap.js";
import { drawShapes, MapPicture } from "./overlay.js";
import { TileStore } from "./tile_store.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./field_picture.js").FieldLayer} FieldLayer */
/** @typedef {import("./overlay.js").ShapesLayer|import("./overlay.js").MapLayer|FieldLayer} Layer */
/** @typedef {{y: number|null, x: number|null, id: number|null, values: (number|null)[]}} Hover */

const TILE_BYTES = 320 << 20;
const WAIT_MS = 120;
const NOWHERE = { y: null, x: null, id: null, values: [] };

/** Tells "shown", "drawn", "camera", "hover", "error". */
export class Stage extends Emitter {
  canvas = h("canvas.viewer-canvas", { "aria-hidden": "true" });
  over = h("canvas.viewer-over", { tabindex: "0", role: "application", "aria-label": "Image viewer" });
  camera = new Camera();
  store = new TileStore(TILE_BYTES);
  /** @type {Scene|null} */
  scene = null;
  /** @type {{scene: Scene, camera: Camera, since: number, done: () => void}|null} */
  next = null;
  /** @type {Map<string, Layer>} */
  layers = new Map();
  /** Draws above all. @type {((context: CanvasRenderingContext2D) => void)|null} */
  sketch = null;
  /** @type {((id: number) => string|null)|null} */
  describe = null;
  /** @type {Map<string, MapPicture|FieldPicture>} */
  #maps = new Map();
  /** @type {CanvasRenderingContext2D} */
  #context = this.canvas.getContext("2d", { alpha: false });
  /** @type {CanvasRenderingContext2D} */
  #overContext = this.over.getContext("2d");
  #frame = 0;
  #base = true;
  #complete = false;
  /** @type {{clientX: number, clientY: number}|null} */
  #pointer = null;
  #revision = 0;
  #scale = new ScaleBar();
  #readout = new Readout();
  #minimap = new Minimap((to) => this.move((camera) => camera.goTo(to)));
  #resizing = new ResizeObserver(() => this.touch());

  /** @param {HTMLElement} host Is filled. @param {Node[]} more What else stands at the lower left. */
  constructor(host, ...more) {
    super();
    const corner = h("div.viewer-corner", {}, this.#scale.element, ...more);
    this.element = h(
      "div.viewer",
      {},
      ...[this.canvas, this.over, corner, this.#minimap.element, this.#readout.element],
    );
    host.append(this.element);
    this.#resizing.observe(this.element);
    this.store.on("tile", ({ key }) => this.#arrived(key));
    this.store.on("error", (error) => this.tell("error", error));
  }

  close() {
    this.#resizing.disconnect();
    this.store.close();
    cancelAnimationFrame(this.#frame);
    this.element.remove();
  }

  /** Show a scene as soon as there is enough of it; the promise is kept then. @param {Scene} scene */
  present(scene) {
    const stays = this.scene?.wanted.image.id === scene.wanted.image.id;
    const camera = stays ? this.camera : scene.cameraLike(this.camera);
    const since = this.next?.since ?? performance.now();
    this.next?.done();
    setTimeout(() => this.touch(), WAIT_MS);
    this.touch();
    return new Promise((done) => (this.next = { scene, camera, since, done: () => done(undefined) }));
  }

  /** Show nothing. */
  clear() {
    this.next?.done();
    this.next = this.scene = null;
    this.store.want([]);
    this.touch();
    this.tell("shown");
  }

  /** @param {string} name @param {Layer|null} layer */
  setLayer(name, layer) {
    this.#maps.delete(name);
    if (layer) this.layers.set(name, layer);
    else this.layers.delete(name);
    if (layer?.kind === "labels") this.#maps.set(name, new FieldPicture(layer));
    if (layer?.kind === "map") this.#maps.set(name, this.#mapOf(name, layer));
    this.touch();
  }

  /** A map; one that cannot be shown is taken away. @param {string} name @param {import("./overlay.js").MapLayer} layer */
  #mapOf(name, layer) {
    return new MapPicture(
      layer,
      () => this.touch(),
      (error) => {
        if (this.layers.get(name) === layer) this.setLayer(name, null);
        this.tell("error", error);
      },
    );
  }

  /** @param {(camera: Camera) => void} how */
  move(how) {
    const { y, x, zoom } = this.camera;
    how(this.camera);
    if (y === this.camera.y && x === this.camera.x && zoom === this.camera.zoom) return;
    this.touch();
    this.tell("camera");
  }

  /** The pointer is here, or nowhere. @param {{clientX: number, clientY: number}|null} at */
  point(at) {
    this.#pointer = at && { clientX: at.clientX, clientY: at.clientY };
    if (!at) this.#say(null);
    this.redraw();
  }

  /** Draw all again in the next frame. */
  touch() {
    this.#base = true;
    this.redraw();
  }

  /** Draw what is above the tiles again in the next frame. */
  redraw() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** What is shown is another picture: the minimap too is drawn again. */
  change() {
    this.#revision++;
    this.touch();
  }

  /** @param {string} key */
  #arrived(key) {
    this.scene?.objects?.arrived(key);
    if (this.next?.scene.objects !== this.scene?.objects) this.next?.scene.objects?.arrived(key);
    this.#revision++;
    this.touch();
  }

  #draw() {
    this.#frame = 0;
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    this.#fitSize(width, height);
    this.#adopt();
    this.#want();
    const base = this.#base;
    this.#base = false;
    if (base) this.#drawBase();
    this.#drawOver();
    if (this.#pointer) this.#say(this.#pointer);
  }

  /** @param {number} width @param {number} height */
  #fitSize(width, height) {
    const fitted = this.camera.isFitted;
    const ratio = window.devicePixelRatio || 1;
    if (!this.camera.resize(width, height, ratio)) return;
    for (const canvas of [this.canvas, this.over])
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    if (fitted) this.camera.fit();
    if (this.next && this.next.camera !== this.camera) this.next.camera = this.next.scene.cameraLike(this.camera);
    this.#base = true;
    this.tell("camera");
  }

  /** Take the next scene if there is enough of it. */
  #adopt() {
    if (!this.next) return;
    const { scene, camera, since, done } = this.next;
    const late = !this.scene || performance.now() - since > WAIT_MS;
    if (!(scene.isComplete(camera) || (late && scene.begun))) return;
    const moved = camera !== this.camera;
    for (const layer of this.scene?.layers ?? []) if (!scene.layers.includes(layer)) layer.painted.release();
    this.next = null;
    this.scene = scene;
    this.camera.image = scene.size;
    if (moved) this.camera.goTo(camera);
    this.#base = true;
    this.#revision++;
    if (moved) this.tell("camera");
    this.tell("shown");
    done();
  }

  #want() {
    const wishes = this.next ? this.next.scene.wishes(this.next.camera, false) : [];
    if (this.scene) wishes.push(...this.scene.wishes(this.camera, this.#complete && !this.next));
    this.store.want(wishes);
  }

  #drawBase() {
    const context = this.#context;
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.scene) return;
    const { picture, objects } = this.scene;
    const before = this.#complete;
    this.#complete = picture.draw(context, this.camera);
    if (objects?.look.visible) this.#complete = objects.draw(context, this.camera) && this.#complete;
    for (const map of this.#maps.values()) map.draw(context, this.camera);
    if (picture.behind || (objects?.look.visible && objects.behind)) this.touch();
    this.#minimap.draw(picture, this.camera, String(this.#revision));
    this.#scale.draw(this.camera, this.scene.pixelUm);
    if (this.#complete && !before) this.redraw(); // to read ahead
    if (this.#complete && !this.next && (objects?.isFresh(this.camera) ?? true)) this.tell("drawn");
  }

  #drawOver() {
    const context = this.#overContext;
    const { ratio } = this.camera;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.camera.width, this.camera.height);
    if (!this.scene) return;
    for (const layer of this.layers.values()) if (layer.kind === "shapes") drawShapes(context, this.camera, layer);
    this.sketch?.(context);
  }

  /** Say what is under the pointer. @param {{clientX: number, clientY: number}|null} pointer */
  #say(pointer) {
    const at = pointer && this.#under(pointer);
    this.#readout.show(at, this.scene?.channels ?? [], at?.id ? (this.describe?.(at.id) ?? null) : null);
    this.tell("hover", at ?? NOWHERE);
  }

  /** @param {{clientX: number, clientY: number}} pointer */
  #under({ clientX, clientY }) {
    const { left, top } = this.over.getBoundingClientRect();
    const { y, x } = this.camera.toImage(clientX - left, clientY - top);
    const { height, width } = this.camera.image;
    if (!this.scene || y < 0 || x < 0 || y >= height || x >= width) return null;
    return { y, x, id: this.scene.objects?.seenAt(y, x) ?? null, ...this.scene.picture.valuesAt(y, x) };
  }
}
