/** Masks of the field that is seen, live: each a layer of the viewer in its own colour. @module */
import { fill, h } from "../../kernel/dom.js";
import { request } from "../../kernel/api.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { noteTaste, taste } from "../../app/tastes.js";
import { lengthOf } from "../../app/images.js";
import { numberText } from "../../table/words.js";
import { colourAt } from "../../viewer/palette.js";
import { contours } from "../contours.js";
import { notes, partOf, seenBox } from "../segment/preview.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{name: string, title: string, colour: string}} MaskKind */

const RADIAL = "radial_mask";
/** @type {MaskKind[]} */
const MASKS = [
  { name: RADIAL, title: "Radial mask", colour: "#ff8ad1" },
  { name: "target_mask", title: "Target mask", colour: "#5fd0ff" },
  { name: "reference_mask", title: "Reference mask", colour: "#ffb04a" },
  { name: "and_mask", title: "AND mask", colour: "#b4f25c" },
];
/** @type {MaskKind} */
const RATIO = { name: "ratio", title: "Ratio", colour: "" };
const PALETTE = "viridis";
const LAYER = "dual ";
const HIDDEN = "dual.hidden";
const OPACITY = 0.25;
const SHARE = 0.01;
const PART = "The image is large: only the part that is seen is worked here; it gives thresholds of a whole image.";
const NO_CELLS = "No cells are seen in this image, so it has no masks.";
const MOST_LINES = 20_000;
const MOST_PX = 4 << 20;
const SETTLED_MS = 400;

/** A button, and in `element` the masks with switches. Tells `profile` with columns of numbers, null when it ends. */
export class MaskPreviews extends Emitter {
  /** Of what of a large image the masks and the profile are, in words. */
  part = "";
  #app;
  #wanted;
  #wrong;
  #list = h("ul");
  #said = h("div", { "aria-live": "polite" });
  /** How strongly cells were filled before. @type {number|null} */
  #fill = null;
  /** @type {AbortController|null} */
  #asking = null;
  #shown = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  /** Image, labels and plane whose masks are shown or on their way. */
  #place = "";
  /** What is shown: box and whether it is the whole plane. @type {any} */
  #found = null;
  /** Whether a part of the cell was restricted when masks were seen last. */
  #radial = false;
  #offs;

