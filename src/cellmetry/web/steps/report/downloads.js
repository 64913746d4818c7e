/** Downloads of everything: tables, labels for other programs, figures, records of runs. @module */
import { showLabelNames } from "../../app/label_names.js";
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { JobProgress } from "../../app/job_progress.js";
import { counted } from "../../app/said.js";
import { resultAddress, save } from "../../table/downloads.js";
import { isOfCounts } from "../../table/tables.js";
import { capital } from "../../table/words.js";

/** @typedef {import("../../app/app.js").App} App */

const SOON_MS = 400;
/** @type {Record<string, string>} */
const FORMS = {
  rois: "ImageJ ROIs",
  geojson: "QuPath GeoJSON",
  coco: "COCO",
  "seg-npy": "Cellpose _seg.npy",
  csv: "Outlines as CSV",
  labels: "Label images (TIFF)",
};
/** @type {Record<string, string>} */
const TABLES = { csv: "CSV", xlsx: "Excel", parquet: "Parquet" };

/** The part of the left pane below the report. */
export class Downloads {
  #app;
  #tables;
  #boxes = { tables: boxes(TABLES, ["csv"]), labels: boxes(FORMS, ["rois"]) };
  #which = h("div.stack");
  /** Tables that somebody chose or left out, by their names. @type {Map<string, boolean>} */
  #chosen = new Map();
  /** In what the study changed since a table was made, by its id. @type {Map<string, string[]>} */
  #outdated = new Map();
  #turn = 0;
  #later = 0;
  #labels = h("select", { "aria-label": "Which labels" });
  #export = h("button.primary.grow", { type: "button", onclick: () => this.#run() }, "Export");
  #progress;
  #files = h("div.stack");
  #offs;

