/** The step Two channels: a target, and its ratio to a reference, in masks and rings of cells. @module */
import { showLabelNames } from "../../app/label_names.js";
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { isRecord } from "../../kernel/place.js";
import { labelled } from "../../controls/labelled.js";
import { JobProgress } from "../../app/job_progress.js";
import { TableChoice } from "../../table/choice.js";
import { Outdated } from "../../table/outdated.js";
import { TablePanel } from "../../table/panel.js";
import { TablesList, selectLabelsOf } from "../../table/tables.js";
import { DualForm } from "./form.js";
import { CellNumbers } from "./numbers.js";
import { MaintainIds } from "./ids.js";
import { noticesOf } from "./notices.js";
import { PixelSizes } from "./pixels.js";
import { FIRST, Presets } from "./presets.js";
import { MaskPreviews } from "./preview.js";
import { ProfilePane } from "./profile.js";
import { beginColumns, quantified } from "./tables.js";
import { CellLinks } from "../measure/cells.js";
import { othersNotice } from "../measure/others.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/source.js").TableView} TableView */

const KIND = "quantify";
const NAME = "quantification";
const OF_ONE = `${NAME} of `;
const LONGEST = 200;
/** Whether a table of cells is of this step. @param {TableView} table */
const isMine = ({ name, details }) =>
  (name === NAME || name.startsWith(OF_ONE)) && !details.of && Boolean(details.options);
const WHAT =
  "How bright the target is in each cell, in masks and rings of it, and its ratio to the reference. " +
  "Preview the masks, then quantify.";
const NOTHING = "Nothing is quantified yet";
const RUNS = "Quantifying…";
const RUNNING = "The table of cells comes here when it is done. You may go to other steps meanwhile.";
const NO_CELLS = "Quantifying needs cells. Find them in the step Segment, then come back.";
/** @type {import("../../app/steps.js").Step} */
export default {
  name: "dual",
  title: "Two channels",
  centre: "viewer",
  rightWidth: 340,
  open: (app, panes) => new DualStep(app, panes),
};

