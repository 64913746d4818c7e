/** What joins a table and the viewer: a click on a cell finds its row and back, colours by value, filtered cells are hidden. @module */
import { Emitter } from "../../kernel/emitter.js";
import { planeOf, rowsHere } from "../../table/planes.js";
import { labelsOf } from "../../table/tables.js";
import { capital, shortUnitOf, titleOf, valueText } from "../../table/words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/panel.js").TablePanel} TablePanel */
/** @typedef {import("../../table/source.js").Row} Row */

const MOST = 1_000_000;
const PALETTE = "viridis";
const STRONG = 0.6;

/**
 * Tells "cell" with the row of the cell that was chosen, null where it has none, and "places" when those of cells are
 * known or no longer are. Rows and cells belong together only while the labels are seen of which the table tells.
 */
export class CellLinks extends Emitter {
  #app;
  #panel;
  /** @type {Map<string, string>} Ids of images by the names that the table has. */
  #ids = new Map();
  /** @type {{name: string, low: number, high: number}|null} */
  #colouring = null;
  /** Centres of the cells of the image that is seen, of those that meet the filters. @type {{y: number[], x: number[]}|null} */
  #places = null;
  /** Column whose values the readout says. @type {import("../../table/source.js").Column|null} */
  #told = null;
  /** How strongly cells were filled before. @type {number|null} */
  #fill = null;
  #turn = 0;
  #shown = "";
  #closed = false;
  #offs;