  /** @param {App} app @param {() => Record<string, any>} wanted @param {(error: any) => void} wrong */
  constructor(app, wanted, wrong) {
    super();
    this.#app = app;
    this.#wanted = wanted;
    this.#wrong = wrong;
    this.button = h(
      "button.grow",
      { type: "button", "aria-pressed": "false", disabled: true, onclick: () => this.#turn() },
      icon("eye"),
      "Preview",
    );
    this.element = h("section.stack.dual-masks", {}, h("h3", {}, "Masks"), this.#list, this.#said);
    this.#showList(new Map());
    this.#offs = [
      app.viewer.on("shown", () => this.#moved(true)),
      app.viewer.on("camera", () => this.#moved(false)),
      app.openStudy.labels.on("change", () => this.#moved(true)),
    ];
  }

  close() {
    this.clear();
    for (const off of this.#offs) off();
  }

  /** The form has changed: show what it gives now, if masks are seen. */
  follow() {
    if (!this.#shown) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.run(), SETTLED_MS);
  }

  /** Show the masks that matter for what is wished, and no others. @param {Record<string, any>} plan Of a job. */
  showMasksOf(plan) {
    const roles = ["target", "reference"].filter((role) => !plan.radial || (plan[role]?.mask ?? "none") !== "none");
    const shown = [...(plan.radial ? [RADIAL] : []), ...roles.map((role) => `${role}_mask`)];
    noteTaste(
      HIDDEN,
      [...MASKS, RATIO].map((kind) => kind.name).filter((name) => !shown.includes(name)),
    );
    this.#radial = Boolean(plan.radial);
    if (!this.#found) this.#showList(new Map());
  }

  /** Take the masks away. */
  clear() {
    this.#shown = false;
    this.button.setAttribute("aria-pressed", "false");
    this.#blank();
  }

  /** Show nothing, until there is an answer for what is seen. */
  #blank() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#place = "";
    this.#found = null;
    fill(this.#said);
    this.#showList(new Map());
    for (const { name } of [RATIO, ...MASKS]) this.#remove(name);
    if (this.#fill !== null) this.#app.viewer.setLabels({ fill: this.#fill });
    this.#fill = null;
    this.tell("profile", null);
  }

  #turn() {
    if (this.#shown) this.clear();
    else this.run();
  }

  /**
   * Another image or plane, other labels, or another place: ask again where that shows something else. Masks of what is
   * seen no longer go at once.
   * @param {boolean} other
   */
  #moved(other) {
    if (!this.#shown || (!other && this.#found?.whole)) return;
    if (this.#place !== this.#seen) this.#blank();
    this.follow();
  }

  /** Image, labels and plane that are seen, as a text. */
  get #seen() {
    const { image, labels, t, z } = this.#app.viewer;
    return JSON.stringify([image?.id, labels, t, z]);
  }

  /** Ask for the masks of the field that is seen. */
  async run() {
    const { viewer, openStudy: study } = this.#app;
    const { image, labels } = viewer;
    this.#shown = true;
    this.button.setAttribute("aria-pressed", "true");
    if (!image || !labels || this.button.disabled) return this.#none();
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const place = (this.#place = this.#seen);
    fill(this.#said, h("p.preview-said", {}, h("span.spinner.small-spinner"), "Looking at what is seen…"));
    try {
      const { pictures: _, follow: __, ...wanted } = this.#wanted();
      const body = { image: image.id, labels, t: viewer.t, z: viewer.z, box: this.#box(image), ...wanted };
      const found = await study.post("preview/masks", body, asking.signal);
      const pixels = await Promise.all(
        found.seen.map((/** @type {any} */ each) => this.#pixels(each.pixels, asking.signal)),
      );
      if (asking === this.#asking && place === this.#seen) this.#show(found, pixels);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.clear();
      this.#wrong(error);
    }
  }

  /** There are no masks of what is seen. */
  #none() {
    this.#blank();
    if (!this.#app.viewer.labels) fill(this.#said, h("p.quiet-text", {}, NO_CELLS));
  }

  /** The whole plane where it is small, else what is seen. @param {any} image */
  #box(image) {
    const [height, width] = [lengthOf(image, "Y"), lengthOf(image, "X")];
    return height * width <= MOST_PX
      ? [0, height, 0, width]
      : seenBox(this.#app.viewer, this.#app.frame?.viewerHost ?? document.body);
  }

  /** @param {string} path @param {AbortSignal} signal */
  async #pixels(path, signal) {
    const answer = await request("GET", this.#app.openStudy.path + path, { signal });
    return new Uint32Array(await answer.arrayBuffer());
  }

  /** @param {any} found @param {Uint32Array[]} pixels */
  #show(found, pixels) {
    this.#found = found;
    this.#fill ??= this.#app.viewer.look.fill;
    this.#app.viewer.setLabels({ fill: 0 });
    const radial = found.seen.some((/** @type {any} */ each) => each.name === RADIAL);
    if (radial && !this.#radial) this.#unhide(RADIAL); // somebody has just asked for it
    this.#radial = radial;
    const there = new Map(found.seen.map((/** @type {any} */ each, /** @type {number} */ k) => [each.name, pixels[k]]));
    for (const kind of [RATIO, ...MASKS]) {
      if (there.has(kind.name)) this.#draw(kind, there.get(kind.name));
      else this.#remove(kind.name);
    }
    this.#showList(there);
    fill(this.#said, !found.whole && h("p.quiet-text", {}, PART), notes(found.warnings));
    this.part = partOf(this.#app.viewer.image, found.box);
    this.tell("profile", Object.keys(found.profile).length ? found.profile : null);
  }

  /** @param {MaskKind} kind @param {Uint32Array} ids */
  #draw({ name, colour }, ids) {
    const { viewer } = this.#app;
    if (this.#hidden.has(name)) return this.#remove(name);
    const [y0, y1, x0, x1] = this.#found.box;
    const [height, width] = [y1 - y0, x1 - x0];
    if (name === RATIO.name) {
      const data = new Float32Array(ids.buffer);
      const pixels = { data, height, width, ...spanOf(data) };
      return viewer.setLayer(LAYER + name, { kind: "map", pixels, palette: PALETTE, opacity: 1, box: this.#found.box });
    }
    const lines = contours(ids, height, width, { y: y0, x: x0 });
    const shapes =
      lines.length > MOST_LINES ? [] : lines.map((points) => ({ points, closed: true, colour, width: 1.25 }));
    viewer.setLayer(`${LAYER}${name} fill`, {
      kind: "map",
      pixels: { data: ids, height, width },
      colour,
      opacity: OPACITY,
      box: this.#found.box,
    });
    viewer.setLayer(LAYER + name, { kind: "shapes", shapes });
  }

  /** @param {string} name */
  #remove(name) {
    const { viewer } = this.#app;
    viewer.setLayer(`${LAYER}${name} fill`, null);
    viewer.setLayer(LAYER + name, null);
  }

  get #hidden() {
    return new Set(taste(HIDDEN, /** @type {string[]} */ ([RADIAL, "and_mask", RATIO.name])));
  }

  /** @param {string} name */
  #unhide(name) {
    noteTaste(
      HIDDEN,
      [...this.#hidden].filter((each) => each !== name),
    );
  }

  /** @param {Map<string, Uint32Array>} there Pixels of the masks that are shown. */
  #showList(there) {
    fill(
      this.#list,
      [...MASKS, RATIO].map((kind) => this.#row(kind, there.get(kind.name))),
    );
  }

  /** @param {MaskKind} kind @param {Uint32Array} [ids] */
  #row(kind, ids) {
    const box = h("input", { type: "checkbox", checked: !this.#hidden.has(kind.name) });
    box.addEventListener("change", () => {
      const hidden = this.#hidden;
      if (box.checked) hidden.delete(kind.name);
      else hidden.add(kind.name);
      noteTaste(HIDDEN, [...hidden]);
      if (ids) this.#draw(kind, ids);
    });
    const mark = h("span.preview-mark");
    mark.style.background =
      kind.colour || `linear-gradient(90deg, ${[0, 0.5, 1].map((part) => colourAt(PALETTE, part)).join()})`;
    const count = ids
      ? kind === RATIO
        ? spanText(ids)
        : `${ids.reduce((sum, id) => sum + (id ? 1 : 0), 0).toLocaleString("en")} px`
      : "–";
    return h(
      "li",
      {},
      h("label.check.dual-mask", {}, box, mark, h("span.grow", {}, kind.title), h("span.number.quiet-text", {}, count)),
    );
  }
}

/** The values between which nearly all of a map lie; single ones may be huge. @param {Float32Array} values */
function spanOf(values) {
  const there = values.filter(Number.isFinite).sort();
  const at = (/** @type {number} */ part) => there[Math.round(part * (there.length - 1))] ?? 0;
  return { low: at(SHARE), high: at(1 - SHARE) };
}

/** @param {Uint32Array} bits */
function spanText(bits) {
  const { low, high } = spanOf(new Float32Array(bits.buffer));
  return `${numberText(low, 3)} – ${numberText(high, 3)}`;
}
