/** What a comparison found: sentences, superplot, estimates with intervals, notes, figures to download. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { intervalPlot } from "../../plot/intervals.js";
import { Superplot } from "../../plot/superplot.js";
import { resultAddress, save } from "../../table/downloads.js";
import { axisOf, capital, titleOf } from "../../table/words.js";
import { MadeFrom } from "./made.js";
import {
  decimalsOf,
  estimateText,
  intervalText,
  isShare,
  leftOutText,
  pText,
  sentenceOf,
  whyDifferent,
} from "./words.js";

/** @typedef {import("../../app/app.js").App} App */

const MOST_DOTS = 4000;

/** The tab Result. */
export class ComparisonView {
  #app;
  #tables;
  #turn = 0;
  element = h("div.compare-result");
  /** @type {{close(): void}[]} */
  #parts = [];

  /** @param {App} app @param {import("../../table/tables.js").TablesList} tables */
  constructor(app, tables) {
    this.#app = app;
    this.#tables = tables;
    this.#showNone();
  }

  close() {
    this.#turn++;
    for (const plot of this.#parts) plot.close();
    this.#parts = [];
  }

  /** @param {any} result As `GET comparisons` lists it, null for none. */
  async show(result) {
    this.close();
    if (!result) return this.#showNone();
    const turn = this.#turn;
    const { openStudy: study } = this.#app;
    try {
      const [found, files] = await Promise.all([
        study.get(at`comparisons/${result.id}`),
        study.get(at`results/${result.id}/files`),
      ]);
      if (turn !== this.#turn) return;
      const table = await this.#tableOf(result.details.table);
      if (turn !== this.#turn) return;
      fill(
        this.element,
        found.comparisons.map((/** @type {any} */ each, /** @type {number} */ number) =>
          this.#comparison(result, each, { table, settings: found.settings, number, record: found }),
        ),
        this.#made(result, found, table),
        this.#figures(result, files),
      );
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** Comparisons of an older version do not say their images. @param {any} result @param {any} record @param {any} table */
  #made(result, record, table) {
    if (!record.source.images) return null;
    const made = new MadeFrom(this.#app, result, record, table?.name);
    this.#parts.push(made);
    return made.element;
  }

  /** @param {string} id */
  async #tableOf(id) {
    return this.#tables.find(id) ?? (await this.#app.openStudy.get(at`tables/${id}`).catch(() => null));
  }

  #showNone() {
    fill(
      this.element,
      h(
        "div.empty",
        {},
        h("h2", {}, "No comparison yet"),
        h(
          "p.quiet-text",
          {},
          "Choose a value on the left and press Compare. Each condition gets an estimate with an interval, made of independent replicates, not of cells.",
        ),
      ),
    );
  }

  /** @param {any} result @param {any} found @param {{table: any, settings: any, number: number, record: any}} of */
  #comparison(result, found, { table, settings, number, record }) {
    const column = table?.columns.find((/** @type {any} */ each) => each.name === found.options.value) ?? {
      name: found.options.value,
      unit: "",
      definition: "",
      source: "",
    };
    const { rows } = found.options;
    const ofCounts = rows === "images" && found.options.table === settings.table;
    const label = settings.style?.labels?.[found.options.value] ?? capital(titleOf(column));
    const name = isShare(found) ? `${label}: share of cells` : axisOf(column);
    const withCells = !isShare(found);
    const plot = new Superplot();
    plot.on("cell", (key) => this.#openCell(key, table));
    this.#parts.push(plot);
    const dots = withCells ? this.#dots(result, found, number) : null;
    this.#fillPlot(plot, found, name, dots).catch((error) => this.#app.error(error));
    return h(
      "section.compare-one",
      {},
      h(
        "header.compare-title",
        {},
        h("h2", {}, capital(result.name)),
        h(
          "div.stack",
          {},
          found.contrasts.map((/** @type {any} */ each) =>
            h("p.compare-sentence", {}, sentenceOf(each, found, column)),
          ),
          (record.source.no_p_value ?? []).map((/** @type {string} */ why) =>
            h("p.notice.notice-bad", {}, icon("warning"), h("span", {}, `No p-value is given. ${why}`)),
          ),
          !ofCounts && h("p.quiet-text", {}, leftOutText(record.filters, rows === "images" ? "cells" : rows)),
        ),
      ),
      h(
        "div.compare-cards",
        {},
        h(
          "section.card",
          {},
          h("h3", {}, withCells ? `${capital(rows)} and replicates` : "Replicates"),
          plot.element,
          h(
            "p.quiet-text",
            {},
            withCells
              ? `Small: ${rows}. Large: replicates. Bars: mean and interval of the replicates. Click one of the ${rows} to see it.`
              : "Large: replicates. Bars: mean and interval of the replicates.",
          ),
        ),
        this.#estimates(found, column),
      ),
      this.#notes(found),
    );
  }

  /** @param {Superplot} plot @param {any} found @param {string} name @param {Promise<any[]>|null} asked The small dots. */
  async #fillPlot(plot, found, name, asked) {
    const turn = this.#turn;
    const scale = isShare(found) ? 100 : 1;
    const shown = {
      name: isShare(found) ? `${name} (%)` : name,
      paired: found.paired && !found.estimation_only,
      conditions: found.conditions,
      dots: /** @type {any[]} */ ([]),
      replicates: found.replicate_values.map((/** @type {any} */ each) => ({
        condition: each.condition,
        replicate: String(each.replicate),
        value: each.value * scale,
      })),
      middles: found.groups.map((/** @type {any} */ each) => ({
        condition: each.condition,
        mean: times(each.mean, scale),
        low: times(each.ci_low, scale),
        high: times(each.ci_high, scale),
      })),
    };
    plot.show(shown);
    if (!asked) return;
    const dots = await asked;
    if (turn === this.#turn) plot.show({ ...shown, dots });
  }

  /**
   * The cells that the comparison used, of the conditions and replicates that it took: the study may say others by now.
   * @param {any} result @param {any} found @param {number} number
   */
  async #dots(result, found, number) {
    const { values } = await this.#app.openStudy.get(at`comparisons/${result.id}/cells`, { number, most: MOST_DOTS });
    const conditions = new Set(found.conditions);
    return values.value
      .map((/** @type {number|null} */ value, /** @type {number} */ k) => {
        const [image, label] = [values.image?.[k], values.label?.[k]];
        return {
          condition: String(values.condition[k] ?? ""),
          replicate: String(values.replicate[k] ?? ""),
          value,
          name: label === undefined ? image : `${image}, cell ${label}`,
          key: { image, label, t: values.t?.[k] ?? values.frame?.[k], z: values.z?.[k] },
        };
      })
      .filter((/** @type {any} */ dot) => dot.value !== null && dot.replicate && conditions.has(dot.condition));
  }

  /** @param {any} key @param {any} table */
  #openCell(key, table) {
    if (!table) return;
    const image = Object.entries(table.details.images ?? {}).find(
      ([, each]) => /** @type {any} */ (each).name === key.image,
    )?.[0];
    this.#app.goStep("measure", { image, table: table.id, cell: key.label, t: key.t ?? null, z: key.z ?? null });
  }

  /** @param {any} found @param {any} column */
  #estimates(found, column) {
    const log = found.options.scale === "log";
    const share = isShare(found);
    const scale = share && !log ? 100 : 1;
    const rows = found.contrasts.map((/** @type {any} */ each) => ({
      name: `${each.condition} – ${each.reference}`,
      value: times(each.estimate, scale),
      low: times(each.ci_low, scale),
      high: times(each.ci_high, scale),
    }));
    const title = log
      ? "Ratio"
      : share
        ? "Difference (percentage points)"
        : `Difference${column.unit && column.unit !== "1" ? ` (${axisOf(column).match(/\(([^)]*)\)$/)?.[1] ?? column.unit})` : ""}`;
    const plot = intervalPlot(rows, { name: title, zero: log ? 1 : 0 });
    this.#parts.push(plot);
    const heads = [
      "",
      log ? "Ratio" : "Difference",
      `${Math.round(found.options.confidence * 100)} % interval`,
      "p",
      "Hedges’ g",
    ];
    const decimals = decimalsOf(found);
    const lines = found.contrasts.map((/** @type {any} */ each) =>
      h(
        "tr",
        { title: each.method },
        h("th", { scope: "row" }, `${each.condition} – ${each.reference}`),
        h("td.number", {}, estimateText(each.estimate, scale, log ? null : decimals)),
        h("td.number", {}, intervalText(each.ci_low, each.ci_high, scale, log ? null : decimals)),
        h("td.number", {}, pText(each.p_adjusted ?? each.p_value)),
        h("td.number", {}, estimateText(each.hedges_g)),
      ),
    );
    const groups = found.groups.map((/** @type {any} */ each) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, each.condition),
        h("td.number", {}, estimateText(each.mean, share ? 100 : 1, decimals)),
        h("td.number", {}, intervalText(each.ci_low, each.ci_high, share ? 100 : 1, decimals)),
        h("td.number", {}, each.n_replicates),
        h("td.number", {}, each.n_cells.toLocaleString("en")),
      ),
    );
    return h(
      "section.card",
      {},
      h("h3", {}, "Estimates"),
      plot.element,
      table(heads, lines),
      h("p.quiet-text", {}, whyDifferent(found)),
      h("h3.compare-groups", {}, "Conditions"),
      table(["", share ? "Mean (%)" : "Mean", "Interval", "Replicates", capital(found.options.rows)], groups),
    );
  }

  /** @param {any} found */
  #notes(found) {
    const reasons = found.contrasts.map((/** @type {any} */ each) => each.reason).filter(Boolean);
    const notes = [...new Set([...reasons, ...found.notes])];
    return (
      notes.length > 0 &&
      h(
        "section.card",
        {},
        h("h3", {}, "What to keep in mind"),
        h(
          "ul.compare-notes",
          {},
          notes.map((note) => h("li", {}, capital(note))),
        ),
      )
    );
  }

  /** @param {any} result @param {{name: string}[]} files */
  #figures(result, files) {
    const forms = files.filter(({ name }) => name.startsWith("figures/"));
    const stems = [...new Set(forms.map(({ name }) => name.replace(/\.[^.]+$/, "")))];
    const figure = (/** @type {string} */ stem) => {
      const of = forms.filter(({ name }) => name.replace(/\.[^.]+$/, "") === stem);
      const picture = of.find(({ name }) => name.endsWith(".png")) ?? of.find(({ name }) => name.endsWith(".svg"));
      const name = capital(stem.split("/").at(-1)?.split("_").at(-1) ?? "");
      return h(
        "figure.figure-card",
        {},
        picture &&
          h("img", {
            src: resultAddress(this.#app, result.id, picture.name),
            alt: `Figure ${name} of ${result.name}`,
            loading: "lazy",
          }),
        h(
          "figcaption.row",
          {},
          h("strong.grow", {}, name),
          of.map((file) =>
            h(
              "button.small",
              {
                type: "button",
                "aria-label": `Download ${name} as ${suffix(file.name)}`,
                onclick: () => save(resultAddress(this.#app, result.id, file.name)),
              },
              suffix(file.name),
            ),
          ),
        ),
      );
    };
    return (
      stems.length > 0 &&
      h(
        "section.compare-figures",
        {},
        h(
          "div.row",
          {},
          h("h2.grow", {}, "Figures"),
          h(
            "button",
            { type: "button", onclick: () => save(resultAddress(this.#app, result.id)) },
            icon("download"),
            "Download all",
          ),
        ),
        h("div.figure-cards", {}, stems.map(figure)),
      )
    );
  }
}

/** @param {string} name */
const suffix = (name) => (name.split(".").at(-1) ?? "").toUpperCase();

/** @param {number|null} value @param {number} scale */
const times = (value, scale) => (value === null ? null : value * scale);

/** @param {string[]} heads @param {any[]} lines */
const table = (heads, lines) =>
  h(
    "div.compare-scroll",
    {},
    h(
      "table.compare-table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h("tbody", {}, lines),
    ),
  );
