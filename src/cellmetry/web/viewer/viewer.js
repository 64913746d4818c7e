/**
 * The viewer: deep zoom over an image with labels, drawn on a canvas from raw tiles.
 * @module
 */
import { Emitter } from "../kernel/emitter.js";
import { keepCamera } from "./kept_camera.js";
import { ChannelTastes } from "./channels.js";
import { ZoomButtons } from "./furniture.js";
import { Gestures } from "./gestures.js";
import { ViewerPair } from "./pair.js";
import { Scenes } from "./scene.js";
import { Stage } from "./stage.js";
import { strokeOf } from "./strokes.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./scene.js").Projection} Projection */
/** @typedef {import("./channels.js").Channel} Channel */
/** @typedef {import("./label_layer.js").LabelLook} LabelLook */
/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./stage.js").Layer} Layer */
/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} [cursor]
 * @property {(point: {y: number, x: number}, event: PointerEvent, viewer: Viewer) => void} [down]
 * @property {(point: {y: number, x: number}, event: PointerEvent, viewer: Viewer) => void} [move]
 * @property {(point: {y: number, x: number}, event: PointerEvent, viewer: Viewer) => void} [up]
 * @property {(event: KeyboardEvent, viewer: Viewer) => boolean|void} [key] True: it was for the tool.
 * @property {(event: WheelEvent, viewer: Viewer) => void} [wheel] With Alt held.
 * @property {(context: CanvasRenderingContext2D, viewer: Viewer) => void} [draw] In CSS pixels of the viewer.
 */

const LARGE_PX = 1_500_000;
const SETTLED_MS = 160;

/**
 * Tells "hover" {y, x, id, values} (all null once the pointer has left), "pick" {id, y, x, event}, "camera", "channels",
 * "labels", "select", "shown", "drawn" (a frame that misses nothing) and "error".
 */
export class Viewer extends Emitter {
  /** Controls at the lower left, to which others may be added. @type {HTMLElement} */
  corner;
  /** Two views of one place. @type {ViewerPair|null} */
  pair;
  #stage;
  #scenes;
  #tastes;
  #gestures;
  #asked = 0;
  /** @type {LabelLook} */
  #look = { visible: true, outline: true, fill: 0.15, colouring: { kind: "id" } };
  /** @type {Set<number>} */
  #hidden = new Set();
  /** @type {Set<number>} */
  #selected = new Set();
  /** @type {Tool|null} */
  #tool = null;
  /** @type {Projection} */
  #projection = "none";
  #settling = 0;
  #endKeeping;
  /** Path of the labels that were shown last. */
  #objectsOf = "";

