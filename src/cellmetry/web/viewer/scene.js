/**
 * What is to be seen: an image, a plane of it, labels over it. A new scene takes over once there is something of it.
 * @module
 */
import { at } from "../kernel/api.js";
import { Camera } from "./camera.js";
import { ImageLayer } from "./image_layer.js";
import { KnownLabels } from "./known_labels.js";
import { LabelLayer } from "./label_layer.js";
import { Pyramid } from "./pyramid.js";

/** @typedef {import("./channels.js").Channel} Channel */
/** @typedef {import("./label_layer.js").LabelLook} LabelLook */
/** @typedef {import("./tile_store.js").TileStore} TileStore */
/** @typedef {"none"|"max"|"mean"} Projection */
/** @typedef {{image: any, labels: string|null, t: number, z: number, projection: Projection}} Wanted */

/** One image with labels, and the layers that draw them. */
export class Scene {
  /**
   * @param {Wanted} wanted @param {ImageLayer} picture @param {LabelLayer|null} objects @param {Channel[]} channels
   */
  constructor(wanted, picture, objects, channels) {
    this.wanted = wanted;
    this.picture = picture;
    this.objects = objects;
    this.channels = channels;
  }

  get layers() {
    return this.objects ? [this.picture, this.objects] : [this.picture];
  }

  /** Micrometres of a pixel, if somebody knows. @returns {number|null} */
  get pixelUm() {
    const { said, header } = this.wanted.image;
    return said?.pixel_size_um ?? header.pixel_size_um?.x ?? header.pixel_size_um?.y ?? null;
  }

  get size() {
    return { height: this.picture.pyramid.height, width: this.picture.pyramid.width };
  }

  /** Whether there is something to be seen everywhere. */
  get begun() {
    return this.layers.every((layer) => layer.begun);
  }

  /** @param {Camera} camera */
  isComplete(camera) {
    return this.layers.every((layer) => layer.isComplete(camera));
  }

  /**
   * All that is to be read, the most urgent first.
   * @param {Camera} camera @param {boolean} ahead Also round the view.
   */
  wishes(camera, ahead) {
    const coarse = this.layers.flatMap((layer) => layer.coarseWishes());
    const seen = this.layers.flatMap((layer) => layer.wishes(camera));
    if (!ahead) return [...coarse, ...seen];
    const round = this.layers.flatMap((layer) => layer.wishes(camera, 1));
    return [...coarse, ...seen, ...round, ...this.picture.nextWishes(camera)];
  }

  /** A camera that shows all of it in a viewer of this size. @param {Camera} like */
  cameraLike({ height, width, ratio }) {
    const camera = new Camera();
    camera.resize(width, height, ratio);
    camera.image = this.size;
    camera.fit();
    return camera;
  }
}

/** Makes scenes of a study. */
export class Scenes {
  /** @type {Map<string, Pyramid>} */
  #images = new Map();
  #study;
  #store;
  /** @type {KnownLabels} */
  labels;

  /** @param {string} study Path of it, "studies/ID/". @param {TileStore} store */
  constructor(study, store) {
    this.#study = study;
    this.#store = store;
    this.labels = new KnownLabels(study, store);
  }

  /**
   * @param {Wanted} wanted @param {Scene|null} now Its layers are used again where they are the same.
   * @param {(image: any) => Channel[]} channelsOf @param {LabelLook} look
   */
  async make(wanted, now, channelsOf, look) {
    const sameImage = now?.wanted.image.id === wanted.image.id;
    const [image, labels] = await Promise.all([this.#pyramidOf(wanted.image.id), this.#labelsOf(wanted, now)]);
    const plane = clamped(wanted, image.sizes);
    const channels = sameImage && now ? now.channels : channelsOf(wanted.image);
    const picture =
      sameImage && now && samePlane(now.picture.plane, plane)
        ? now.picture
        : new ImageLayer(image, plane, this.#store, channels);
    const objects = labels && this.#objectsOf(labels, plane, now, look);
    return new Scene({ ...wanted, ...plane }, picture, objects, channels);
  }

  /** @param {string} image */
  async #pyramidOf(image) {
    const known = this.#images.get(image);
    if (known) return known;
    const read = await Pyramid.read(this.#study + at`images/${image}`);
    this.#images.set(image, read);
    return read;
  }

  /** @param {Wanted} wanted @param {Scene|null} now */
  async #labelsOf({ labels }, now) {
    if (!labels) return null;
    if (now?.objects && now.wanted.labels === labels) return now.objects.pyramid;
    return this.labels.read(labels);
  }

  /** @param {Pyramid} pyramid @param {{t: number, z: number}} plane @param {Scene|null} now @param {LabelLook} look */
  #objectsOf(pyramid, { t, z }, now, look) {
    const plane = { t: Math.min(t, pyramid.sizes.t - 1), z: Math.min(z, pyramid.sizes.z - 1) };
    const before = now?.objects?.pyramid === pyramid ? now.objects : null;
    if (before && before.tiles.plane.t === plane.t && before.tiles.plane.z === plane.z) return before;
    const layer = new LabelLayer(pyramid, plane, this.#store, look);
    if (before) layer.goOnFrom(before);
    else layer.begin();
    return layer;
  }
}

/** @param {Wanted} wanted @param {{t: number, z: number}} sizes */
const clamped = ({ t, z, projection }, sizes) => ({
  t: Math.min(Math.max(t, 0), sizes.t - 1),
  z: Math.min(Math.max(z, 0), sizes.z - 1),
  projection,
});

/** @param {{t: number, z: number, projection: string}} a @param {{t: number, z: number, projection: string}} b */
const samePlane = (a, b) => a.t === b.t && a.projection === b.projection && (a.z === b.z || a.projection !== "none");
