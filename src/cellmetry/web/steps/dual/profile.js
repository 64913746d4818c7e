/** Radial profile and peaks of the cells of an image, or of one cell, and the files of a quantification. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { noteTaste, taste } from "../../app/tastes.js";
import { pngOf } from "../../plot/picture.js";
import { ProfilePlot } from "../../plot/profile.js";
import { saveBlob } from "../../table/downloads.js";
import { rowsHere } from "../../table/planes.js";
import { isValue, numberText } from "../../table/words.js";
import { fileButtons } from "./files.js";
import { linesOf, medianOf, peakColumns, positionsOf, seriesOf } from "./series.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../table/source.js").TableView} TableView */
/** @typedef {import("./series.js").Columns} Columns */
/** @typedef {import("./tables.js").Quantified} Quantified */

const NO_PROFILE = "No radial profile was made. Choose “Make a radial profile” at the left, and quantify again.";
const MOST = 1_000_000;
const TASTES = "dual.profile";
const SWITCHES = { errors: "Error bars (SEM)", channels: "Channels", ratio: "Ratio", smooth: "Smoothed" };

/** The right pane of the step Two channels. */
export class ProfilePane {
  #app;
  #title = h("h3.grow");
  #all = h("button.quiet.small", { type: "button", hidden: true, onclick: () => this.showCell(null) }, "All cells");
  #picture = h(
    "button.quiet.small",
    { type: "button", hidden: true, title: "Save the profile as a picture of 150 dpi", onclick: () => this.#save() },
    icon("download"),
    "PNG",
  );
  #switches = h("div.dual-switches");
  #channels = new ProfilePlot("Radial profile of target and reference");
  #ratio = new ProfilePlot("Radial profile of the ratio", { height: 170 });
  #peaks = h("div");
  #none = h("p.quiet-text");
  #files = h("div.stack");
  /** @type {Quantified|null} */
  #made = null;
  /** @type {Columns|null} */
  #preview = null;
  /** Of what the preview is, if not of all of an image. */
  #part = "";
  /** @type {number|null} */
  #cell = null;
  #image = "";
  /** Image and plane of which the profile is. */
  #place = "";
  #turn = 0;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.element = h(
      "div.dual-profile",
      {},
      h(
        "section.stack",
        {},
        h("div.row", {}, this.#title, this.#picture, this.#all),
        this.#switches,
        this.#channels.element,
        this.#ratio.element,
        this.#none,
        this.#peaks,
      ),
      this.#files,
    );
    fill(
      this.#switches,
      Object.entries(SWITCHES).map(([name, text]) => this.#switch(/** @type {"errors"} */ (name), text)),
    );
    this.#draw();
  }

  close() {
    this.#turn++;
    this.#channels.close();
    this.#ratio.close();
  }

