/** What is compared, and how: the left pane of the step Compare. @module */
import { get } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { SchemaForm } from "../../controls/schema_form.js";
import { JobProgress } from "../../app/job_progress.js";
import { pixelSizeOf } from "../../app/images.js";
import { valuesOf } from "../../app/said.js";
import { mainMeasure, measures } from "../../table/columns.js";
import { areConditions } from "../../table/filters.js";
import { groupedOptions } from "../../table/groups.js";
import { isOfCounts, listedTable } from "../../table/tables.js";
import { axisOf, canBeAsked, capital, numberText, titleOf } from "../../table/words.js";
import { isUsed } from "./check.js";
import { STATISTICS } from "./statistics.js";
import { apartNotice, stacksApart } from "../segment/counts.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/source.js").TableView} TableView */

const HIDDEN = [
  "value",
  "by",
  "replicate",
  "control",
  "rows",
  "table",
  "total",
  "order",
  "nested",
  "normalise",
  "plate",
  "pairing", // asked in Design
];
const UNFLAGGED = "not flag_any";
/** Numbers of cells are compared by images: in a table of cells those that are left after its filters. */
const KEPT = "n_cells_kept";
const KEPT_PER_MM2 = "n_cells_kept_per_mm2";
const COUNTED = ["n", "n_instances", "n_density"];
const WHOLE = 'region == ""';