  /**
   * @param {HTMLElement} host Is filled. @param {string} studyPath "studies/ID/"
   * @param {{alone?: boolean}} [how] Without the control for a second view.
   */
  constructor(host, studyPath, { alone = false } = {}) {
    super();
    const zoom = new ZoomButtons(this);
    this.#stage = new Stage(host, zoom.element);
    this.corner = zoom.element;
    this.pair = alone ? null : new ViewerPair(host, this, studyPath);
    if (this.pair) this.corner.append(this.pair.control);
    this.#scenes = new Scenes(studyPath, this.#stage.store);
    this.#tastes = new ChannelTastes(studyPath);
    this.#gestures = new Gestures(this, this.#stage.over);
    this.#stage.on("camera", () => {
      zoom.show(this.camera.zoom);
      this.tell("camera", this.camera);
    });
    this.#endKeeping = alone ? () => {} : keepCamera(this);
    for (const name of ["hover", "error"]) this.#stage.on(name, (said) => this.tell(name, said));
    this.#stage.on("shown", () => this.#adopt());
    this.#stage.on("drawn", () => this.tell("drawn", this));
  }

  /** Another scene is shown: what was chosen of other labels is chosen no longer. */
  #adopt() {
    const objects = this.#scene?.objects;
    if (objects && objects.pyramid.path !== this.#objectsOf) {
      this.#objectsOf = objects.pyramid.path;
      [this.#hidden, this.#selected, this.#look] = [objects.hidden, objects.selected, objects.look];
      this.tell("labels", this.#look);
      this.tell("select", this.#selected);
    } else if (objects) this.#apply(objects);
    this.#describe();
    this.tell("shown", this);
  }

  get element() {
    return this.#stage.element;
  }

  /** Take the viewer away. */
  close() {
    this.pair?.close();
    this.#endKeeping();
    this.#gestures.close();
    this.#stage.close();
  }

  /** What was chosen while the scene was on its way. @param {import("./label_layer.js").LabelLayer} objects */
  #apply(objects) {
    if (objects.look !== this.#look) objects.setLook(this.#look);
    objects.setHidden(this.#hidden);
    objects.select(this.#selected);
  }

  /** Say to who cannot see it what is shown. */
  #describe() {
    const { height, width } = this.#stage.camera.image;
    const name = this.image ? `Image ${this.image.name}, ${width} × ${height} pixels` : "Image viewer";
    this.#stage.over.setAttribute("aria-label", `${name}. Arrows move, + and − zoom, 0 shows all.`);
  }

  // what is shown

  /**
   * Show an image, with labels if any are named; what was seen stays until there is something of it.
   * @param {{image: any, labels?: any, t?: number, z?: number}} what An ImageView of the API or null; labels or their id.
   */
  async show({ image, labels = null, t = 0, z = 0 }) {
    const asked = ++this.#asked;
    if (!image) return this.#stage.clear();
    const wanted = { image, labels: labels?.id ?? labels, t, z, projection: this.#projection };
    const channelsOf = (/** @type {any} */ each) =>
      this.#tastes.channelsOf(each.header, each.said?.channel_names ?? null);
    /** @type {LabelLook} */
    const fresh = { ...this.#look, colouring: { kind: "id" } };
    const scene = await this.#scenes.make(wanted, this.#scene, channelsOf, fresh);
    if (asked !== this.#asked) return;
    await this.#stage.present(scene);
  }

  get #scene() {
    return this.#stage.scene;
  }

  get image() {
    return this.#scene?.wanted.image ?? null;
  }

  /** Id of the labels that are shown. */
  get labels() {
    return this.#scene?.wanted.labels ?? null;
  }

  get t() {
    return this.#scene?.wanted.t ?? 0;
  }

  get z() {
    return this.#scene?.wanted.z ?? 0;
  }

  /** Numbers of frames, channels and planes of the image. */
  get sizes() {
    return this.#scene?.picture.pyramid.sizes ?? { t: 1, c: 1, z: 1 };
  }

  /** Of the labels that are shown; null where there are none. */
  get version() {
    return this.#scene?.objects?.version ?? null;
  }

  get projection() {
    return this.#projection;
  }

  /** Show one plane, or the largest or mean value of all. @param {Projection} kind */
  setProjection(kind) {
    this.#projection = kind;
    return this.#again({});
  }

  /** Show the next or the plane before. @param {"t"|"z"} axis @param {number} by */
  stepPlane(axis, by) {
    const now = this.#stage.next?.scene.wanted ?? this.#scene?.wanted;
    if (!now) return;
    const to = Math.min(Math.max(now[axis] + by, 0), this.sizes[axis] - 1);
    if (to !== now[axis]) this.#again({ [axis]: to });
  }

  /** @param {{t?: number, z?: number}} changed */
  async #again(changed) {
    const now = this.#stage.next?.scene.wanted ?? this.#scene?.wanted;
    if (now) await this.show({ ...now, ...changed });
  }

  // channels

  /** @returns {Channel[]} */
  get channels() {
    return this.#scene?.channels ?? [];
  }

  /** @param {number} k @param {Partial<Channel>} changes */
  setChannel(k, changes) {
    const channel = this.channels[k];
    if (!channel || !this.#scene) return;
    const ranged = "low" in changes || "high" in changes;
    Object.assign(channel, ranged ? { chosen: true } : {}, changes);
    this.#tastes.keep(channel);
    const { canvas } = this.#stage;
    if (canvas.width * canvas.height > LARGE_PX) this.#beRough();
    this.#scene.picture.show(this.channels);
    this.#stage.change();
    this.tell("channels", this.channels);
  }

  /** Show channels like those of another viewer, without keeping that as a taste. @param {Channel[]} channels */
  setChannels(channels) {
    if (!this.#scene) return;
    channels.slice(0, this.channels.length).forEach((channel, k) => Object.assign(this.channels[k], channel));
    this.#scene.picture.show(this.channels);
    this.#stage.change();
  }

  /** Choose low and high by what there is in the image. @param {number} [k] All channels if left out. */
  async autoContrast(k) {
    const picture = this.#scene?.picture;
    if (!picture) return;
    const some = k === undefined ? this.channels.map((_, c) => c) : [k];
    const ranges = await Promise.all(some.map((c) => picture.rangeOf(c)));
    if (picture === this.#scene?.picture) some.forEach((c, n) => this.setChannel(c, { ...ranges[n], chosen: false }));
  }

  /**
   * How often values occur in a channel, counted in the coarsest level.
   * @param {number} k @param {number} [bins] @returns {Promise<{counts: Uint32Array, low: number, high: number}|null>}
   */
  async histogram(k, bins = 64) {
    const channel = this.channels[k];
    if (!channel || !this.#scene) return null;
    const { low, high } = await this.#scene.picture.spanOf(k);
    return { counts: await this.#scene.picture.histogramOf(k, low, high, bins), low, high };
  }

  /** Draw half as fine as long as somebody drags. */
  #beRough() {
    const picture = /** @type {Scene} */ (this.#scene).picture;
    picture.rough = true;
    clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => {
      picture.rough = false;
      this.#stage.touch();
    }, SETTLED_MS);
  }

  // labels

  get look() {
    return this.#look;
  }

  /** @param {Partial<LabelLook>} changes */
  setLabels(changes) {
    this.#look = { ...this.#look, ...changes };
    this.#scene?.objects?.setLook(this.#look);
    this.#stage.touch();
    this.tell("labels", this.#look);
  }

  /** Do not draw these objects. @param {Set<number>} ids */
  setHidden(ids) {
    this.#hidden = new Set(ids);
    this.#scene?.objects?.setHidden(this.#hidden);
    this.#stage.touch();
  }

  get selected() {
    return this.#selected;
  }

  /** Highlight these objects. @param {Iterable<number>} ids */
  select(ids) {
    this.#selected = new Set(ids);
    this.#scene?.objects?.select(this.#selected);
    this.#stage.touch();
    this.tell("select", this.#selected);
  }

  /** The object at a point of the image, 0 for background, null where it is not known. @param {number} y @param {number} x */
  idAt(y, x) {
    return this.#scene?.objects?.idAt(y, x) ?? null;
  }

  /**
   * Show a stroke at once, until the tiles are read again.
   * @param {number[][]} points (y, x) @param {number} radius @param {number} id 0 erases.
   * @param {{over?: boolean, only?: number|null}} [how]
   * @returns {Stroke & {tiles: number[][]}} The tiles in which it lies, as `refresh` takes them.
   */
  paint(points, radius, id, how) {
    const stroke = strokeOf(points, radius, id, how);
    const objects = this.#scene?.objects;
    objects?.strokes.add(stroke);
    const tiles = objects?.cover(stroke) ?? [];
    this.#stage.touch();
    return Object.assign(stroke, { tiles });
  }

  /**
   * Read label tiles again, as the answer of an edit lists them; the old ones are shown until then.
   * @param {number[][]|null} [tiles] Level, t, z, row, column; all if left out.
   * @param {{version?: number|null, settles?: Stroke[]|null}} [answer] The version that was made, asked for if left out;
   *   the strokes of `paint` that it holds, all if left out: others stay drawn over what is read.
   */
  async refresh(tiles = null, { version = null, settles = null } = {}) {
    const objects = this.#scene?.objects;
    if (!objects) return;
    for (const stroke of settles ?? [...objects.strokes]) objects.strokes.delete(stroke);
    objects.refresh(tiles, version ?? (await objects.pyramid.newestVersion()));
    this.#stage.touch();
  }

  // layers

  get layers() {
    return this.#stage.layers;
  }

  /** Draw something over the image; null takes it away. @param {string} name @param {Layer|null} layer */
  setLayer(name, layer) {
    this.#stage.setLayer(name, layer);
  }

  // camera

  /** Centre in pixels of the image, and pixels of the screen that one of them is. */
  get camera() {
    const { y, x, zoom } = this.#stage.camera;
    return { y, x, zoom };
  }

  /** Whether the camera shows all of the image. */
  get fitted() {
    return this.#stage.camera.isFitted;
  }

  fit() {
    this.#stage.move((camera) => camera.fit());
  }

  /** @param {number} factor @param {{x: number, y: number}} [at] In CSS pixels of the viewer. */
  zoomBy(factor, at) {
    this.#stage.move((camera) => camera.zoomBy(factor, at));
  }

  /** Move the picture by pixels of the screen. @param {number} dx @param {number} dy */
  moveBy(dx, dy) {
    this.#stage.move((camera) => camera.moveBy(dx, dy));
  }

  /** @param {{y?: number, x?: number, zoom?: number}} to */
  goTo(to) {
    this.#stage.move((camera) => camera.goTo(to));
  }

  /** @param {number[]} box y0, y1, x0, x1 */
  goToBox(box) {
    this.#stage.move((camera) => camera.goToBox(box));
  }

  /** Let two viewers look at the same place; returns what ends that. @param {Viewer} other */
  syncWith(other) {
    other.goTo(this.camera);
    const ends = [this.on("camera", (to) => other.goTo(to)), other.on("camera", (to) => this.goTo(to))];
    return () => ends.forEach((end) => end());
  }

  /** Where a place of the page is in the image. @param {number} clientX @param {number} clientY */
  toImage(clientX, clientY) {
    const { left, top } = this.#stage.over.getBoundingClientRect();
    return this.#stage.camera.toImage(clientX - left, clientY - top);
  }

  /** Where a place of the image is, in CSS pixels of the viewer. @param {number} y @param {number} x */
  toScreen(y, x) {
    return this.#stage.camera.toScreen(y, x);
  }

  // tool and pointer

  get tool() {
    return this.#tool;
  }

  /** @param {Tool|null} tool */
  setTool(tool) {
    this.#tool = tool;
    this.#stage.sketch = tool?.draw ? (context) => tool.draw?.(context, this) : null;
    this.#gestures.refreshCursor();
    this.redraw();
  }

  /** Draw shapes and the tool again. */
  redraw() {
    this.#stage.redraw();
  }

  focus() {
    this.#stage.over.focus({ preventScroll: true });
  }

  /** The pointer is here, or nowhere. @param {{clientX: number, clientY: number}|null} event */
  hover(event) {
    this.#stage.point(event);
  }

  /**
   * What else the readout says of an object under the pointer, as its area.
   * @param {((id: number) => string|null)|null} describe
   */
  setDescription(describe) {
    this.#stage.describe = describe;
  }

  /** Somebody clicked. @param {PointerEvent} event */
  pick(event) {
    const { y, x } = this.toImage(event.clientX, event.clientY);
    this.tell("pick", { id: this.#scene?.objects?.seenAt(y, x) ?? null, y, x, event });
  }
}
