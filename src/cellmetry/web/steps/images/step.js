/** The step Images: bring them in, see them all, say what they are. @module */
import { fill, h } from "../../kernel/dom.js";
import { cutName } from "../../controls/cut_name.js";
import { icon } from "../../controls/icons.js";
import { VirtualGrid } from "../../controls/virtual_grid.js";
import { counted, valuesOf, withoutPixelSize } from "../../app/said.js";
import { thumbnail } from "../../app/thumbnail.js";
import { Adding, uploadProgress } from "./adding.js";
import { refreshFields, removeImages, showDetails } from "./details.js";
import { ImageFilter } from "./filter.js";
import { Moved } from "./moved.js";
import { qualityMark } from "./quality.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

/** @type {import("../../app/steps.js").Step} */
export default {
  name: "images",
  title: "Images",
  centre: "own",
  rightWidth: 300,
  open: (app, panes) => new ImagesStep(app, panes),
};

class ImagesStep {
  #app;
  #panes;
  #adding;
  #progress;
  #filter = new ImageFilter(() => this.#showGrid());
  #summary = h("div");
  #next = h("div.left-foot");
  /** Ids of the images whose details are shown. */
  #details = "";
  #hint = h("div");
  #moved;
  #nothing = h("div");
  /** @type {VirtualGrid<ImageView>} */
  #grid;
  #empty;
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    this.#panes = panes;
    this.#adding = new Adding(app);
    this.#progress = uploadProgress(app);
    this.#moved = new Moved(app);
    this.#grid = new VirtualGrid({
      label: "Images",
      width: 168,
      height: 212,
      key: (image) => image.id,
      render: (image) => this.#card(image),
    });
    this.#empty = emptyState(this.#adding);
    fill(
      panes.left,
      h("div.stack.wide-gap", {}, this.#adding.element, this.#progress.element, this.#summary, this.#next),
    );
    this.#offs = [
      app.openStudy.images.on("change", () => this.#show()),
      this.#grid.on("select", () => this.#showDetails()),
      this.#grid.on(
        "open",
        (image) => image.state === "ready" && app.goStep("segment", { image: image.id, t: null, z: null }),
      ),
      this.#grid.on("remove", () => !app.openStudy.readOnly && removeImages(app, this.#chosen)),
      app.shortcuts.bind("Ctrl+a", "Choose all images", () => this.#grid.choose(this.#shown.map((image) => image.id))),
    ];
    this.#show();
  }

  close() {
    this.#progress.close();
    this.#moved.close();
    for (const off of this.#offs) off();
  }

  /** @returns {ImageView[]} */
  get #chosen() {
    return this.#app.openStudy.images.all.filter((image) => this.#grid.selected.has(image.id));
  }

  /** @returns {ImageView[]} */
  get #shown() {
    return this.#filter.of(this.#app.openStudy.images.all);
  }

  #show() {
    const { all } = this.#app.openStudy.images;
    const { centre } = this.#panes;
    if (!all.length) {
      fill(centre, this.#empty);
      this.#grid.choose([]);
    } else if (!centre.contains(this.#grid.element)) {
      fill(
        centre,
        h(
          "div.images",
          {},
          h("div.images-bar", {}, this.#filter.element),
          this.#moved.element,
          this.#hint,
          this.#nothing,
          this.#grid.element,
        ),
      );
    }
    this.#showGrid();
    this.#showDetails();
    fill(this.#summary, all.length ? summary(all) : null);
    fill(this.#next, all.length ? this.#nextButton() : null);
  }

  #showGrid() {
    const { all } = this.#app.openStudy.images;
    const shown = this.#shown;
    this.#grid.show(shown);
    fill(this.#nothing, all.length > 0 && !shown.length && this.#nothingShown());
    const sizeless = withoutPixelSize(all);
    fill(this.#hint, sizeless.length > 0 && this.#sizeHint(sizeless));
  }

  #nothingShown() {
    const clear = () => {
      this.#filter.clear();
      this.#showGrid();
    };
    return h(
      "section.empty",
      { role: "status" },
      h("p", {}, "No image is as searched for and chosen above."),
      h("button", { type: "button", onclick: clear }, "Show all images"),
    );
  }

  /** @param {ImageView[]} sizeless */
  #sizeHint(sizeless) {
    const choose = () => {
      this.#filter.choose("sizeless");
      this.#showGrid();
      this.#grid.choose(sizeless.map((image) => image.id));
      const section = this.#panes.right.querySelector("input")?.closest("section");
      /** @type {HTMLElement|null|undefined} */ (section?.querySelector(".row.bottom input"))?.focus();
    };
    return h(
      "p.notice.images-hint",
      {},
      icon("ruler"),
      h(
        "span.grow",
        {},
        `${counted(sizeless.length, "image has", "images have")} no pixel size: results will be in pixels, not in µm.`,
      ),
      h("button", { type: "button", onclick: choose }, "Enter it"),
    );
  }

  #showDetails() {
    const at = document.activeElement;
    const chosen = this.#chosen;
    const { right } = this.#panes;
    const editing = right.contains(at) && at instanceof HTMLInputElement && at.type === "text";
    const key = chosen.map((image) => image.id).join();
    if (!editing) showDetails(this.#app, right, chosen);
    else {
      if (key === this.#details) refreshFields(this.#app, right, chosen);
      at.addEventListener("blur", () => setTimeout(() => this.#showDetails()), { once: true });
      return;
    }
    this.#details = key;
  }

  #nextButton() {
    const ready = this.#app.openStudy.images.ready.length;
    return h(
      "button.primary.wide-button",
      { type: "button", disabled: !ready, onclick: () => this.#app.goStep("segment") },
      ready ? `Segment ${counted(ready, "image")}` : "Reading images…",
      icon("forward"),
    );
  }

  /** @param {ImageView} image */
  #card(image) {
    const { condition, replicate, excluded } = image.said;
    return h(
      "div.image-card",
      { title: image.state === "failed" ? image.reason : image.name, class: excluded ? "image-excluded" : "" },
      thumbnail(this.#app.openStudy.path, image, {}),
      qualityMark(image),
      h("span.image-name", {}, cutName(this.#app.openStudy.images.shortName(image), image.name)),
      h(
        "span.image-said",
        {},
        condition && h("span.chip.cut", {}, String(condition)),
        replicate && h("span.chip.chip-quiet.cut", {}, String(replicate)),
        image.labels.length > 0 && h("span.image-done", { title: "Segmented" }, icon("check")),
      ),
    );
  }
}

/** Conditions of the images that are part of results, and how many are not. @param {ImageView[]} every */
function summary(every) {
  const all = every.filter((image) => image.state !== "failed" && !image.said.excluded);
  const failed = every.filter((image) => image.state === "failed").length;
  const out = every.length - all.length - failed;
  const less = [out && `${counted(out, "image")} left out`, failed && `${failed} not readable`].filter(Boolean);
  return h("div.stack", {}, conditionsOf(all), less.length > 0 && h("p.quiet-text", {}, `Without ${less.join(", ")}.`));
}

/** @param {ImageView[]} all */
function conditionsOf(all) {
  const conditions = valuesOf(all, "condition");
  if (!conditions.length) {
    return h(
      "p.quiet-text",
      {},
      "To compare conditions later, choose images and say their condition and replicate at the right. " +
        "Ctrl+A chooses all, Shift a row of them; “From names…” then reads both from their names.",
    );
  }
  const rows = conditions.map((name) => {
    const some = all.filter((image) => String(image.said.condition) === name);
    const replicates = valuesOf(some, "replicate").length;
    return h(
      "tr",
      {},
      h("th.cut", { scope: "row" }, name),
      h("td.number", {}, some.length),
      h("td.number", {}, replicates || "–"),
    );
  });
  return h(
    "table.small-table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Condition", "Images", "Replicates"].map((text) => h("th", { scope: "col" }, text)),
      ),
    ),
    h("tbody", {}, rows),
  );
}

/** @param {Adding} adding */
function emptyState(adding) {
  const steps = [
    "Drop your images here: whole folders are fine.",
    "Cells are found with one click; correct them where you must.",
    "Leave with a table, a figure and a report.",
  ];
  return h(
    "div.images-empty",
    {},
    h(
      "section.empty",
      {},
      h("div.empty-picture", {}, icon("upload")),
      h("h2", {}, "Drop microscope images here"),
      h(
        "p.quiet-text",
        {},
        "TIFF, OME-TIFF, ND2, CZI, LIF, OIB, PNG, JPEG and more, up to whole slides. They are kept as they are.",
      ),
      h("div.row", {}, adding.buttons(true)),
      h(
        "ol.empty-steps",
        {},
        steps.map((text, k) => h("li", {}, h("span.empty-number", {}, k + 1), text)),
      ),
    ),
  );
}