  /** The tables of another job, null: none. @param {Quantified|null} made */
  show(made) {
    this.#made = made;
    fill(this.#files, made && fileButtons(this.#app, made));
    this.#draw();
  }

  /** The profile of the preview, null when it ends. @param {Columns|null} profile @param {string} part Of what it is. */
  showPreview(profile, part) {
    this.#preview = profile;
    this.#part = part;
    this.#draw();
  }

  /** Another image or plane is seen: the cell that was chosen is not of it. @param {string} name As the tables have it. */
  showImage(name) {
    const { t, z } = this.#app.viewer;
    const place = JSON.stringify([name, t, z]);
    if (place === this.#place) return;
    this.#place = place;
    this.#image = name;
    this.#cell = null;
    this.#draw();
  }

  /** One cell, null: all of the image. @param {number|null} label */
  showCell(label) {
    this.#cell = label;
    this.#draw();
  }

  get #tastes() {
    return { errors: true, channels: true, ratio: true, smooth: false, ...taste(TASTES, {}) };
  }

  /** @param {"errors"|"channels"|"ratio"|"smooth"} name @param {string} text */
  #switch(name, text) {
    const box = h("input", { type: "checkbox", checked: this.#tastes[name] });
    box.addEventListener("change", () => {
      noteTaste(TASTES, { ...this.#tastes, [name]: box.checked });
      this.#draw();
    });
    return h("label.check", {}, box, text);
  }

  async #draw() {
    const turn = ++this.#turn;
    try {
      const found = this.#preview ? { names: Object.keys(this.#preview), values: this.#preview } : await this.#read();
      const peaks = this.#preview ? null : await this.#readPeaks();
      if (turn !== this.#turn) return;
      this.#lay(found, peaks);
    } catch (error) {
      if (turn === this.#turn) this.#app.error(error);
    }
  }

  /** @param {{names: string[], values: Columns}|null} found @param {Record<string, any>|null} peaks */
  #lay(found, peaks) {
    const { errors, channels, ratio } = this.#tastes;
    const whose = this.#cell === null ? "all cells" : `cell ${this.#cell}`;
    fill(this.#title, `Profile of ${this.#preview ? `what is previewed${this.#part}` : whose}`);
    this.#all.hidden = this.#cell === null || this.#preview !== null;
    this.#switches.hidden = this.#picture.hidden = !found;
    const names = found?.names ?? [];
    const position = positionsOf(names);
    const series = found ? seriesOf(names) : [];
    const lines = found ? linesOf(series, found.values, position.column, { errors, peaks: peaks?.places ?? {} }) : [];
    const of = (/** @type {boolean} */ isRatio) => lines.filter((_, k) => (series[k].name === "ratio") === isRatio);
    this.#showPlot(this.#channels, channels ? of(false) : [], position, "Mean brightness");
    this.#showPlot(this.#ratio, ratio ? of(true) : [], position, "Target / reference");
    fill(this.#none, found ? "" : this.#reason);
    fill(this.#peaks, peaks && peakFacts(peaks));
  }

  /** What is shown now, as it is shown. */
  async #save() {
    const plots = [this.#channels, this.#ratio].flatMap(({ element, figure }) =>
      figure && !element.hidden ? [figure] : [],
    );
    if (!plots.length) return this.#app.toast("Choose Channels or Ratio to have a picture.", { kind: "error" });
    const title = `${this.#title.textContent}${this.#image && `, ${this.#image}`}`;
    try {
      saveBlob(await pngOf({ title, plots }), `${title.replace(/[^\p{L}\p{N}.-]+/gu, "_")}.png`);
    } catch (error) {
      this.#app.error(error);
    }
  }

  get #reason() {
    if (!this.#made) return "Quantify, or preview with a radial profile: the profile is shown here.";
    if (!this.#made.others.has("radial_profile_cells")) return NO_PROFILE;
    return this.#cell === null ? "This image was not quantified." : "This cell has no profile.";
  }

  /**
   * @param {ProfilePlot} plot
   * @param {import("../../plot/profile.js").Line[]} lines
   * @param {ReturnType<typeof positionsOf>} position
   * @param {string} y
   */
  #showPlot(plot, lines, { axis, edge }, y) {
    plot.element.hidden = !lines.length;
    plot.show({ lines, x: axis, y, edge });
  }

  /** The table of the profile that is wanted, and of it what is of the image that is seen. */
  async #read() {
    const smooth = this.#tastes.smooth && this.#cell !== null;
    const others = this.#made?.others;
    const smoothed = others?.get("radial_profile_smoothed") ?? others?.get("radial_profile_sg");
    const ofCell = (smooth && smoothed) || others?.get("radial_profile_cells");
    const table = this.#cell === null ? others?.get("radial_profile_pooled") : ofCell;
    if (!table) return null;
    const names = table.columns.map((column) => column.name);
    const wanted = [positionsOf(names).column, ...seriesOf(names).flatMap(({ value, error }) => [value, error])];
    const values = await this.#values(table, wanted);
    return values[wanted[0] ?? ""].length ? { names, values } : null;
  }

  async #readPeaks() {
    const table = this.#made?.others.get("peaks");
    if (!table) return null;
    const names = table.columns.map((column) => column.name);
    const columns = peakColumns(names);
    const values = await this.#values(table, [
      columns.first,
      columns.second,
      columns.difference,
      ...columns.accepted,
      ...columns.reasons,
    ]);
    if (!values[columns.first]?.length) return null;
    const one = this.#cell !== null;
    return {
      columns,
      values,
      unit: positionsOf([columns.first.replace(/^.*_(pct|um|px)$/, "center_$1")]).text,
      one,
      places: one ? { target: values[columns.first][0], reference: values[columns.second]?.[0] ?? null } : {},
    };
  }

  /** @param {TableView} table @param {(string|null)[]} wanted @returns {Promise<Columns>} */
  async #values(table, wanted) {
    const names = table.columns.map((column) => column.name);
    const cell = this.#cell !== null && names.includes("label") ? [isValue("label", this.#cell)] : [];
    const where = [...rowsHere(names, this.#image, this.#app.viewer), ...cell];
    const columns = [...new Set(wanted.filter((name) => name && names.includes(name)))];
    return (await this.#app.openStudy.post(at`tables/${table.id}/values`, { columns, where, most: MOST })).values;
  }
}

/** @param {Record<string, any>} peaks */
function peakFacts({ columns, values, unit, one }) {
  const text = (/** @type {number|null} */ value) =>
    value === null || value === undefined ? "–" : `${numberText(value, 3)} ${unit}`;
  const said = (/** @type {string} */ name) => (one ? (values[name]?.[0] ?? null) : medianOf(values[name] ?? []));
  const reference = columns.second
    ? [
        ["Reference peaks at", text(said(columns.second))],
        ["Difference", text(said(columns.difference))],
      ]
    : [];
  const accepted = columns.accepted.map((/** @type {string} */ name) => [
    acceptedTitle(name),
    acceptedText(values[name], one),
  ]);
  const reasons = (one ? columns.reasons : []).flatMap((/** @type {string} */ name) =>
    values[name]?.[0] ? [["Why there is none", values[name][0]]] : [],
  );
  const rows = [["Target peaks at", text(said(columns.first))], ...reference, ...accepted, ...reasons];
  return h(
    "section",
    {},
    h("h3", {}, one ? "Peaks" : "Peaks (median of the cells)"),
    h(
      "dl.facts",
      {},
      rows.map(([name, value]) => [h("dt", {}, name), h("dd.number", {}, value)]),
    ),
  );
}

/** @param {string} name */
const acceptedTitle = (name) => `${name === "accepted_target" ? "Target" : "Reference"} is accepted`;

/** @param {any[]} values @param {boolean} one */
function acceptedText(values, one) {
  if (one) return values[0] === null ? "not known" : values[0] ? "yes" : "no";
  return `${values.filter(Boolean).length} of ${values.length}`;
}
