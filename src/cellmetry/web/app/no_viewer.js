/** What stands in the viewer's place until it is there: the same interface, nothing to see. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";

/** A viewer that shows the name of the image. */
export class Viewer extends Emitter {
  image = null;
  labels = null;
  t = 0;
  z = 0;
  version = null;
  /** @type {any[]} */
  channels = [];
  layers = new Map();
  camera = { y: 0, x: 0, zoom: 1 };
  selected = new Set();

  /** @param {HTMLElement} host @param {string} studyPath */
  constructor(host, studyPath) {
    super();
    this.host = host;
    this.studyPath = studyPath;
  }

  /** @param {any} shown */
  async show({ image, labels, t = 0, z = 0 }) {
    Object.assign(this, { image, labels, t, z });
    this.channels = (image?.header?.channels ?? []).map((/** @type {any} */ channel) => ({
      name: channel.name, visible: true, colour: channel.colour ?? "#ffffff",
      low: channel.display?.start ?? 0, high: channel.display?.end ?? 255, gamma: 1,
    }));
    fill(this.host, h("p", {}, image?.name ?? ""));
    this.tell("shown", this);
    this.tell("channels", this.channels);
  }

  /** @param {number} k @param {any} changes */
  setChannel(k, changes) {
    Object.assign(this.channels[k], changes);
    this.tell("channels", this.channels);
  }

  autoContrast() {}
  setProjection() {}
  setLabels() {}
  setHidden() {}
  setLayer() {}
  fit() {}
  zoomBy() {}
  goTo() {}
  goToBox() {}
  setTool() {}
  refresh() {}
  paint() {}
  syncWith() {}
  /** @param {Iterable<number>} ids */
  select(ids) {
    this.selected = new Set(ids);
  }
  idAt() {
    return null;
  }
}