  /** @param {App} app @param {import("../../table/tables.js").TablesList} tables */
  constructor(app, tables) {
    this.#app = app;
    this.#progress = new JobProgress(app, "export", "Writing files", { buttons: [this.#export] });
    this.#tables = tables;
    this.element = h(
      "div.stack",
      {},
      h("h3.report-head", {}, "Take it with you"),
      h(
        "fieldset.report-tables",
        {},
        h("legend.field-name", {}, "Tables"),
        this.#which,
        h("div.row.wrap-row", { role: "group", "aria-label": "Formats of tables" }, "As", this.#boxes.tables.element),
      ),
      h("fieldset.field-checks", {}, h("legend.field-name", {}, "Labels"), this.#boxes.labels.element),
      this.#labels,
      h("div.left-actions", {}, h("div.row", {}, this.#export), this.#progress.element),
      this.#files,
    );
    this.#offs = [tables.on("change", () => this.#show()), app.openStudy.labels.on("change", () => this.#show())];
    this.#show();
  }

  close() {
    this.#turn++;
    clearTimeout(this.#later);
    this.#progress.close();
    for (const off of this.#offs) off();
  }

  /** Read what else there is to download. */
  async load() {
    const results = await this.#app.openStudy.get("results");
    const of = (/** @type {string} */ kind) =>
      results.filter((/** @type {any} */ each) => each.kind === kind).reverse();
    fill(
      this.#files,
      group("Exports", of("export"), (each) => this.#file(each)),
      group("Figures and tables of comparisons", of("comparison"), (each) => this.#file(each)),
      group("Recipes and records of runs", of("run"), (each) => this.#file(each)),
      group("Figures", of("figure"), (each) => this.#file(each)),
    );
  }

  /** @param {any} result */
  #file(result) {
    return h(
      "button.quiet.link",
      { type: "button", onclick: () => save(resultAddress(this.#app, result.id)) },
      capital(result.name),
    );
  }

  /** All tables, of each name the newest; those of recipes are left out first where there are tables of labels. */
  #showTables() {
    const { all, ofCells } = this.#tables;
    const measured = ofCells.some((table) => !table.name.startsWith("run_"));
    const isUsual = (/** @type {string} */ name) => !(measured && name.startsWith("run_") && name !== "run_images");
    fill(
      this.#which,
      [...all].reverse().map((table) => {
        const checked = this.#chosen.get(table.name) ?? isUsual(table.name);
        const old = this.#outdated.get(table.id) ?? [];
        const box = h("input", {
          type: "checkbox",
          checked,
          dataset: { table: table.id },
          onchange: () => this.#chosen.set(table.name, box.checked),
        });
        return h(
          "label.check",
          { title: old.join(" ") },
          box,
          h(
            "span",
            {},
            table.name,
            h("span.quiet-text", {}, ` ${contentsOf(table)}${old.length ? "; the study has changed since" : ""}`),
          ),
        );
      }),
    );
  }

  /** Ask in what the study has changed since tables were made; of several at once the last answer counts. */
  async #ask() {
    const { openStudy: study } = this.#app;
    const turn = ++this.#turn;
    const found = await Promise.all(
      this.#tables.all.map(
        async ({ id }) => /** @type {[string, string[]]} */ ([id, await study.get(at`tables/${id}/outdated`)]),
      ),
    );
    if (turn !== this.#turn) return;
    this.#outdated = new Map(found);
    this.#showTables();
  }

  #show() {
    this.#showTables();
    clearTimeout(this.#later);
    if (this.#tables.loaded)
      this.#later = window.setTimeout(() => this.#ask().catch((error) => this.#app.error(error)), SOON_MS);
    const { labels, readOnly } = this.#app.openStudy;
    showLabelNames(this.#labels, this.#labels, labels);
    const nothing = !labels.all.length && !this.#tables.all.length;
    this.#progress.allow(!readOnly && !nothing);
    this.#export.title = nothing && !readOnly ? "There are no labels or tables yet." : "";
  }

  async #run() {
    const { jobs, labels } = this.#app.openStudy;
    const tables = [...this.#which.querySelectorAll("input")].flatMap((box) =>
      box.checked && box.dataset.table ? [box.dataset.table] : [],
    );
    const [forms, tableForms] = [
      labels.all.length ? this.#boxes.labels.chosen() : [],
      tables.length ? this.#boxes.tables.chosen() : [],
    ];
    if (!forms.length && !tableForms.length) return this.#app.toast("Choose a format of tables or labels first.");
    try {
      const name = this.#labels.value || labels.name || "cells";
      const wanted = {
        forms: forms.map((form) => ({ form })),
        labels: name,
        tables: tableForms.length ? tables : [],
        ...(tableForms.length ? { table_forms: tableForms } : {}),
      };
      const job = await this.#progress.submit(wanted);
      if (!job) return;
      const ended = await jobs.follow(job.id);
      if (ended.state === "done") save(resultAddress(this.#app, ended.result.export));
    } catch (error) {
      this.#app.error(error);
    }
  }
}

/** What a table has, in a few words. @param {import("../../table/source.js").TableView} table */
function contentsOf(table) {
  const rows = counted(table.rows, "row");
  if (table.name === "run_images") return `${rows}, one an image: size, channels, what a recipe found`;
  if (table.name.startsWith("run_")) return `${rows}, as a recipe found cells, without corrections`;
  if (isOfCounts(table)) return `${rows}, one an image or region: counts`;
  if (table.details.of) return `${rows}, with the table ${table.details.of}`;
  if (table.details.labels) return `${rows}, one a cell: ${table.details.labels} as they were corrected`;
  return rows;
}

/** @param {Record<string, string>} names @param {string[]} chosen */
function boxes(names, chosen) {
  const all = Object.keys(names).map((name) => ({
    name,
    box: h("input", { type: "checkbox", checked: chosen.includes(name) }),
  }));
  return {
    element: all.map(({ name, box }) => h("label.check", {}, box, names[name])),
    chosen: () => all.filter(({ box }) => box.checked).map(({ name }) => name),
  };
}

/** @param {string} title @param {any[]} results @param {(result: any) => any} make */
function group(title, results, make) {
  return (
    results.length > 0 &&
    h(
      "section",
      {},
      h("h4.report-group", {}, title),
      h(
        "ul",
        {},
        results.slice(0, 8).map((each) => h("li", {}, make(each))),
      ),
    )
  );
}
