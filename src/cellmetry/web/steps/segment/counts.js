/** How many cells were found in which image. @module */
import { fill, h } from "../../kernel/dom.js";
import { cutName } from "../../controls/cut_name.js";
import { icon } from "../../controls/icons.js";
import { VirtualGrid } from "../../controls/virtual_grid.js";
import { planesApart } from "../../app/labels.js";
import { counted } from "../../app/said.js";

/** @typedef {import("../../app/app.js").App} App */

const NOTHING = "Nothing was segmented yet. “Apply to all” finds the cells of all images.";
const WORKS = "Finding cells… They are shown here and in the images as they are found.";

/** A list beside the viewer; a click looks at the image. */
export class Counts {
  #app;
  #pane;
  /** @type {VirtualGrid<any>} */
  #list;
  #total = h("p.counts-total.number");
  #notice = h("div");
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
    this.#element = h("section.counts", {}, h("h2", {}, "Cells found"), this.#total, this.#notice, this.#list.element);
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
    const rows = images.ready.map((image) => {
      const found = labels.of(image.id, labels.name ?? undefined);
      return { id: image.id, name: images.shortName(image), count: found?.objects ?? null, planes: planesApart(found) };
    });
    const done = rows.filter((row) => row.count !== null);
    if (!this.#pane.contains(this.#element)) fill(this.#pane, this.#element);
    const sum = done.reduce((all, row) => all + (row.count ?? 0), 0);
    const found = `${sum.toLocaleString("en")} ${labels.name} in ${counted(done.length, "image")}`;
    const apart = done.filter((row) => row.planes > 1).length;
    fill(this.#total, done.length ? found : works ? WORKS : NOTHING);
    fill(this.#notice, apart > 0 && apartNotice(apart));
    this.#list.show(rows);
    const current = images.current?.id;
    if (current && !this.#list.selected.has(current)) this.#list.choose([current]);
  }

  /** @param {{name: string, count: number|null, planes: number}} row */
  #row({ name, count, planes }) {
    return h(
      "div.counts-row",
      {},
      h("span.grow.counts-name", {}, cutName(name)),
      h("span.number", {}, count === null ? "–" : count.toLocaleString("en"), planes > 1 && ` in ${planes} planes`),
    );
  }
}

/**
 * How many Z stacks are in a table whose planes were measured by themselves.
 * @param {import("../../app/study.js").Study} study @param {import("../../table/source.js").TableView} table
 */
export function stacksApart({ labels }, table) {
  if (!table.columns.some((column) => column.name === "z")) return 0;
  return Object.entries(table.details.images ?? {}).filter(([id, said]) => {
    const measured = typeof said.labels === "string" ? labels.find(said.labels) : null;
    return planesApart(measured ?? labels.of(id, table.details.labels)) > 1;
  }).length;
}

/** What is to be known of cells of planes that are not linked. @param {number} stacks How many images are such. */
export function apartNotice(stacks) {
  const where = counted(stacks, "Z stack");
  return h(
    "p.notice",
    { role: "status" },
    icon("warning"),
    h(
      "span.grow",
      {},
      `${where}: each plane was worked by itself, so a cell that several planes show counts several times. In Segment, `,
      "another choice of “Z stack” counts each cell once.",
    ),
  );
}
