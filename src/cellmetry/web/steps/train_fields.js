/** The images whose labels were corrected: which of them teach, and how far they are right. @module */
import { at } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { icon } from "../controls/icons.js";
import { counted, sayOf } from "../app/said.js";
import { thumbnail } from "../app/thumbnail.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("../app/images.js").ImageView} ImageView */
/** @typedef {import("../app/labels.js").LabelsView} LabelsView */
/** @typedef {{image: ImageView, labels: LabelsView}} Field */

const MOST_OTHERS = 60;
const EDITS = 1000;
const READ_MS = 400;

/** Whether labels were corrected by hand, drawn elsewhere, or are said to be right. @param {Field} field */
const isCorrected = ({ image, labels }) => labels.version > 0 || "upload" in labels.origin || Boolean(image.said.corrected);

/** Cards to choose from. Tells `change`. */
export class Fields extends Emitter {
  element = h("div.train-fields");
  #app;
  #name;
  /** Ids of images that are left out. @type {Set<string>} */
  #out = new Set();
  /** Cells corrected, by labels and version. @type {Map<string, Promise<number>>} */
  #edited = new Map();
  #later = 0;
  #offs;

  /** @param {App} app @param {() => string} name Of the labels. */
  constructor(app, name) {
    super();
    this.#app = app;
    this.#name = name;
    const soon = () => {
      clearTimeout(this.#later);
      this.#later = window.setTimeout(() => this.show(), READ_MS);
    };
    this.#offs = [app.openStudy.images.on("change", soon), app.openStudy.labels.on("change", soon)];
    this.show();
  }

  close() {
    clearTimeout(this.#later);
    for (const off of this.#offs) off();
  }

  /** Images that teach or judge. @returns {ImageView[]} */
  get chosen() {
    return this.#corrected.map((field) => field.image).filter((image) => !this.#out.has(image.id));
  }

  /** How many of them have corrections, but nobody said that all of their cells are right. */
  get unsure() {
    const drawn = new Set(this.#corrected.filter(({ labels }) => "upload" in labels.origin).map(({ image }) => image.id));
    return this.chosen.filter((image) => !image.said.corrected && !drawn.has(image.id)).length;
  }

  /** @returns {Field[]} */
  get #all() {
    const { images, labels } = this.#app.openStudy;
    return images.ready.filter((image) => !image.said.excluded).flatMap((image) => {
      const found = labels.of(image.id, this.#name());
      return found ? [{ image, labels: found }] : [];
    });
  }

  get #corrected() {
    return this.#all.filter(isCorrected);
  }

  show() {
    const all = this.#all;
    const corrected = all.filter(isCorrected);
    const others = all.filter((field) => !isCorrected(field));
    if (!corrected.length) fill(this.element, this.#empty(all.length > 0), this.#others(others));
    else {
      const head = h("div.row", {}, h("h2.grow", {}, "Corrected images"), h("p.quiet-text.number", {}, `${this.chosen.length} of ${counted(corrected.length, "image")} chosen`));
      fill(this.element, head, h("ul.train-cards", {}, corrected.map((field) => this.#card(field))), this.#others(others));
    }
    this.tell("change", this);
  }

  /** @param {boolean} segmented */
  #empty(segmented) {
    const text = segmented
      ? "A model learns from cells that you put right. Correct some images, or mark images below whose cells are all right."
      : "A model learns from cells that you put right. Find cells first, then correct some images.";
    const [step, title] = segmented ? ["correct", "Correct cells"] : ["segment", "Find cells first"];
    return h("div.empty", {}, h("div.empty-picture", {}, icon("auto")), h("h2", {}, "Nothing to learn from yet"), h("p.quiet-text", {}, text),
      h("button.primary", { type: "button", onclick: () => this.#app.goStep(step) }, title));
  }

  /** @param {Field} field */
  #card({ image, labels }) {
    const { openStudy: study } = this.#app;
    const box = h("input", { type: "checkbox", checked: !this.#out.has(image.id), onchange: () => this.#choose(image.id, box.checked) });
    const edited = h("span.quiet-text.number", {}, " ");
    void this.#editedOf(labels).then((count) => fill(edited, correctedText(count, labels)));
    const look = h("button.quiet.small", { type: "button", "aria-label": `Correct ${image.name}`, onclick: () => this.#app.goStep("correct", { image: image.id }) }, "Correct");
    return h("li.train-card", {}, h("label.train-pick", {}, thumbnail(study.path, image, { labels: labels.id }), h("span.row.train-name", {}, box, h("span.cut", { title: image.name }, image.name))),
      edited, h("div.row", {}, this.#right(image), look));
  }

  /** Whether all cells are right; said by a person. @param {ImageView} image */
  #right(image) {
    const said = Boolean(image.said.corrected);
    const say = () => sayOf(this.#app, [image], { values: { corrected: said ? null : true } });
    return h("label.check.grow", {}, h("input", { type: "checkbox", checked: said, disabled: Boolean(this.#app.openStudy.readOnly), "aria-label": `All cells of ${image.name} are right`, onchange: say }), "All cells are right");
  }

  /** @param {Field[]} others */
  #others(others) {
    if (!others.length) return null;
    const shown = others.slice(0, MOST_OTHERS);
    const rows = shown.map(({ image, labels }) => h("li.train-other", {}, h("span.cut.grow", {}, image.name), h("span.quiet-text.number", {}, counted(labels.outlines, "cell")), this.#right(image)));
    const more = others.length > shown.length && h("li.quiet-text", {}, `and ${others.length - shown.length} more`);
    return h("details.train-others", {}, h("summary", {}, `Images without corrections (${others.length})`),
      h("p.quiet-text", {}, "Say of an image that all of its cells are right, and it teaches too."), h("ul", {}, rows, more));
  }

  /** @param {string} id @param {boolean} wanted */
  #choose(id, wanted) {
    if (wanted) this.#out.delete(id);
    else this.#out.add(id);
    this.show();
  }

  /** @param {LabelsView} labels @returns {Promise<number>} */
  #editedOf(labels) {
    const key = `${labels.id} ${labels.version}`;
    const known = this.#edited.get(key) ?? (labels.version > 0 ? editedCells(this.#app, labels.id) : Promise.resolve(0));
    this.#edited.set(key, known);
    return known;
  }
}

/** @param {App} app @param {string} labels */
async function editedCells(app, labels) {
  try {
    const edits = await app.openStudy.get(at`labels/${labels}/edits`, { limit: EDITS });
    const held = edits.filter((/** @type {any} */ edit) => edit.version !== null && edit.act.undone_by === null);
    return new Set(held.flatMap((/** @type {any} */ edit) => edit.ids)).size;
  } catch (error) {
    app.error(error);
    return 0;
  }
}

/** @param {number} count @param {LabelsView} labels */
function correctedText(count, labels) {
  const all = counted(labels.outlines, "cell");
  return count ? `${all}, ${count.toLocaleString("en")} corrected` : "upload" in labels.origin ? `${all}, imported` : all;
}
