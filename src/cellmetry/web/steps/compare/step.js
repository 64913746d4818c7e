/** The step Compare: conditions compared by independent replicates, with a design that is said here too. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { whenInWords } from "../../app/times.js";
import { icon } from "../../controls/icons.js";
import { tabs } from "../../controls/tabs.js";
import { Outdated } from "../../table/outdated.js";
import { TablesList } from "../../table/tables.js";
import { CompareForm } from "./form.js";
import { Design } from "./design.js";
import { Pairs } from "./pairs.js";
import { ComparisonView } from "./result.js";
import { howOf } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */

/** @type {import("../../app/steps.js").Step} */
export default { name: "compare", title: "Compare", centre: "own", open: (app, panes) => new CompareStep(app, panes) };

class CompareStep {
  #app;
  #panes;
  #tables;
  #form;
  #design;
  #pairs;
  #result;
  /** @type {any[]} */
  #comparisons = [];
  #tabs;
  #which = h("select", { onchange: () => this.#openFormer(this.#which.value) });
  #whichField = h("label.field", { hidden: true }, h("span.field-name", {}, "Comparisons that were made"), this.#which);
  #how = h("p.quiet-text");
  #outdated;
  #next = h("div");
  #page = h("div.compare");
  #closed = false;
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    this.#panes = panes;
    const { openStudy: study } = app;
    this.#tables = new TablesList(study);
    this.#pairs = new Pairs(app);
    this.#form = new CompareForm(app, this.#pairs);
    this.#design = new Design(app, this.#pairs.element);
    this.#result = new ComparisonView(app, this.#tables);
    this.#outdated = new Outdated(app, "Compare again.");
    this.#tabs = tabs(
      "What is shown",
      [
        { name: "design", title: "Design", make: () => this.#design.element },
        {
          name: "result",
          title: "Result",
          make: () => h("div.stack", {}, this.#outdated.element, this.#result.element),
        },
      ],
      { chosen: app.place.get("view") ?? "design", onchange: (view) => app.place.note({ view }) },
    );
    fill(
      panes.left,
      h(
        "div.stack",
        {},
        h("h2", {}, "Compare conditions"),
        this.#form.element,
        this.#whichField,
        this.#how,
        this.#next,
      ),
    );
    this.#offs = [
      this.#tables.on("change", () => this.#show()),
      this.#form.on("pairs", () => this.#askPairs()),
      this.#tables.on("error", (error) => app.error(error)),
      study.images.on("change", () => this.#form.showConditions()),
      study.jobs.on(
        "ended",
        (job) => job.kind === "compare" && job.state === "done" && this.#load(job.result.comparison),
      ),
      study.on("act", (act) => ["undo", "redo", "remove"].includes(act.verb) && this.#load()),
    ];
    this.#begin().catch((error) => app.error(error));
  }

  close() {
    this.#closed = true;
    for (const off of this.#offs) off();
    this.#form.close();
    this.#design.close();
    this.#pairs.close();
    this.#result.close();
    this.#outdated.close();
    this.#tables.close();
  }

  async #begin() {
    const { place } = this.#app;
    const anew = place.get("column") !== null || place.get("where") !== null;
    await Promise.all([this.#tables.load(), this.#form.load()]);
    await this.#load();
    if (!anew && !this.#closed) this.#take(this.#which.value);
  }

  #askPairs() {
    this.#tabs.choose("design");
    this.#pairs.ask();
    this.#app.toast("Say first whether replicates of one name are pairs.", { kind: "error" });
  }

  /** @param {string} id */
  #openFormer(id) {
    this.#take(id);
    return this.#open(id);
  }

  /** Put the settings of a comparison into the form. @param {string} id */
  #take(id) {
    const found = this.#comparisons.find((each) => each.id === id);
    if (found?.details.settings) this.#form.take(found.details);
  }

  /** @param {string} [id] One that was just made. */
  async #load(id) {
    try {
      this.#comparisons = await this.#app.openStudy.get("comparisons");
    } catch (error) {
      return this.#app.error(error);
    }
    if (this.#closed) return; // the address is that of another step
    const wanted = id ?? this.#app.place.get("comparison");
    const found = this.#comparisons.find((each) => each.id === wanted) ?? this.#comparisons.at(-1);
    fill(
      this.#which,
      [...this.#comparisons].reverse().map((each) => h("option", { value: each.id }, this.#nameOf(each))),
    );
    this.#whichField.hidden = this.#comparisons.length < 2;
    fill(
      this.#next,
      found &&
        h(
          "div.segment-next",
          {},
          h(
            "div.row",
            {},
            h(
              "button.grow",
              { type: "button", onclick: () => this.#app.goStep("report", { comparison: this.#which.value }) },
              "Report",
              icon("forward"),
            ),
          ),
        ),
    );
    await this.#open(found?.id ?? "", Boolean(id) || (Boolean(found) && this.#app.place.get("view") === null));
  }

  /** @param {string} id @param {boolean} [turn] Also go to the tab. */
  async #open(id, turn = true) {
    this.#which.value = id;
    this.#app.place.note({ comparison: id || null });
    if (turn && id) this.#tabs.choose("result");
    const found = this.#comparisons.find((each) => each.id === id);
    this.#outdated.of(found ? at`comparisons/${found.id}` : "");
    fill(this.#how, found && howOf(found, this.#tables.find(found.details.table)?.name));
    await this.#result.show(found ?? null);
  }

  /** With the time at which it was made. @param {any} comparison */
  #nameOf(comparison) {
    const ended = this.#app.openStudy.jobs.find(comparison.job_id)?.ended;
    return ended ? `${comparison.name} · ${whenInWords(ended)}` : comparison.name;
  }

  #show() {
    const tables = [...this.#tables.ofCells, ...this.#tables.ofCounts];
    this.#form.element.hidden = !tables.length;
    this.#form.showTables(tables, this.#tables.best());
    if (tables.length) fill(this.#page, this.#tabs.element);
    else fill(this.#page, this.#empty());
    if (!this.#panes.centre.contains(this.#page)) fill(this.#panes.centre, this.#page);
  }

  #empty() {
    return h(
      "div.empty",
      {},
      h("div.empty-picture", {}, icon("table")),
      h("h2", {}, "Nothing to compare yet"),
      h(
        "p.quiet-text",
        {},
        "Conditions are compared by what was measured of their cells. Measure the cells first; which image is of which condition and replicate can be said here afterwards.",
      ),
      h("button.primary", { type: "button", onclick: () => this.#app.goStep("measure") }, "Measure the cells first"),
    );
  }
}
