/** What a comparison was made from: its images with the design and labels of then, and what of it is otherwise now. @module */
import { fill, h } from "../../kernel/dom.js";
import { counted } from "../../app/said.js";
import { capital } from "../../table/words.js";
import { isUsed, textOf } from "./check.js";
import { howOf } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{image: string, labels: string|null, version: number|null}} UsedImage */

/** A folded list that follows what is said of images. */
export class MadeFrom {
  #app;
  #source;
  #columns;
  #body = h("tbody");
  #off;

  /**
   * @param {App} app @param {any} result As `GET comparisons` lists it.
   * @param {any} record As `GET comparisons/ID` gives it. @param {string} [table] Name of its table.
   */
  constructor(app, result, record, table) {
    this.#app = app;
    this.#source = record.source;
    const { by, replicate } = record.comparisons[0].options;
    this.#columns = [...new Set([by, replicate, ...Object.values(this.#design).flatMap(Object.keys)])];
    const heads = ["Image", ...this.#columns.map(capital), "Labels"];
    const count = Object.keys(this.#images).length;
    this.element = h(
      "details.fold-fields.compare-made",
      {},
      h("summary", {}, `Computed from ${counted(count, "image")}, as the study said them then`),
      h("p.quiet-text", {}, howOf(result, table)),
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
          this.#body,
        ),
      ),
    );
    this.#off = app.openStudy.images.on("change", () => this.#show());
    this.#show();
  }

  close() {
    this.#off();
  }

  /** @returns {Record<string, UsedImage>} */
  get #images() {
    return this.#source.images;
  }

  /** @returns {Record<string, Record<string, string>>} */
  get #design() {
    return this.#source.design;
  }

  #show() {
    fill(
      this.#body,
      Object.entries(this.#images).map(([id, used]) => this.#row(id, used)),
    );
  }

  /** @param {string} id @param {UsedImage} used */
  #row(id, used) {
    const now = this.#app.openStudy.images.find(id);
    const left = now ? (isUsed(now) ? "" : "left out now") : "removed now";
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, used.image, left && [" ", h("span.compare-since", {}, `(${left})`)]),
      this.#columns.map((name) => {
        const [then, since] = [this.#design[id]?.[name] ?? "", now ? textOf(now, name) : ""];
        const differs = now && then !== since;
        return h("td", {}, then || "–", differs && [" ", h("span.compare-since", {}, `(now ${since || "not said"})`)]);
      }),
      h(
        "td",
        {},
        used.labels === null ? "as the recipe found them" : `${used.labels}, ${counted(used.version ?? 0, "edit")}`,
      ),
    );
  }
}