  /** @param {App} app @param {TablePanel} panel */
  constructor(app, panel) {
    super();
    this.#app = app;
    this.#panel = panel;
    this.#learnNames();
    const { viewer } = app;
    this.#offs = [
      viewer.on("pick", (/** @type {any} */ said) => this.#pick(said.id)),
      viewer.on("shown", () => this.#look()),
      panel.on("row", ({ row }) => this.#show(row).catch((error) => app.error(error))),
      panel.on("filter", () => this.#hide()),
    ];
    this.#look();
  }

  /** Leave the viewer as it was. */
  close() {
    this.#closed = true;
    for (const off of this.#offs) off();
    const { viewer } = this.#app;
    viewer.setHidden(new Set());
    viewer.select([]);
    viewer.setDescription(null);
    this.#colourById();
  }

  /** Name of the image that is seen, as the table has it. @returns {string|null} */
  get imageName() {
    const id = this.#app.viewer.image?.id;
    for (const [name, each] of this.#ids) if (each === id) return name;
    return null;
  }

  /** As `imageName`, but null also while other cells are seen than those of the table. @returns {string|null} */
  get seenName() {
    const {
      viewer,
      openStudy: { labels },
    } = this.#app;
    const its = viewer.image && labelsOf(this.#panel.data, viewer.image.id, labels);
    return its && its.id === viewer.labels ? this.imageName : null;
  }

  /** @param {string} name */
  imageOf(name) {
    return this.#app.openStudy.images.find(this.#ids.get(name) ?? null);
  }

  /** Colour cells by a column; null by their ids. @param {{name: string, low: number, high: number}|null} said */
  async colourBy(said) {
    if (this.#closed) return;
    this.#colouring = said;
    await this.#colour();
  }

  /** Choose a cell of an image, and show it. @param {string} image Its id. @param {number} label */
  async goTo(image, label) {
    const row = await this.#select(this.#app.openStudy.images.find(image), label, this.#app.look);
    if (row && !this.#closed) await this.#show(row);
  }

  #learnNames() {
    const { images } = this.#app.openStudy;
    for (const image of images.all) this.#ids.set(image.name, image.id);
    for (const [id, said] of Object.entries(this.#panel.data.details.images ?? {}))
      if (said?.name) this.#ids.set(said.name, id);
  }

  /** @param {number|null} id */
  async #pick(id) {
    const { viewer } = this.#app;
    viewer.select(id ? [id] : []);
    const row =
      id && this.seenName !== null
        ? await this.#select(viewer.image, id, viewer).catch((error) => this.#app.error(error))
        : await this.#panel.table.select(null);
    if (!this.#closed) this.tell("cell", row ?? null);
  }

  /**
   * Choose the row of a cell.
   * @param {import("../../app/images.js").ImageView|undefined} image @param {number} label @param {{t: number, z: number}} at
   */
  async #select(image, label, at) {
    const name = [...this.#ids].find(([, id]) => id === image?.id)?.[0];
    if (!image || name === undefined) return null;
    const { table } = this.#panel;
    const plane = planeOf(table.keys, image, at);
    const row = await table.select({ image: name, label, ...plane });
    return row || !("z" in plane) ? row : table.select({ image: name, label, ...plane, z: null }); // a cell of all planes
  }

  /** Conditions of the cells of the plane that is seen; null where the table does not tell of them. @returns {string[]|null} */
  get #here() {
    const name = this.seenName;
    return name === null ? null : rowsHere(this.#panel.table.keys, name, this.#app.viewer);
  }

  /** Show the cell of a row, once its plane is seen. @param {Row} row */
  async #show(row) {
    const image = this.imageOf(row.image);
    if (!image) return;
    const {
      viewer,
      look,
      openStudy: { images, labels },
    } = this.#app;
    const at = { t: row.t ?? row.frame ?? undefined, z: row.z ?? undefined };
    const turn = ++this.#going;
    if (images.current?.id !== image.id) images.select(image.id);
    if (at.t !== undefined || at.z !== undefined) look.go(JSON.parse(JSON.stringify(at)));
    const { t, z } = look;
    const arrives = () => viewer.labels !== (labels.of(image.id)?.id ?? null);
    while (viewer.image?.id !== image.id || viewer.t !== t || viewer.z !== z || arrives()) {
      await new Promise((answer) => (this.#arrived = answer));
      if (this.#closed || turn !== this.#going || images.current?.id !== image.id) return; // somebody went elsewhere
    }
    viewer.select(this.seenName === null ? [] : [row.label]);
    this.#reveal(row);
    this.tell("cell", row);
  }

  /** Told when another image or plane is seen. @type {((value?: any) => void)|null} */
  #arrived = null;
  /** How often a cell was gone to: the last one counts. */
  #going = 0;

  /** Move the view only where the cell is not well in sight. @param {Row} row */
  #reveal({ centroid_y_px: y, centroid_x_px: x }) {
    if (typeof y !== "number" || typeof x !== "number") return;
    const { viewer } = this.#app;
    const { clientWidth, clientHeight } = viewer.element;
    const at = viewer.toScreen(y + 0.5, x + 0.5);
    const edge = 40;
    if (at.x > edge && at.y > edge && at.x < clientWidth - edge && at.y < clientHeight - edge) return;
    viewer.goTo({ y: y + 0.5, x: x + 0.5 });
  }

  #look() {
    this.#arrived?.();
    this.#arrived = null;
    const { image, labels, t, z } = this.#app.viewer;
    const seen = `${image?.id} ${labels} ${t} ${z}`;
    if (seen === this.#shown) return;
    this.#shown = seen;
    this.#places = null;
    this.tell("places", this);
    this.#hide();
    this.#colour();
    this.#describe();
  }

  /** Let the readout of the viewer say the value of the cell under the pointer. @param {import("../../table/source.js").Column} column */
  async describeBy(column) {
    if (this.#closed) return;
    this.#told = column;
    await this.#describe();
  }

  async #describe() {
    const { viewer } = this.#app;
    const [column, here, seen] = [this.#told, this.#here, this.#shown];
    viewer.setDescription(null);
    if (!column || !here) return;
    try {
      const { values } = await this.#panel.source.values(["label", column.name], { where: here, most: MOST });
      if (this.#closed || column !== this.#told || seen !== this.#shown) return;
      const known = new Map(values.label.map((label, k) => [label, values[column.name][k]]));
      viewer.setDescription((/** @type {number} */ id) =>
        known.has(id)
          ? `${capital(titleOf(column))} ${valueText(known.get(id), column)} ${shortUnitOf(column)}`.trim()
          : "not measured",
      );
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** How many of the cells that meet the filters lie inside; null while that is not known. @param {(y: number, x: number) => boolean} inside */
  countIn(inside) {
    if (!this.#places) return null;
    const { y, x } = this.#places;
    return y.reduce((sum, each, k) => sum + Number(each !== null && inside(each + 0.5, x[k] + 0.5)), 0);
  }

  async #place() {
    const { source } = this.#panel;
    const [here, seen, { where }] = [this.#here, this.#shown, source];
    this.#places = null;
    if (!here || !source.column("centroid_y_px")) return;
    const found = await source
      .values(["centroid_y_px", "centroid_x_px"], { where: [...where, ...here], most: MOST })
      .catch((error) => this.#app.error(error));
    if (!found || this.#closed || seen !== this.#shown || where !== source.where) return;
    this.#places = { y: found.values.centroid_y_px, x: found.values.centroid_x_px };
    this.tell("places", this);
  }

  /** Do not draw the cells that do not meet the filters. */
  async #hide() {
    const turn = ++this.#turn;
    const here = this.#here;
    this.#place();
    const { where } = this.#panel.source;
    if (!where.length || !here) return this.#app.viewer.setHidden(new Set());
    try {
      const [all, kept] = await Promise.all(
        [here, [...where, ...here]].map((each) => this.#panel.source.values(["label"], { where: each, most: MOST })),
      );
      if (this.#closed || turn !== this.#turn) return;
      const stays = new Set(kept.values.label);
      this.#app.viewer.setHidden(new Set(all.values.label.filter((label) => !stays.has(label))));
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** As it was before cells were coloured by a value. */
  #colourById() {
    const { viewer } = this.#app;
    viewer.setLabels({ colouring: { kind: "id" }, ...(this.#fill === null ? {} : { fill: this.#fill }) });
    this.#fill = null;
  }

  async #colour() {
    const { viewer } = this.#app;
    const wanted = this.#colouring;
    const [here, seen] = [this.#here, this.#shown];
    if (!wanted || !here) return this.#colourById();
    try {
      const { values } = await this.#panel.source.values(["label", wanted.name], { where: here, most: MOST });
      if (this.#closed || wanted !== this.#colouring || seen !== this.#shown) return;
      const numbers = values[wanted.name].map((value) => (value === null ? NaN : Number(value)));
      this.#fill ??= viewer.look.fill;
      const fill = Math.max(viewer.look.fill, STRONG);
      viewer.setLabels({
        fill,
        colouring: {
          kind: "value",
          ids: values.label,
          values: numbers,
          low: wanted.low,
          high: wanted.high,
          palette: PALETTE,
        },
      });
    } catch (error) {
      this.#app.error(error);
    }
  }
}