/** The form, its button and the progress of its job. Tells `pairs` where it has to be said whether there are some. */
export class CompareForm extends Emitter {
  #app;
  #pairs;
  /** @type {TableView[]} */
  #tables = [];
  /** @type {SchemaForm|null} */
  #more = null;
  #table = h("select", { onchange: () => this.#showColumns() });
  #tableField = field("Table", this.#table);
  /** Whether somebody chose the value: then it stays for another table that has it. */
  #valueSaid = false;
  #value = h("select", {
    onchange: () => {
      this.#valueSaid = true;
      void this.#showWhat();
    },
  });
  #what = h(
    "select",
    { onchange: () => this.#showWhat() },
    h("option", { value: "value" }, "Mean of cells"),
    h("option", { value: "share" }, "Share above a threshold"),
  );
  #whatField = field("Compared is the", this.#what);
  #threshold = h("input", { type: "text", inputmode: "decimal", class: "number", autocomplete: "off" });
  #thresholdField = field("Threshold", this.#threshold);
  #control = h("select");
  #unflagged = h("input", { type: "checkbox" });
  #flagged = h("span.quiet-text");
  #unflaggedField = h("label.check", {}, this.#unflagged, h("span", {}, "Leave out cells with a flag", this.#flagged));
  #filters = h("div");
  #options = h("div");
  #notice = h("div");
  #compare = h("button.primary.grow", { type: "button", disabled: true, onclick: () => this.#run() }, "Compare");
  #progress;
  #offs;

  /** @param {App} app @param {import("./pairs.js").Pairs} pairs */
  constructor(app, pairs) {
    super();
    this.#app = app;
    this.#pairs = pairs;
    this.#progress = new JobProgress(app, "compare", "Comparing", { buttons: [this.#compare] });
    this.element = h(
      "div.stack",
      {},
      this.#tableField,
      field("Value", this.#value),
      this.#whatField,
      this.#thresholdField,
      field("Control", this.#control),
      this.#unflaggedField,
      this.#filters,
      this.#notice,
      this.#options,
      h("div.left-actions", {}, h("div.row", {}, this.#compare), this.#progress.element),
    );
    this.#offs = [app.shortcuts.bind("Ctrl+Enter", "Compare", () => this.#run())];
    this.#showWhat();
    this.showConditions();
    this.#unflagged.checked = this.#conditions.some(({ where }) => where === UNFLAGGED);
  }

  close() {
    this.#progress.close();
    for (const off of this.#offs) off();
  }

  async load() {
    const kind = await get("job-kinds/compare");
    const { $defs } = kind.parameters;
    this.#more = new SchemaForm(
      { ...$defs.TableComparison, $defs },
      { first: [], hidden: HIDDEN, more: "Statistics", ...STATISTICS },
    );
    fill(this.#options, this.#more.element);
  }

  /** @param {TableView[]} tables @param {TableView|undefined} best The one to begin with. */
  showTables(tables, best) {
    const chosen = this.#table.value || this.#app.place.get("table");
    this.#tables = tables;
    fill(
      this.#table,
      tables.map((table) => h("option", { value: table.id }, listedTable(table))),
    );
    this.#table.value = chosen ?? "";
    if (!this.#table.value && best) this.#table.value = best.id;
    this.#tableField.hidden = tables.length < 2;
    this.#showColumns();
  }

  /**
   * Take the settings of a comparison that was made, to see them and to change one.
   * @param {{table: string, settings: any}} details As `GET comparisons` tells them.
   */
  take({ table, settings }) {
    const { value, control, pairing, rows: _, table: __, ...statistics } = settings.comparisons[0];
    const gate = settings.gates.find((/** @type {any} */ each) => value === `${each.value}_positive`);
    if (this.#tables.some((each) => each.id === table)) this.#table.value = table;
    this.#showColumns();
    choose(this.#value, gate?.value ?? value);
    this.#what.value = gate ? "share" : "value";
    this.#threshold.value = gate ? String(gate.threshold) : "";
    this.#control.value = "";
    choose(this.#control, control ?? "");
    this.#unflagged.checked = settings.keep.includes(UNFLAGGED);
    this.#keep(settings.keep.filter((/** @type {string} */ where) => where !== UNFLAGGED && where !== WHOLE));
    this.#more?.set(statistics);
    this.#valueSaid = true;
    if (["paired", "unpaired"].includes(pairing) && pairing !== this.#pairs.answer) this.#pairs.say(pairing);
    void this.#showWhat();
    this.#showReady();
  }

  /** @param {string[]} conditions That cells must meet; none for all cells. */
  #keep(conditions) {
    const known = this.#kept;
    const kept = conditions.map((where) => known.find((each) => each.where === where) ?? { where, text: where });
    this.#app.place.note({ where: kept.length ? JSON.stringify(kept) : null });
    this.#showFilters();
  }

  showConditions() {
    const { images } = this.#app.openStudy;
    const chosen = this.#control.value;
    const names = valuesOf(images.ready, "condition");
    fill(
      this.#control,
      h("option", { value: "" }, "None: each with each"),
      names.map((name) => h("option", { value: name }, name)),
    );
    this.#control.value = names.includes(chosen)
      ? chosen
      : (names.find((name) => /^(control|ctrl|vehicle|dmso|untreated|wt|wild ?type|mock)\b/i.test(name)) ?? "");
    this.#showReady();
  }

  /** @returns {TableView|undefined} */
  get #chosen() {
    return this.#tables.find((table) => table.id === this.#table.value);
  }

  #showColumns() {
    const counts = this.#ofCounts;
    const columns = measures(this.#chosen?.columns ?? [])
      .filter(canBeAsked)
      .filter((column) => !counts || COUNTED.includes(column.name));
    const chosen = (this.#valueSaid && this.#value.value) || this.#app.place.get("column");
    fill(
      this.#value,
      this.#numbers.length > 0 &&
        h(
          "optgroup",
          { label: "Number of cells" },
          this.#numbers.map((name) => h("option", { value: name }, capital(wordsOf(name)))),
        ),
      groupedOptions(columns),
    );
    this.#value.value = chosen ?? "";
    if (!this.#value.value) this.#value.value = counts ? "n" : (mainMeasure(columns)?.name ?? "");
    void this.#showWhat();
    this.#unflaggedField.hidden = !this.#chosen?.columns.some((column) => column.name === "flag_any");
    this.#showReady();
    this.#showFilters();
    void this.#showFlagged();
    const apart = this.#chosen ? stacksApart(this.#app.openStudy, this.#chosen) : 0;
    fill(this.#notice, apart > 0 && apartNotice(apart));
  }

  get #ofCounts() {
    return Boolean(this.#chosen && isOfCounts(this.#chosen));
  }

  /** Numbers of cells that a table of cells gives: one a plane, so not of stacks in which each plane has its own. */
  get #numbers() {
    const table = this.#chosen;
    if (!table || this.#ofCounts || table.columns.some(({ name }) => ["t", "z", "frame"].includes(name))) return [];
    const { images } = this.#app.openStudy;
    const its = Object.keys(table.details.images ?? {})
      .map((id) => images.find(id))
      .filter((image) => image && isUsed(image));
    const scaled = its.length > 0 && its.every((image) => image && pixelSizeOf(image) !== null);
    return its.length ? [KEPT, ...(scaled ? [KEPT_PER_MM2] : [])] : [];
  }

  /** Whether what is compared is one number an image. */
  get #byImages() {
    return this.#ofCounts || [KEPT, KEPT_PER_MM2].includes(this.#value.value);
  }

  /** Filters that were set in the step Measure hold here too, where they can be taken away. */
  #showFilters() {
    const kept = this.#kept;
    fill(
      this.#filters,
      kept.length > 0 &&
        h(
          "div.stack",
          {},
          h("span.field-name", {}, "Only cells with"),
          kept.map(({ text }) => h("span.chip", {}, text)),
          h("button.quiet.small", { type: "button", onclick: () => this.#keep([]) }, "All cells"),
        ),
    );
  }

  /** Say how many cells have a flag. */
  async #showFlagged() {
    fill(this.#flagged);
    const table = this.#chosen;
    if (!table || this.#unflaggedField.hidden) return;
    const found = await this.#app.openStudy
      .post(`tables/${table.id}/query`, { columns: ["image"], where: ["flag_any"], limit: 1 })
      .catch((error) => this.#app.error(error));
    if (found && table === this.#chosen)
      fill(this.#flagged, ` (${found.total.toLocaleString("en")} of ${table.rows.toLocaleString("en")})`);
  }

  /** Conditions that were set in the step Measure. @returns {{where: string, text: string}[]} */
  get #conditions() {
    return this.#app.place.read("where", areConditions) ?? [];
  }

  get #kept() {
    return this.#conditions.filter(({ where }) => where !== UNFLAGGED);
  }

  async #showWhat() {
    if (this.#byImages) this.#what.value = "value";
    this.#whatField.hidden = this.#byImages;
    const share = this.#what.value === "share";
    this.#thresholdField.hidden = !share;
    const table = this.#chosen;
    if (!share || this.#threshold.value || !table || !this.#value.value) return;
    const found = await this.#app.openStudy
      .post(`tables/${table.id}/summary`, { column: this.#value.value, bins: 1 })
      .catch((error) => this.#app.error(error));
    if (found?.groups[0]?.median !== null && found)
      this.#threshold.placeholder = `Median: ${numberText(found.groups[0].median)}`;
  }

  #showReady() {
    const { images, readOnly } = this.#app.openStudy;
    const few = valuesOf(images.ready, "condition").length < 2;
    this.#progress.allow(!readOnly && Boolean(this.#chosen && this.#value.value) && !few);
    this.#compare.title = few ? "Say of which condition the images are; at least two are compared." : "";
  }

  async #run() {
    if (this.#compare.disabled) return;
    if (this.#pairs.matters && !this.#pairs.answer) return this.tell("pairs", this);
    try {
      await this.#progress.submit(this.#parameters());
    } catch (/** @type {any} */ error) {
      if (error?.name === "ApiError") {
        if (!this.#more?.showError(error)) this.#app.error(error);
      } else this.#app.toast(error.message, { kind: "error" });
    }
  }

  #parameters() {
    const [value, share] = [this.#value.value, this.#what.value === "share" && !this.#byImages];
    const threshold = Number(this.#threshold.value.replace(",", "."));
    if (share && (!this.#threshold.value.trim() || !Number.isFinite(threshold)))
      throw new Error("Threshold: say a number; cells above it count as positive.");
    const gate = share ? { gates: [{ value, threshold }] } : {};
    const unflagged = this.#unflagged.checked && !this.#unflaggedField.hidden ? [UNFLAGGED] : [];
    const comparison = {
      ...(this.#more?.values ?? {}),
      value: share ? `${value}_positive` : value,
      ...(this.#pairs.matters ? { pairing: this.#pairs.answer } : {}),
      ...(this.#byImages ? { rows: "images" } : {}),
      ...([KEPT, KEPT_PER_MM2].includes(value) ? { table: "fields" } : {}),
      ...(this.#control.value ? { control: this.#control.value } : {}),
    };
    const column = this.#chosen?.columns.find((each) => each.name === value);
    const label = column
      ? share
        ? `${capital(titleOf(column))} above ${threshold}`
        : axisOf(column)
      : capital(wordsOf(value));
    const settings = {
      comparisons: [comparison],
      ...gate,
      style: { labels: { [comparison.value]: label } },
      keep: [...(this.#ofCounts ? [WHOLE] : unflagged), ...this.#kept.map(({ where }) => where)],
    };
    const name = `${capital(wordsOf(value))}${share ? ` above ${threshold}` : ""}`;
    return { table: this.#table.value, settings, name_of_result: name };
  }
}

/** @param {string} name Of a column. */
const wordsOf = (name) => titleOf({ name, unit: "", definition: "", source: "" });

/** Choose what a list has; else all stays. @param {HTMLSelectElement} list @param {string} value */
function choose(list, value) {
  if ([...list.options].some((option) => option.value === value)) list.value = value;
}

/** @param {string} name @param {HTMLElement} input */
function field(name, input) {
  return h("label.field", {}, h("span.field-name", {}, name), input);
}
