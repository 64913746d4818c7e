/** The step Report: the report as it is sent to others, its methods as text, and downloads of everything. @module */
import { address, at, request } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { tabs } from "../../controls/tabs.js";
import { Outdated } from "../../table/outdated.js";
import { TablesList } from "../../table/tables.js";
import { save } from "../../table/downloads.js";
import { Downloads } from "./downloads.js";
import { methodsIn } from "./methods.js";

/** @typedef {import("../../app/app.js").App} App */

/** @type {import("../../app/steps.js").Step} */
export default { name: "report", title: "Report", centre: "own", open: (app, panes) => new ReportStep(app, panes) };

class ReportStep {
  #app;
  #panes;
  #tables;
  #downloads;
  /** @type {any[]} */
  #comparisons = [];
  #which = h("select", { onchange: () => this.#show(this.#which.value) });
  #whichField = h("label.field", { hidden: true }, h("span.field-name", {}, "Comparison"), this.#which);
  #outdated;
  #saves = h("div.row");
  #preview = h("div.report-preview");
  #methods = h("div.report-methods");
  #tabs = tabs("What is shown", [
    { name: "preview", title: "Preview", make: () => this.#preview },
    { name: "methods", title: "Methods", make: () => this.#methods },
  ]);
  #offs;

  /** @param {App} app @param {import("../../app/steps.js").Panes} panes */
  constructor(app, panes) {
    this.#app = app;
    this.#panes = panes;
    const { openStudy: study } = app;
    this.#tables = new TablesList(study);
    this.#downloads = new Downloads(app, this.#tables);
    this.#outdated = new Outdated(app, "Compare again for a report of now.");
    fill(
      panes.left,
      h(
        "div.stack",
        {},
        h("h2", {}, "Report"),
        this.#whichField,
        this.#outdated.element,
        this.#saves,
        this.#downloads.element,
      ),
    );
    const again = () => this.#load().catch((error) => app.error(error));
    this.#offs = [
      study.jobs.on("ended", (job) => job.state === "done" && again()),
      study.on("act", (act) => ["undo", "redo", "remove"].includes(act.verb) && again()),
    ];
    Promise.all([this.#tables.load(), this.#load()]).catch((error) => app.error(error));
  }

  close() {
    for (const off of this.#offs) off();
    this.#downloads.close();
    this.#outdated.close();
    this.#tables.close();
  }

  async #load() {
    const { openStudy: study, place } = this.#app;
    [this.#comparisons] = await Promise.all([study.get("comparisons"), this.#downloads.load()]);
    const found = this.#comparisons.find((each) => each.id === place.get("comparison")) ?? this.#comparisons.at(-1);
    fill(
      this.#which,
      [...this.#comparisons].reverse().map((each) => h("option", { value: each.id }, each.name)),
    );
    this.#whichField.hidden = this.#comparisons.length < 2;
    if (found) await this.#show(found.id);
    else this.#showNone();
  }

  #showNone() {
    fill(this.#saves);
    this.#outdated.of("");
    fill(
      this.#panes.centre,
      h(
        "div.report",
        {},
        h(
          "div.empty",
          {},
          h("div.empty-picture", {}, icon("file")),
          h("h2", {}, "No report yet"),
          h(
            "p.quiet-text",
            {},
            "A comparison writes a report: what was compared, figures, estimates with intervals, what to keep in mind, and methods for the paper. Tables and labels can be downloaded at any time.",
          ),
          h("button.primary", { type: "button", onclick: () => this.#app.goStep("compare") }, "Compare conditions"),
        ),
      ),
    );
  }

  /** @param {string} id */
  async #show(id) {
    const shown = this.#preview.dataset.id === id && this.#panes.centre.contains(this.#preview);
    if (shown) return;
    this.#which.value = id;
    this.#outdated.of(at`comparisons/${id}`);
    this.#app.place.note({ comparison: id });
    this.#preview.dataset.id = id;
    const form = (/** @type {string} */ name) =>
      h(
        "button.grow",
        {
          type: "button",
          "aria-label": `Download the report as ${name.toUpperCase()}`,
          onclick: () => save(this.#address(id, { form: name })),
        },
        icon("download"),
        name.toUpperCase(),
      );
    fill(this.#saves, form("pdf"), form("html"));
    const frame = h("iframe", {
      title: "Report",
      sandbox: "allow-scripts",
      src: this.#address(id, { form: "html", shown: true }),
    });
    fill(this.#preview, frame);
    fill(this.#panes.centre, h("div.report", {}, this.#tabs.element));
    await this.#showMethods(id);
  }

  /** @param {string} id @param {Record<string, any>} query */
  #address(id, query) {
    return address(this.#app.openStudy.path + at`comparisons/${id}/report`, query);
  }

  /** @param {string} id */
  async #showMethods(id) {
    fill(this.#methods, h("p.quiet-text", {}, "Reading…"));
    const answer = await request("GET", this.#app.openStudy.path + at`comparisons/${id}/report`, {
      query: { form: "html" },
    });
    const paragraphs = methodsIn(await answer.text());
    if (this.#preview.dataset.id !== id) return;
    const copy = () =>
      navigator.clipboard.writeText(paragraphs.join("\n\n")).then(
        () => this.#app.toast("Copied", { kind: "done" }),
        () => this.#app.toast("The browser does not let the text be copied; select it instead.", { kind: "error" }),
      );
    fill(
      this.#methods,
      paragraphs.length
        ? [
            h("div.row.end", {}, h("button", { type: "button", onclick: copy }, icon("file"), "Copy")),
            h(
              "div.card.report-text",
              {},
              paragraphs.map((text) => h("p", {}, text)),
            ),
          ]
        : h("p.quiet-text", {}, "The report has no methods."),
    );
  }
}
