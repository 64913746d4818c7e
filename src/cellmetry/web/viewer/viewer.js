/**
 * The viewer: deep zoom over an image with labels, drawn on a canvas from raw tiles.
 * @module
 */
import { ChannelTastes } from "./channels.js";
import { keepCamera } from "./kept_camera.js";
import { ViewerPair } from "./pair.js";
import { Scenes } from "./scene.js";
import { StageView } from "./stage_view.js";
import { strokeOf } from "./strokes.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./scene.js").Projection} Projection */
/** @typedef {import("./channels.js").Channel} Channel */
/** @typedef {import("./label_layer.js").LabelLook} LabelLook */
/** @typedef {import("./strokes.js").Stroke} Stroke */
const LARGE_PX = 1_500_000;
const SETTLED_MS = 160;

/**
 * Tells "hover" {y, x, id, values} (all null once the pointer has left), "pick" {id, y, x, event}, "camera",
 * "channels", "labels", "select", "shown", "drawn" (a frame that misses nothing), "error", "views" when a second view
 * comes or goes, and "elsewhere" when somebody uses a tool in that.
 */
export class Viewer extends StageView {
  /** Two views of one place. @type {ViewerPair|null} */
  pair;
  #scenes;
  #tastes;
  #asked = 0;
  /** @type {LabelLook} */
  #look = { visible: true, outline: true, fill: 0.15, colouring: { kind: "id" } };
  /** @type {Set<number>} */
  #hidden = new Set();
  /** @type {Set<number>} */
  #selected = new Set();
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
    super(host);
    this.#scenes = new Scenes(studyPath, this.stage.store);
    this.#tastes = new ChannelTastes(studyPath);
    this.pair = alone ? null : new ViewerPair(host, this, studyPath);
    if (this.pair) this.corner.append(this.pair.control);
    this.#endKeeping = alone ? () => {} : keepCamera(this);
    this.stage.on("shown", () => this.#adopt());
    this.stage.on("drawn", () => this.tell("drawn", this));
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

  /** Take the viewer away. */
  close() {
    this.pair?.close();
    this.#endKeeping();
    super.close();
  }

  /** What was chosen while the scene was on its way. @param {import("./label_layer.js").LabelLayer} objects */
  #apply(objects) {
    if (objects.look !== this.#look) objects.setLook(this.#look);
    objects.setHidden(this.#hidden);
    objects.select(this.#selected);
  }

  /** Say to who cannot see it what is shown. */
  #describe() {
    const { height, width } = this.stage.camera.image;
    const name = this.image ? `Image ${this.image.name}, ${width} × ${height} pixels` : "Image viewer";
    this.stage.over.setAttribute("aria-label", `${name}. Arrows move, + and − zoom, 0 shows all.`);
  }

  // what is shown

  /**
   * Show an image, with labels if any are named; what was seen stays until there is something of it.
   * @param {{image: any, labels?: any, t?: number, z?: number, projection?: Projection}} what An ImageView of the API
   *   or null; labels or their id.
   */
  async show({ image, labels = null, t = 0, z = 0, projection = this.#projection }) {
    this.#projection = projection;
    const asked = ++this.#asked;
    if (!image) return this.stage.clear();
    const wanted = { image, labels: labels?.id ?? labels, t, z, projection };
    const channelsOf = (/** @type {any} */ each) =>
      this.#tastes.channelsOf(each.header, each.said?.channel_names ?? null);
    /** @type {LabelLook} */
    const fresh = { ...this.#look, colouring: { kind: "id" } };
    const scene = await this.#scenes.make(wanted, this.#scene, channelsOf, fresh);
    if (asked !== this.#asked) return;
    await this.stage.present(scene);
  }

  get #scene() {
    return this.stage.scene;
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
    return this.#scene?.objects?.pyramid.version ?? null;
  }

  get projection() {
    return this.#projection;
  }

  /** Show one plane, or the largest or mean value of all. @param {Projection} kind */
  setProjection(kind) {
    this.#projection = kind;
    return this.#again({ projection: kind });
  }

  /** Show the next or the plane before. @param {"t"|"z"} axis @param {number} by */
  stepPlane(axis, by) {
    const now = this.stage.next?.scene.wanted ?? this.#scene?.wanted;
    if (!now) return;
    const to = Math.min(Math.max(now[axis] + by, 0), this.sizes[axis] - 1);
    if (to !== now[axis]) this.#again({ [axis]: to });
  }

  /** @param {{t?: number, z?: number, projection?: Projection}} changed */
  async #again(changed) {
    const now = this.stage.next?.scene.wanted ?? this.#scene?.wanted;
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
    const { canvas } = this.stage;
    if (canvas.width * canvas.height > LARGE_PX) this.#beRough();
    this.#scene.picture.show(this.channels);
    this.stage.change();
    this.tell("channels", this.channels);
  }

  /** Show channels like those of another viewer, without keeping that as a taste. @param {Channel[]} channels */
  setChannels(channels) {
    if (!this.#scene) return;
    channels.slice(0, this.channels.length).forEach((channel, k) => Object.assign(this.channels[k], channel));
    this.#scene.picture.show(this.channels);
    this.stage.change();
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
      this.stage.touch();
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
    this.stage.touch();
    this.tell("labels", this.#look);
  }

  /** Do not draw these objects. @param {Set<number>} ids */
  setHidden(ids) {
    this.#hidden = new Set(ids);
    this.#scene?.objects?.setHidden(this.#hidden);
    this.stage.touch();
    this.tell("hidden", this.#hidden);
  }

  get hidden() {
    return this.#hidden;
  }

  get selected() {
    return this.#selected;
  }

  /** Highlight these objects. @param {Iterable<number>} ids */
  select(ids) {
    this.#selected = new Set(ids);
    this.#scene?.objects?.select(this.#selected);
    this.stage.touch();
    this.tell("select", this.#selected);
  }

  /**
   * The object at a point of the image, 0 for background, null where it is not known.
   * @param {number} y @param {number} x
   */
  idAt(y, x) {
    return this.#scene?.objects?.tiles.idAt(y, x) ?? null;
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
    const places = objects?.cover(stroke) ?? [];
    const { t, z } = objects?.tiles.plane ?? this;
    this.stage.touch();
    return Object.assign(stroke, { tiles: places.map(({ level, row, column }) => [level, t, z, row, column]) });
  }

  /**
   * Read label tiles again, as the answer of an edit lists them; the old ones are shown until then.
   * @param {number[][]|null} [tiles] Level, t, z, row, column; all if left out.
   * @param {{labels?: string|null, version?: number|null, settles?: Stroke[]|null}} [answer] Labels, which need not
   *   be those that are shown; the version that was made, asked for if left out; the strokes of `paint` that it
   *   holds, all if left out: others stay drawn over what is read.
   */
  async refresh(tiles = null, { labels = this.labels, version = null, settles = null } = {}) {
    if (labels === null) return;
    const known = this.#scenes.labels;
    const strokes = this.#scene?.objects?.tiles.strokes;
    for (const stroke of settles ?? [...(strokes ?? [])]) strokes?.delete(stroke);
    const newest = version ?? Number((await known.read(labels)).version);
    known.refresh(labels, tiles, newest);
    this.stage.touch();
    void this.pair?.second?.refresh(tiles, { labels, version: newest });
  }

  /** Somebody clicked. @param {PointerEvent} event */
  pick(event) {
    const { y, x } = this.toImage(event.clientX, event.clientY);
    this.tell("pick", { id: this.#scene?.objects?.seenAt(y, x) ?? null, y, x, event });
  }
}
