/** The images whose labels were corrected: which of them teach, and how far they are right. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { counted } from "../../app/said.js";
import { thumbnail } from "../../app/thumbnail.js";
import { CorrectedCells } from "./facts.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */
/** @typedef {import("../../app/labels.js").LabelsView} LabelsView */
/** @typedef {import("./facts.js").Corrected} Corrected */
/** @typedef {{image: ImageView, labels: LabelsView}} Field */
/** @typedef {{key: string, element: HTMLElement, right: HTMLInputElement}} Card */

const MOST_OTHERS = 60;
const READ_MS = 400;
const ALL_RIGHT = "All cells are right";

/** Cards to choose from. Tells `change`. */
export class Fields extends Emitter {
  element = h("div.train-fields");
  #app;
  #name;
  /** Ids of images that are left out. @type {Set<string>} */
  #out = new Set();
  #known;
  /** By image, made again when its labels change. @type {Map<string, Card>} */
  #cards = new Map();
  #others = h("ul");
  #othersTitle = h("summary");
  #fold = h(
    "details.train-others",
    {},
    this.#othersTitle,
    h("p.quiet-text", {}, "Say of an image that all of its cells are right, and it teaches too."),
    this.#others,
  );
  #later = 0;
  #offs;

  /** @param {App} app @param {() => string} name Of the labels. */
  constructor(app, name) {
    super();
    this.#app = app;
    this.#name = name;
    this.#known = new CorrectedCells(app);
    const soon = () => {
      clearTimeout(this.#later);
      this.#later = window.setTimeout(() => this.show(), READ_MS);
    };
    const { images, labels } = app.openStudy;
    this.#offs = [images.on("change", soon), labels.on("change", soon), app.openStudy.on("act", soon)];
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
    const chosen = this.#corrected.filter(({ image }) => !this.#out.has(image.id));
    return chosen.filter(({ labels }) => !labels.right && !("upload" in labels.origin) && labels.reviewed < 1).length;
  }

  /** @returns {Field[]} */
  get #all() {
    const { images, labels } = this.#app.openStudy;
    return images.used.flatMap((image) => {
      const found = labels.of(image.id, this.#name());
      return found ? [{ image, labels: found }] : [];
    });
  }

  get #corrected() {
    return this.#all.filter((field) => field.labels.teaches);
  }

  show() {
    const all = this.#all;
    const corrected = all.filter((field) => field.labels.teaches);
    const others = all.filter((field) => !field.labels.teaches);
    const chosen = `${this.chosen.length} of ${counted(corrected.length, "image")} chosen`;
    const head = h("div.row", {}, h("h2.grow", {}, "Corrected images"), h("p.quiet-text.number", {}, chosen));
    const cards = corrected.map((field) => this.#cardOf(field));
    fill(
      this.element,
      corrected.length ? [head, h("ul.train-cards", {}, cards)] : this.#empty(all.length > 0),
      others.length > 0 && this.#fold,
    );
    this.#showOthers(others);
    this.tell("change", this);
  }

  /** @param {boolean} segmented */
  #empty(segmented) {
    const text = segmented
      ? "Correct or review some images, or say below of which all cells are right."
      : "Find cells first, then correct some images.";
    const [step, title] = segmented ? ["correct", "Correct cells"] : ["segment", "Find cells first"];
    return h(
      "div.empty",
      {},
      h("div.empty-picture", {}, icon("auto")),
      h("h2", {}, "Nothing to learn from yet"),
      h("p.quiet-text", {}, `A model learns from cells that you put right. ${text}`),
      h("button.primary", { type: "button", onclick: () => this.#app.goStep(step) }, title),
    );
  }

  /** @param {Field} field */
  #cardOf(field) {
    const { image, labels } = field;
    const key = `${labels.id} ${labels.version} ${labels.outlines} ${image.name} ${labels.reviewed}`;
    const before = this.#cards.get(image.id);
    const card = before?.key === key ? before : { key, ...this.#card(field) };
    card.right.checked = labels.right;
    this.#cards.set(image.id, card);
    return card.element;
  }

  /** @param {Field} field */
  #card(field) {
    const { image, labels } = field;
    const { openStudy: study } = this.#app;
    const box = h("input", {
      type: "checkbox",
      checked: !this.#out.has(image.id),
      onchange: () => this.#choose(image.id, box.checked),
    });
    const facts = h("span.quiet-text.number.cut", {}, counted(labels.outlines, "cell"));
    void this.#known.of(labels).then((known) => fill(facts, factsText(known, labels)));
    const look = h(
      "button.quiet.small",
      {
        type: "button",
        "aria-label": `Correct ${image.name}`,
        onclick: () => this.#app.goStep("correct", { image: image.id }),
      },
      "Correct",
    );
    const right = this.#right(labels.id, image.name);
    const element = h(
      "li.train-card",
      {},
      h(
        "label.train-pick",
        {},
        thumbnail(study.path, image, { labels: labels.id }),
        h("span.row.train-name", {}, box, h("span.cut", { title: image.name }, image.name)),
      ),
      facts,
      h("div.row", {}, h("label.check.grow", {}, right, ALL_RIGHT), look),
    );
    return { element, right };
  }

  /** A box by which a person says that all cells of labels are right. @param {string} labels @param {string} name */
  #right(labels, name) {
    const { openStudy: study } = this.#app;
    const box = h("input", {
      type: "checkbox",
      disabled: Boolean(study.readOnly),
      "aria-label": `All cells of ${name} are right`,
    });
    box.addEventListener("change", async () => {
      const right = box.checked;
      try {
        await study.put(at`labels/${labels}/right`, { right });
        await study.labels.load();
      } catch (error) {
        box.checked = !right;
        this.#app.error(error);
      }
    });
    return box;
  }

  /** @param {Field[]} others */
  #showOthers(others) {
    const shown = others.slice(0, MOST_OTHERS);
    const rows = shown.map(({ image, labels }) =>
      h(
        "li.train-other",
        {},
        h("span.cut.grow", {}, image.name),
        h("span.quiet-text.number", {}, counted(labels.outlines, "cell")),
        h("label.check", {}, this.#right(labels.id, image.name), ALL_RIGHT),
      ),
    );
    const more = others.length > shown.length && h("li.quiet-text", {}, `and ${others.length - shown.length} more`);
    fill(this.#othersTitle, `Images without corrections (${others.length})`);
    fill(this.#others, rows, more);
  }

  /** @param {string} id @param {boolean} wanted */
  #choose(id, wanted) {
    if (wanted) this.#out.delete(id);
    else this.#out.add(id);
    this.show();
  }
}

/** @param {Corrected} corrected @param {LabelsView} labels */
function factsText({ cells, more }, labels) {
  const done = cells
    ? `${cells.toLocaleString("en")}${more ? "+" : ""} corrected`
    : "upload" in labels.origin
      ? "imported"
      : "";
  const looked = labels.reviewed > 0 && `${Math.round(100 * labels.reviewed)} % reviewed`;
  return [counted(labels.outlines, "cell"), done, looked].filter(Boolean).join(" · ");
}
