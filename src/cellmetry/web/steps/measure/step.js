/** The step Measure: numbers of every cell in a table beside the viewer, filtered by gates. @module */
import { showLabelNames } from "../../app/label_names.js";
import { at, get } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { openDialog } from "../../controls/dialog.js";
import { SchemaForm } from "../../controls/schema_form.js";
import { JobProgress } from "../../app/job_progress.js";
import { Outdated } from "../../table/outdated.js";
import { TablePanel } from "../../table/panel.js";
import { TablesList, listedTable, selectLabelsOf } from "../../table/tables.js";
import { CellLinks } from "./cells.js";
import { CellPlots } from "./plots.js";
import { FORM_TITLES } from "./words.js";
import { othersNotice } from "./others.js";
import { Regions } from "./regions.js";
import { apartNotice, stacksApart } from "../segment/counts.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/source.js").TableView} TableView */

/** @type {import("../../app/steps.js").Step} */
export default {
  name: "measure",
  title: "Measure",
  centre: "viewer",
  rightWidth: 320,
  open: (app, panes) => new MeasureStep(app, panes),
};

const SHOWN = 3;
const OLDER = "This table was compared. It was made again, or taken back, since.";
const NO_CELLS = "No cells were found in it yet; the step Segment finds them.";

class MeasureStep {
  #app;
  #panes;
  #tables;
  /** @type {SchemaForm|null} */
  #form = null;
  #options = h("div");
  #labels = h("select");
  #labelsField = h("label.field", { hidden: true }, h("span.field-name", {}, "Labels"), this.#labels);
  #measure = h("button.primary.grow", { type: "button", onclick: () => this.#run() }, "Measure");
  #progress;
  #which = h("select", { onchange: () => this.#choose(this.#which.value) });
  #whichField = h("label.field", { hidden: true }, h("span.field-name", {}, "Table"), this.#which);
  #outdated;
  #notice = h("div.stack");
  #regions;
  #next = h("div");
  /** Table of a cell that the address names; it may be hidden, since it was made again. @type {TableView|null|void} */
  #former = null;
  /** @type {{panel: TablePanel, links: CellLinks, plots: CellPlots}|null} */
  #open = null;
  /** Id of the job that was asked for here: its table is shown when it is made. */
  #asked = "";
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    this.#progress = new JobProgress(app, "measure", "Measuring", { buttons: [this.#measure] });
    this.#panes = panes;
    const { openStudy: study } = app;
    this.#tables = new TablesList(study);
    this.#regions = new Regions(app);
    this.#outdated = new Outdated(app, "Measure again.");
    fill(
      panes.left,
      h(
        "div.stack",
        {},
        h("h2", {}, "Measure cells"),
        this.#labelsField,
        this.#options,
        h("div.left-actions", {}, h("div.row", {}, this.#measure), this.#progress.element),
        this.#outdated.element,
        this.#notice,
        this.#whichField,
        this.#next,
        this.#regions.element,
      ),
    );
    this.#offs = [
      this.#tables.on("change", () => this.#show()),
      this.#tables.on("error", (error) => app.error(error)),
      study.jobs.on(
        "ended",
        (job) => job.id === this.#asked && job.state === "done" && app.place.note({ table: job.result.table }),
      ),
      study.labels.on("change", () => this.#showLabels()),
      app.viewer.on("shown", () => this.#showNotices()),
      app.shortcuts.bind("Ctrl+Enter", "Measure", () => this.#run()),
    ];
    this.#showLabels();
    Promise.all([this.#loadForm(), this.#loadTables()]).catch((error) => app.error(error));
  }

  close() {
    this.#progress.close();
    this.#closeTable();
    this.#regions.close();
    this.#outdated.close();
    this.#tables.close();
    for (const off of this.#offs) off();
  }

  async #loadForm() {
    const kind = await get("job-kinds/measure");
    const last = this.#app.openStudy.jobs.all.find((job) => job.kind === "measure")?.parameters ?? {};
    const form = new SchemaForm(kind.parameters, {
      first: [],
      hidden: [
        "images",
        "labels",
        "table",
        "regions",
        "measure.percentiles",
        "measure.texture_range",
        "passport.saturations",
      ],
      values: { measure: last.measure, passport: last.passport },
      titles: FORM_TITLES,
    });
    this.#form = form;
    fill(this.#options, form.element);
  }

  /** A dot of a comparison leads to a cell of its own table, and to no other that has its name by now. */
  async #loadTables() {
    const { place, openStudy: study } = this.#app;
    const [id, cell] = [place.get("table"), place.get("cell")];
    if (id && cell) this.#former = await study.get(at`tables/${id}`).catch((error) => this.#app.error(error));
    await this.#tables.load();
  }

  #showLabels() {
    const { labels, readOnly } = this.#app.openStudy;
    showLabelNames(this.#labels, this.#labelsField, labels);
    this.#progress.allow(!readOnly && labels.all.length > 0);
    this.#showNotices();
    if (this.#tables.loaded && !this.#open) this.#showEmpty();
  }

  async #run() {
    if (this.#measure.disabled || !(await this.#regions.isKnown())) return;
    const { labels } = this.#app.openStudy;
    try {
      const name = this.#labels.value || labels.name || "cells";
      this.#former = null;
      const job = await this.#progress.submit({
        ...(this.#form?.values ?? {}),
        labels: name,
        table: name,
        ...(this.#regions.all.length ? { regions: [] } : {}),
      });
      this.#asked = job?.id ?? "";
    } catch (error) {
      if (!this.#form?.showError(error)) this.#app.error(error);
    }
  }

  /** Show the table that is chosen in the address, else the newest. */
  #show() {
    const listed = this.#tables.ofCells;
    const id = this.#app.place.get("table");
    const former = this.#former?.id === id && listed.every((each) => each.id !== id) ? this.#former : null;
    const tables = former ? [...listed, former] : listed;
    const table = tables.find((each) => each.id === id) ?? this.#tables.best(this.#open?.panel.data.name);
    fill(
      this.#which,
      tables.map((each) => h("option", { value: each.id }, listedTable(each), each === former && ", older")),
    );
    this.#which.value = table?.id ?? "";
    this.#whichField.hidden = tables.length < 2;
    if (!table) this.#closeTable();
    else if (table.id !== this.#open?.panel.data.id) this.#openTable(table);
    if (!table) this.#showEmpty();
    this.#outdated.of(table ? at`tables/${table.id}` : "");
    this.#showNotices();
    fill(
      this.#next,
      table &&
        h(
          "div.segment-next",
          {},
          h("p.quiet-text", {}, "Click a cell or a row: one leads to the other."),
          h(
            "div.row",
            {},
            h(
              "button.grow",
              { type: "button", onclick: () => this.#app.goStep("compare", this.#kept) },
              "Compare conditions",
              icon("forward"),
            ),
          ),
        ),
    );
  }

  /** What the step Compare goes on with. */
  get #kept() {
    const { place } = this.#app;
    return { table: this.#open?.panel.data.id, column: place.get("column"), where: place.get("where") };
  }

  /** @param {string} id */
  #choose(id) {
    this.#app.place.note({ table: id });
    this.#show();
  }

  /** @param {import("../../table/source.js").TableView} table */
  #openTable(table) {
    this.#closeTable();
    selectLabelsOf(table, this.#app.openStudy.labels);
    const panel = new TablePanel(this.#app, table);
    const links = new CellLinks(this.#app, panel);
    const plots = new CellPlots(this.#app, panel, links);
    this.#regions.count = (inside) => links.countIn(inside);
    links.on("places", () => this.#regions.show());
    this.#open = { panel, links, plots };
    fill(this.#panes.centre, h("div.measure-table", {}, panel.element));
    fill(this.#panes.right, plots.element);
    if (this.#app.place.get("table") === table.id) this.#goToCell(links);
    this.#app.place.note({ cell: null });
  }

  /** Show the cell that the address names, as a dot of a plot does. @param {CellLinks} links */
  #goToCell(links) {
    const { place, openStudy: study } = this.#app;
    const [image, cell] = [study.images.find(place.get("image")), Number(place.get("cell"))];
    if (!(cell > 0)) return;
    if (image) links.goTo(image.id, cell).catch((error) => this.#app.error(error));
    else this.#app.toast(`The image of cell ${cell} is no longer in this study.`, { kind: "error" });
  }

  #closeTable() {
    this.#regions.count = () => null;
    this.#open?.plots.close();
    this.#open?.links.close();
    this.#open?.panel.close();
    this.#open = null;
  }

  #showEmpty() {
    const { labels, readOnly } = this.#app.openStudy;
    const button = labels.all.length
      ? h(
          "button.primary",
          { type: "button", disabled: Boolean(readOnly), onclick: () => this.#run() },
          "Measure all cells",
        )
      : h("button.primary", { type: "button", onclick: () => this.#app.goStep("segment") }, "Find cells first");
    const text = labels.all.length
      ? "Every cell becomes a row: its size, shape, brightness in each channel, and flags where something is doubtful."
      : "Measuring needs cells. Find them in the step Segment, then come back.";
    fill(this.#panes.right);
    fill(
      this.#panes.centre,
      h("div.measure-empty", {}, h("div", {}, h("h3", {}, "No table yet"), h("p.quiet-text", {}, text)), button),
    );
  }

  /** Say what a reader of the table must know: cells changed since, images are missing, planes were counted. */
  #showNotices() {
    const table = this.#open?.panel.data;
    const missing = this.#missing(table?.details ?? {});
    const apart = table ? stacksApart(this.#app.openStudy, table) : 0;
    const older = table && table === this.#former && !this.#tables.find(table.id);
    fill(
      this.#notice,
      older && h("p.notice", { role: "status" }, icon("info"), h("span.grow.wrap", {}, OLDER)),
      table && othersNotice(this.#app, table),
      missing.length > 0 && this.#missingNotice(missing),
      apart > 0 && apartNotice(apart),
    );
  }

  /**
   * Which images have no rows in a table, and why.
   * @param {Record<string, any>} details Of the table. @returns {{name: string, reason: string}[]}
   */
  #missing({ images: measured, failed = {}, labels: name }) {
    const { images, labels } = this.#app.openStudy;
    if (!measured) return [];
    const why = (/** @type {string} */ id) =>
      failed[id] ?? (labels.of(id, name) ? "Its cells were found after this table was made: measure again." : NO_CELLS);
    return images.ready
      .filter(({ id, said }) => !said.excluded && (failed[id] || !measured[id]))
      .map((image) => ({ name: image.name, reason: String(why(image.id)) }));
  }

  /** @param {{name: string, reason: string}[]} missing */
  #missingNotice(missing) {
    const rows = () =>
      missing.map(({ name, reason }) => h("li", {}, h("strong", {}, name), h("p.quiet-text", {}, reason)));
    const show = () => void openDialog("Images without rows", h("ul.refusals", {}, rows()), { wide: true });
    const names = missing.slice(0, SHOWN).map(({ name }) => name);
    const more = missing.length > SHOWN ? ` and ${missing.length - SHOWN} more` : "";
    return h(
      "p.notice",
      { role: "status" },
      icon("warning"),
      h("span.grow.wrap", {}, `Not in this table: ${names.join(", ")}${more}.`),
      h("button.quiet", { type: "button", onclick: show }, "Why?"),
    );
  }
}
