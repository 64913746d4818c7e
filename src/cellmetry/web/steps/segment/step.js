/** The step Segment: find the cells of all images by a recipe, tried first on what is seen. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { JobProgress } from "../../app/job_progress.js";
import { pixelSizeOf } from "../../app/images.js";
import { STEPS } from "../../app/steps.js";
import { measureScale } from "../../app/ruler.js";
import { counted, valuesOf } from "../../app/said.js";
import { Counts } from "./counts.js";
import { Preview } from "./preview.js";
import { drawByHand } from "../draw_by_hand.js";
import { RecipeForm } from "./recipe.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

/** @type {import("../../app/steps.js").Step} */
export default {
  name: "segment",
  title: "Segment",
  centre: "viewer",
  rightWidth: 280,
  open: (app, panes) => new SegmentStep(app, panes),
};

class SegmentStep {
  #app;
  #form;
  #counts;
  #scale = h("div");
  #which = h("select");
  #edits = h(
    "select",
    {},
    [
      ["rebase", "Put them onto the new labels"],
      ["keep_old", "Leave those images as they are"],
      ["replace", "Hide them"],
    ].map(([value, text]) => h("option", { value }, text)),
  );
  #editsField = labelled("Corrections that were made", this.#edits, { hidden: true });
  #apply = h("button.primary.grow", { type: "button", disabled: true }, "Apply to all");
  #reading = h("p.quiet-text", {}, "Reading what can be found…");
  /** Shown once it is complete, so that nothing moves below the hand. */
  #body = h("div.stack", { hidden: true });
  #progress;
  #next = h("div");
  #byHand = h("div.row");
  #preview;
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    this.#progress = new JobProgress(app, "segment", "Finding cells", { buttons: [this.#apply] });
    this.#form = new RecipeForm(app);
    this.#counts = new Counts(app, panes.right);
    const { openStudy: study } = app;
    this.#preview = new Preview(
      app,
      () => this.#form.wanted,
      (error) => this.#wrong(error),
    );
    fill(panes.left, h("div.stack", {}, h("h2", {}, "Find cells"), this.#scale, this.#reading, this.#body));
    fill(
      this.#body,
      this.#form.element,
      this.#editsField,
      h(
        "div.left-actions",
        {},
        labelled("Images", this.#which),
        h("div.row", {}, this.#preview.button, this.#apply),
        this.#progress.element,
      ),
      this.#byHand,
      this.#next,
    );
    this.#which.addEventListener("change", () => this.#nameApply());
    this.#apply.addEventListener("click", () => this.#run());
    this.#form.on("change", () => this.#changed());
    this.#offs = [
      study.images.on("change", () => this.#show()),
      study.labels.on("change", () => this.#show()),
      app.shortcuts.bind("v", "Preview", () => this.#preview.run()),
      app.shortcuts.bind("Ctrl+Enter", "Apply to all", () => this.#run()),
    ];
    this.#show();
    this.#begin().catch((error) => app.error(error));
  }

  close() {
    this.#progress.close();
    this.#counts.close();
    this.#preview.close();
    for (const off of this.#offs) off();
  }

  async #begin() {
    await this.#form.load(this.#wantedBefore());
    this.#reading.hidden = true;
    this.#body.hidden = false;
    this.#show();
    if (this.#app.place.get("ruler") === "scale") {
      this.#app.place.note({ ruler: null });
      await this.#app.look.show();
      await measureScale(this.#app);
    }
  }

  /** What the address says, else what was applied last. */
  #wantedBefore() {
    const {
      place,
      openStudy: { jobs },
    } = this.#app;
    const recipe = place.get("recipe");
    if (recipe !== null) return { recipe, set: /** @type {string[]} */ (place.read("set", areTexts) ?? []) };
    const last = jobs.all.find((job) => job.kind === "segment" && !job.parameters.recipe_text);
    return { recipe: last?.parameters.recipe ?? "any", set: last?.parameters.set ?? [] };
  }

  #changed() {
    this.#allow();
    this.#note();
    this.#preview.follow();
  }

  /** Keep in the address what is wanted, so that a reload keeps it. */
  #note() {
    try {
      const { recipe, set } = this.#form.wanted;
      this.#app.place.note({ recipe, set: set.length ? JSON.stringify(set) : null });
    } catch {
      // What stands in a field is no value yet; it is said beside it.
    }
  }

  #show() {
    const { images, labels, readOnly } = this.#app.openStudy;
    this.#form.follow();
    this.#showWhich();
    this.#allow();
    this.#editsField.hidden = !labels.all.some((each) => each.version > 0);
    const image = images.current;
    const sizeless = image?.state === "ready" && pixelSizeOf(image) === null;
    fill(
      this.#scale,
      sizeless &&
        h(
          "p.notice",
          {},
          icon("ruler"),
          h("span.grow", {}, "The pixel size is not known."),
          h("button", { type: "button", disabled: Boolean(readOnly), onclick: () => measureScale(this.#app) }, "Ruler"),
        ),
    );
    fill(this.#next, labels.all.length > 0 && this.#nextButton());
    fill(this.#byHand, drawByHand(this.#app, { class: "grow" }));
  }

  #allow() {
    const { images, readOnly } = this.#app.openStudy;
    const may = !readOnly && images.ready.length > 0 && this.#form.hasRecipe;
    this.#progress.allow(may);
    this.#preview.button.disabled = !may;
  }

  #showWhich() {
    const { images, labels } = this.#app.openStudy;
    const chosen = this.#which.value;
    const used = images.used;
    const open = used.filter((image) => !labels.areRight(image.id, labels.name));
    const without = used.filter((image) => !labels.of(image.id));
    const options = [
      ...(open.length && open.length < used.length
        ? [["open", `All but those whose cells are right (${open.length})`]]
        : []),
      ["all", `All (${used.length})`],
      ["this", "The one that is seen"],
      ...(without.length && without.length < used.length ? [["without", `Not segmented (${without.length})`]] : []),
      ...valuesOf(used, "condition").map((name) => [`=${name}`, `Condition ${name}`]),
    ];
    fill(
      this.#which,
      options.map(([value, text]) => h("option", { value }, text)),
    );
    if (options.some(([value]) => value === chosen)) this.#which.value = chosen;
    this.#nameApply();
  }

  /** The button says to how many images. */
  #nameApply() {
    const some = this.#wantedImages;
    const all = some === null || some.length === this.#app.openStudy.images.used.length;
    const one = this.#which.value === "this";
    fill(this.#apply, all ? "Apply to all" : `Apply to ${one ? "this" : some.length}`);
    this.#apply.title = all || one ? "" : `Apply to ${counted(some.length, "image")}`;
  }

  /** @returns {ImageView[]|null} Null: all. */
  get #wantedImages() {
    const { images, labels } = this.#app.openStudy;
    const which = this.#which.value;
    if (which === "this") return images.current ? [images.current] : [];
    if (which === "open") return images.used.filter((image) => !labels.areRight(image.id, labels.name));
    if (which === "without") return images.used.filter((image) => !labels.of(image.id));
    if (which.startsWith("=")) return images.used.filter((image) => String(image.said.condition) === which.slice(1));
    return null;
  }

  async #run() {
    if (this.#apply.disabled) return;
    try {
      const images = this.#wantedImages?.map((image) => image.id);
      const edits = this.#editsField.hidden ? {} : { edits: this.#edits.value };
      this.#preview.clear();
      await this.#progress.submit({ ...this.#form.wanted, ...(images ? { images } : {}), ...edits });
    } catch (error) {
      this.#wrong(error);
    }
  }

  /** @param {any} error */
  #wrong(error) {
    if (this.#form.showError(error)) return;
    if (error?.name === "ApiError") this.#app.error(error);
    else this.#app.toast(error.message, { kind: "error" });
  }

  #nextButton() {
    const steps = STEPS.map((step) => step.name);
    const { openStudy: study } = this.#app;
    const count = study.labels.all.length;
    const to = ["correct", "measure"].filter((name) => steps.includes(name));
    return h(
      "div.segment-next",
      {},
      h("p.quiet-text", {}, `${counted(count, "image")} segmented. Look at some, then go on.`),
      h(
        "div.row",
        {},
        to.map((name) =>
          h(
            "button.grow",
            { type: "button", onclick: () => this.#app.goStep(name) },
            name === "correct" ? "Correct" : "Measure",
            icon("forward"),
          ),
        ),
      ),
    );
  }
}

/** @param {any} value */
const areTexts = (value) => Array.isArray(value) && value.every((each) => typeof each === "string");