class DualStep {
  #app;
  #panes;
  #form;
  #presets;
  #preview;
  #profile;
  #ids;
  #pixels;
  #tables;
  #choice;
  #labels = h("select");
  #labelsField = labelled("Cells", this.#labels, { hidden: true });
  #which = h(
    "select",
    {},
    h("option", { value: "all" }, "All images"),
    h("option", { value: "this" }, "The one that is seen"),
  );
  #run = h("button.primary.grow", { type: "button", disabled: true, onclick: () => this.#quantify() }, "Quantify");
  #progress;
  /** As `#progress`, in the middle while there is no table. */
  #course;
  /** What the middle says while there is no table. */
  #empty = "";
  #outdated;
  #notice = h("div.stack");
  #numbers = h("div.dual-numbers");
  /** @type {{panel: TablePanel, links: CellLinks, numbers: CellNumbers}|null} */
  #open = null;
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    this.#progress = new JobProgress(app, KIND, "Quantifying", { buttons: [this.#run] });
    this.#course = new JobProgress(app, KIND, "Quantifying");
    this.#panes = panes;
    const { openStudy: study } = app;
    this.#form = new DualForm(app);
    this.#presets = new Presets(app, () => this.#form.wanted);
    this.#preview = new MaskPreviews(
      app,
      () => this.#form.wanted,
      (error) => this.#wrong(error),
    );
    this.#profile = new ProfilePane(app);
    this.#ids = new MaintainIds(app, () => this.#form.rules);
    this.#pixels = new PixelSizes(app, () => this.#quantified);
    this.#tables = new TablesList(study);
    this.#choice = new TableChoice(app, "Table", this.#tables, isMine);
    this.#outdated = new Outdated(app, "Quantify again.");
    fill(
      panes.left,
      h(
        "div.stack",
        {},
        h("h2", {}, "Quantify channels"),
        this.#presets.element,
        this.#form.element,
        this.#ids.element,
        this.#pixels.element,
        this.#labelsField,
        labelled("Images", this.#which),
        this.#choice.element,
        h("div.left-actions", {}, h("div.row", {}, this.#preview.button, this.#run), this.#progress.element),
        this.#outdated.element,
        this.#notice,
      ),
    );
    fill(panes.right, h("div.details.dual-right", {}, this.#preview.element, this.#numbers, this.#profile.element));
    this.#which.addEventListener("change", () => this.#pixels.show());
    this.#labels.addEventListener("change", () => study.labels.select(this.#labels.value));
    this.#offs = [
      ...this.#listeners(),
      () => this.#profile.close(),
      () => this.#preview.close(),
      () => this.#ids.close(),
      () => this.#pixels.close(),
      () => this.#outdated.close(),
      () => this.#tables.close(),
    ];
    this.#showLabels();
    this.#begin().catch((error) => app.error(error));
  }

  close() {
    this.#progress.close();
    this.#course.close();
    this.#closeTable();
    for (const off of this.#offs) off();
  }

  #listeners() {
    const { openStudy: study, shortcuts, viewer } = this.#app;
    return [
      this.#form.on("change", () => this.#changed()),
      this.#presets.on("choose", (asked) => this.#choose(asked)),
      this.#presets.on("reset", () => this.#reset()),
      this.#preview.on("profile", (profile) => this.#profile.showPreview(profile, this.#preview.part)),
      this.#tables.on("change", () => this.#choice.follow()),
      this.#choice.on("change", () => this.#show()),
      this.#tables.on("error", (error) => this.#app.error(error)),
      study.images.on("change", () => this.#follow()),
      study.labels.on("change", () => this.#showLabels()),
      viewer.on("shown", () => this.#showImage()),
      study.jobs.on("change", () => this.#followJobs()),
      shortcuts.bind("v", "Preview", () => this.#preview.button.click()),
      shortcuts.bind("Ctrl+Enter", "Quantify", () => this.#quantify()),
    ];
  }

  async #begin() {
    const asked = this.#askedBefore();
    await this.#form.load(asked);
    if (asked === FIRST.asked && !this.#presets.chosen) this.#presets.show(FIRST.name);
    this.#showLabels();
    await this.#tables.load();
  }

  /** What the address says, else what was asked last. */
  #askedBefore() {
    const {
      place,
      openStudy: { jobs },
    } = this.#app;
    const noted = place.read("quantify", isRecord);
    return noted ?? jobs.all.find((job) => job.kind === KIND)?.parameters ?? FIRST.asked;
  }

  /** Another image may be seen, with other channels. */
  #follow() {
    this.#form.follow();
    this.#showLabels();
  }

  /** @param {Record<string, any>} asked */
  #choose(asked) {
    this.#form.show(asked);
    this.#preview.showMasksOf(asked.plan ?? {});
    this.#wished();
  }

  /** All as it is where nobody has chosen anything. */
  #reset() {
    this.#form.forgetChannels();
    this.#choose(FIRST.asked);
    this.#presets.show(FIRST.name);
  }

  #changed() {
    this.#presets.show("");
    this.#wished();
  }

  #wished() {
    this.#note();
    this.#showLabels();
    this.#preview.follow();
  }

  /** Keep in the address what is wanted, so that a reload keeps it. */
  #note() {
    try {
      this.#app.place.note({ quantify: JSON.stringify(this.#form.wanted) });
    } catch {
      // What stands in a field is no value yet; it is said beside it.
    }
  }

  #showLabels() {
    const { labels, readOnly } = this.#app.openStudy;
    showLabelNames(this.#labels, this.#labelsField, labels, labels.name);
    const channels = this.#form.missing.length === 0 && !this.#form.isSame;
    const off = Boolean(readOnly) || !labels.all.length || !this.#form.isReady || !channels;
    this.#preview.button.disabled = off;
    this.#progress.allow(!off);
    if (!this.#open) this.#showEmpty();
    this.#showStale();
  }

  async #quantify() {
    if (this.#run.disabled) return;
    const { labels } = this.#app.openStudy;
    try {
      await this.#progress.submit({ ...this.#form.wanted, labels: labels.name ?? "cells", ...this.#asked });
    } catch (error) {
      this.#wrong(error);
    }
  }

  /** Images that are quantified, of those that can be. */
  get #quantified() {
    const { images } = this.#app.openStudy;
    if (this.#which.value === "this") return images.current ? [images.current] : [];
    return images.ready.filter((image) => !image.said.excluded);
  }

  /** Which images are quantified, and what their table is called: one of a part never hides that of all. */
  get #asked() {
    const image = this.#app.openStudy.images.current;
    if (this.#which.value !== "this" || !image) return { table: NAME };
    return { table: `${OF_ONE}${image.name}`.slice(0, LONGEST), images: [image.id] };
  }

  /** @param {any} error */
  #wrong(error) {
    if (this.#form.showError(error)) return;
    if (error?.name === "ApiError") this.#app.error(error);
    else this.#app.toast(error.message, { kind: "error" });
  }

  /** Show the table that is chosen, of those that this step made. */
  async #show() {
    const table = this.#choice.current;
    this.#outdated.of(table ? at`tables/${table.id}` : "");
    if (table?.id === this.#open?.panel.data.id) return this.#showStale();
    this.#closeTable();
    if (!table) {
      this.#profile.show(null);
      return this.#showEmpty();
    }
    this.#openTable(table);
    const made = await quantified(this.#app, this.#tables, table).catch((error) => this.#app.error(error));
    if (this.#open?.panel.data !== table) return;
    this.#profile.show(made ?? null);
    this.#showImage();
  }

  /** @param {TableView} table */
  #openTable(table) {
    const { openStudy: study } = this.#app;
    beginColumns(study.id, table);
    selectLabelsOf(table, study.labels);
    const panel = new TablePanel(this.#app, table);
    const links = new CellLinks(this.#app, panel);
    links.on("cell", (row) => this.#profile.showCell(row?.label ?? null));
    const numbers = new CellNumbers(this.#app, panel, () => links.seenName);
    this.#open = { panel, links, numbers };
    this.#empty = "";
    fill(this.#numbers, numbers.element);
    fill(this.#panes.centre, h("div.measure-table", {}, panel.element));
    this.#showStale();
  }

  #closeTable() {
    this.#profile.showCell(null);
    this.#open?.numbers.close();
    this.#open?.links.close();
    fill(this.#numbers);
    this.#open?.panel.close();
    this.#open = null;
  }

  /** The profile is of the image as the table has it: one that was read again has none. */
  #showImage() {
    const name = this.#open ? this.#open.links.imageName : this.#app.viewer.image?.name;
    this.#profile.showImage(name ?? "");
    this.#showStale();
  }

  #followJobs() {
    if (!this.#open && this.#empty && (this.#empty === RUNS) !== this.#progress.busy) this.#showEmpty();
  }

  #showEmpty() {
    const some = this.#app.openStudy.labels.all.length > 0;
    this.#empty = this.#progress.busy ? RUNS : NOTHING;
    const said = h("p.quiet-text", {}, this.#progress.busy ? RUNNING : some ? WHAT : NO_CELLS);
    fill(
      this.#panes.centre,
      h(
        "div.measure-empty",
        {},
        h("div", {}, h("h3", {}, this.#empty), said),
        this.#progress.busy ? this.#course.element : this.#beginning(some),
      ),
    );
  }

  /** @param {boolean} some Whether there are cells. */
  #beginning(some) {
    const [text, run] = some
      ? ["Quantify all images", () => this.#quantify()]
      : ["Find cells first", () => this.#app.goStep("segment")];
    return h("button.primary", { type: "button", disabled: some && this.#run.disabled, onclick: run }, text);
  }

  /** Say when the image that is seen lacks a channel, other cells than those of the table are seen, or images failed. */
  #showStale() {
    const table = this.#open?.panel.data;
    fill(
      this.#notice,
      noticesOf(this.#form.missing, Object.values(table?.details.made?.failed ?? {})),
      table && othersNotice(this.#app, table),
    );
  }
}
