/** The step Count: how many cells an image shows, at once, with an interval and a map of where they are dense. @module */
import { fill, h } from "../../kernel/dom.js";
import { isRecord } from "../../kernel/place.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { chooseFiles } from "../../app/drops.js";
import { JobProgress } from "../../app/job_progress.js";
import { valuesOf } from "../../app/said.js";
import { CountCard } from "./card.js";
import { downloadsOf } from "./downloads.js";
import { Examples } from "./examples.js";
import { LiveCount } from "./live.js";
import { CountMaps } from "./maps.js";
import { CountSettings } from "./settings.js";
import { CountTables } from "./table.js";
import { Regions } from "../measure/regions.js";

/** @typedef {import("../../app/app.js").App} App */

const USE = { group: "Count", hint: "Cells are counted inside each region that you draw, too." };

const WELCOME =
  "Cells are counted in two ways that check each other. You see the number with an interval, and where " +
  "cells are dense.";

/** @type {import("../../app/steps.js").Step} */
export default { name: "count", title: "Count", centre: "viewer", open: (app, panes) => new CountStep(app, panes) };

class CountStep {
  #app;
  #settings;
  #maps;
  /** @type {CountCard} */
  #card;
  /** @type {LiveCount} */
  #live;
  #regions;
  #examples;
  #tables;
  #progress;
  #start = h("div.count-start", { hidden: true });
  #which = h("select");
  #apply = h("button.primary.grow", { type: "button", onclick: () => this.#keep() }, "Apply to all");
  #again = h(
    "button",
    { type: "button", title: "Count again what is seen", onclick: () => this.#live.plan(true) },
    "Count",
  );
  /** What is of no use without images. */
  #controls = h("div.stack", { hidden: true });
  #fold = h("details.fold-fields", {}, h("summary", {}, "Examples"));
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    const { openStudy: study } = app;
    const table = h("div");
    this.#settings = new CountSettings(app);
    this.#maps = new CountMaps(app);
    this.#card = new CountCard(() => downloadsOf(app, this.#live.found?.counts ?? [], this.#maps.all));
    this.#live = new LiveCount(app, this.#settings, this.#card, this.#maps);
    this.#regions = new Regions(app, USE);
    this.#examples = new Examples(app);
    this.#tables = new CountTables(app, table);
    this.#progress = new JobProgress(app, "count", "Counting", { buttons: [this.#apply] });
    fill(panes.centre, table, this.#start);
    fill(panes.left, this.#left());
    this.#fold.addEventListener("toggle", () => this.#fold.open && this.#examples.load());
    this.#offs = [
      app.viewer.on("shown", () => this.#live.plan()),
      app.viewer.on("camera", () => this.#live.moved()),
      study.images.on("change", () => this.#changed()),
      study.labels.on("change", () => this.#follow()),
      study.uploads.on("done", () => this.#lookAtNew()),
      this.#regions.on("change", () => this.#live.plan(true)),
      this.#settings.on("change", () => this.#wished()),
      app.shortcuts.bind("Ctrl+Enter", "Apply to all", () => this.#keep(), { group: "Count" }),
    ];
    this.#show();
    this.#settings.load(this.#before).then(
      () => this.#live.plan(),
      (error) => app.error(error),
    );
  }

  close() {
    for (const off of this.#offs) off();
    for (const part of [this.#live, this.#maps, this.#card, this.#regions, this.#tables, this.#progress]) part.close();
  }

  /** What the address says, else how was counted last. */
  get #before() {
    const {
      place,
      openStudy: { jobs },
    } = this.#app;
    return place.read("count", isRecord) ?? jobs.all.find((job) => job.kind === "count")?.parameters ?? {};
  }

  /** Keep in the address what is wanted, so that a reload keeps it. */
  #wished() {
    const { wished } = this.#live;
    if (wished) this.#app.place.note({ count: JSON.stringify(wished) });
    this.#live.plan();
  }

  #left() {
    const actions = h("div.left-actions", {}, h("div.row", {}, this.#again, this.#apply), this.#progress.element);
    fill(
      this.#controls,
      this.#maps.element,
      this.#settings.element,
      labelled("Images", this.#which),
      actions,
      this.#tables.element,
      this.#regions.element,
      this.#fold,
    );
    return h("div.stack", {}, h("h2", {}, "Count cells"), this.#card.element, this.#controls);
  }

  #changed() {
    this.#show();
    this.#follow();
  }

  #follow() {
    if (this.#settings.loaded) this.#settings.follow();
    this.#live.plan();
  }

  #show() {
    const { images, readOnly } = this.#app.openStudy;
    const empty = !images.all.length;
    this.#showWhich();
    this.#again.disabled = Boolean(readOnly) || !images.ready.length;
    this.#progress.allow(!this.#again.disabled);
    this.#controls.hidden = empty;
    if (this.#start.hidden === !empty && this.#examples.element.isConnected) return;
    this.#start.hidden = !empty;
    fill(this.#start, empty && this.#welcome());
    if (!empty) this.#fold.append(this.#examples.element);
  }

  /** What is there while the study has no images. */
  #welcome() {
    this.#examples.load();
    const choose = async () => this.#app.take(await chooseFiles());
    const readOnly = Boolean(this.#app.openStudy.readOnly);
    return h(
      "div.count-welcome",
      {},
      h("div.empty-picture", {}, icon("upload")),
      h("h2", {}, "Drop an image, read its count"),
      h("p.quiet-text", {}, WELCOME),
      h("button.primary", { type: "button", disabled: readOnly, onclick: choose }, icon("file"), "Choose files"),
      h("h3", {}, "Or try one of these"),
      this.#examples.element,
    );
  }

  #showWhich() {
    const { images } = this.#app.openStudy;
    const chosen = this.#which.value || "all";
    const conditions = valuesOf(images.used, "condition").map((name) => [`=${name}`, `Condition ${name}`]);
    const options = [["all", `All (${images.used.length})`], ["this", "The one that is seen"], ...conditions];
    fill(
      this.#which,
      options.map(([value, text]) => h("option", { value }, text)),
    );
    this.#which.value = options.some(([value]) => value === chosen) ? chosen : "all";
  }

  /** Files were dropped: count the last of them. */
  #lookAtNew() {
    const { images, uploads } = this.#app.openStudy;
    if (uploads.images)
      images.load().then(
        () => images.select(images.all.at(-1)?.id ?? null),
        (error) => this.#app.error(error),
      );
  }

  /** Which images are counted, and what their table is called: one of a part never hides that of all. */
  get #chosen() {
    const { images } = this.#app.openStudy;
    const which = this.#which.value;
    if (which === "all") return { table: "counts" };
    const some =
      which === "this"
        ? images.ready.filter((image) => image.id === images.current?.id)
        : images.used.filter((image) => String(image.said.condition) === which.slice(1));
    const name = which === "this" ? (some[0]?.name ?? "") : which.slice(1);
    return { table: `counts ${name}`.slice(0, 200), images: some.map((image) => image.id) };
  }

  /** Keep counts in the study. */
  async #keep() {
    if (this.#apply.disabled || !(await this.#regions.isKnown())) return;
    const regions = this.#regions.all.length ? { regions: [] } : {};
    try {
      await this.#progress.submit({ ...this.#settings.wanted, ...regions, ...this.#chosen });
    } catch (error) {
      if (!this.#settings.showError(error)) this.#app.error(error);
    }
  }
}
