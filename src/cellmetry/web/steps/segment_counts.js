/** How many cells were found in which image. @module */
import { fill, h } from "../kernel/dom.js";
import { cutName } from "../controls/cut_name.js";
import { VirtualGrid } from "../controls/virtual_grid.js";
import { counted } from "../app/said.js";

/** @typedef {import("../app/app.js").App} App */

const NOTHING = "Nothing was segmented yet. “Apply to all” finds the cells of all images.";
const WORKS = "Finding cells… They are shown here and in the images as they are found.";

/** A list beside the viewer; a click looks at the image. */
export class Counts {
  #app;
  #pane;
  /** @type {VirtualGrid<any>} */
  #list;
  #total = h("p.counts-total.number");
  #element;
  #offs;

  /** @param {App} app @param {HTMLElement} pane */
  constructor(app, pane) {
    this.#app = app;
    this.#pane = pane;
    const { images, labels } = app.openStudy;
    this.#list = new VirtualGrid({
      label: "Cells by image",
      width: 100,
      height: 30,
      gap: 2,
      columns: 1,
      key: (row) => row.id,
      render: (row) => this.#row(row),
    });
    this.#list.on("select", (keys) => keys.size === 1 && images.select([...keys][0]));
    this.#element = h("section.counts", {}, h("h2", {}, "Cells found"), this.#total, this.#list.element);
    this.#offs = [
      images.on("change", () => this.show()),
      labels.on("change", () => this.show()),
      app.openStudy.jobs.on("change", () => this.show()),
    ];
    this.show();
  }

  close() {
    for (const off of this.#offs) off();
  }

  show() {
    const { images, labels, jobs } = this.#app.openStudy;
    const works = jobs.running.some((job) => job.kind === "segment");
    const rows = images.ready.map((image) => ({
      id: image.id,
      name: images.shortName(image),
      count: labels.of(image.id, labels.name ?? undefined)?.outlines ?? null,
    }));
    const done = rows.filter((row) => row.count !== null);
    if (!this.#pane.contains(this.#element)) fill(this.#pane, this.#element);
    const sum = done.reduce((all, row) => all + (row.count ?? 0), 0);
    const found = `${sum.toLocaleString("en")} ${labels.name} in ${counted(done.length, "image")}`;
    fill(this.#total, done.length ? found : works ? WORKS : NOTHING);
    this.#list.show(rows);
    const current = images.current?.id;
    if (current && !this.#list.selected.has(current)) this.#list.choose([current]);
  }

  /** @param {{name: string, count: number|null}} row */
  #row({ name, count }) {
    return h(
      "div.counts-row",
      {},
      h("span.grow.counts-name", {}, cutName(name)),
      h("span.number", {}, count === null ? "–" : count.toLocaleString("en")),
    );
  }
}
