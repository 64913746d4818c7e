/** Regions that are drawn on images: how many cells lie inside, and what is measured by them. @module */
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { counted } from "../../app/said.js";
import { GROUPS } from "../../plot/scale.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{image: string, name: string, rectangle: number[]|null, polygon: number[][]}} Region */
/** @typedef {{y: number, x: number}} Point */

const LAYER = "regions";
const APART = 4;

/** The part "Regions" of the left pane. Tells `change` when some came or left. */
export class Regions extends Emitter {
  element = h("section.stack.regions");
  /** @type {Region[]} */
  all = [];
  /** How often the list was asked for, and whose answer `all` is: of none, nobody knows yet which there are. */
  #asked = 0;
  #taken = 0;
  #closed = false;
  #app;
  #list = h("ul.region-list");
  #hint = h("p.quiet-text");
  #draw = h(
    "button.small",
    { type: "button", "aria-pressed": "false", onclick: () => this.#turnTool() },
    icon("plus"),
    "Draw a region",
  );
  #view = h(
    "button.quiet.small",
    { type: "button", title: "A region of what is seen now", onclick: () => this.#takeView() },
    "Of the view",
  );
  /** Counts cells inside a region of the image that is seen. @type {(inside: (y: number, x: number) => boolean) => number|null} */
  count = () => null;
  #leaveHint = () => {};
  #use;
  #offs;

  /** @param {App} app @param {{group: string, hint: string}} [use] Name of the step, and what regions do there. */
  constructor(
    app,
    use = {
      group: "Measure",
      hint: "Drawn regions part the cells: “Measure” then says of each cell in which it lies.",
    },
  ) {
    super();
    this.#app = app;
    this.#use = use;
    fill(this.element, h("h3", {}, "Regions"), h("div.row", {}, this.#draw, this.#view), this.#list, this.#hint);
    for (const button of [this.#draw, this.#view]) button.disabled = Boolean(app.openStudy.readOnly);
    this.#offs = [
      app.viewer.on("shown", () => this.show()),
      app.openStudy.on("act", (act) => ["regions", "undo", "redo"].includes(act.verb) && this.load()),
      app.shortcuts.bind("r", "Draw a region", () => this.#turnTool(), { group: use.group }),
    ];
    this.load();
  }

  close() {
    this.#closed = true;
    this.#leaveHint();
    for (const off of this.#offs) off();
    this.#app.viewer.setLayer(LAYER, null);
  }

  async load() {
    const asked = ++this.#asked;
    try {
      const all = await this.#app.openStudy.get("regions");
      if (asked < this.#taken || this.#closed) return;
      [this.all, this.#taken] = [all, asked];
    } catch (error) {
      return this.#app.error(error);
    }
    this.show();
    this.tell("change", this);
  }

  /** Read the list if that has not succeeded yet. @returns {Promise<boolean>} Whether it is known which regions there are. */
  async isKnown() {
    if (!this.#taken) await this.load();
    return this.#taken > 0;
  }

  /** Those of the image that is seen. */
  get here() {
    const id = this.#app.viewer.image?.id;
    return this.all.filter((region) => region.image === id);
  }

  show() {
    const { here } = this;
    this.#app.viewer.setLayer(
      LAYER,
      here.length
        ? {
            kind: "shapes",
            shapes: here.map((region, k) => ({
              points: corners(region),
              closed: true,
              colour: GROUPS[k % GROUPS.length],
              fill: 0.08,
              text: region.name,
            })),
          }
        : null,
    );
    fill(
      this.#list,
      here.map((region, k) => this.#row(region, k)),
    );
    const elsewhere = this.all.length - here.length;
    fill(
      this.#hint,
      this.all.length ? elsewhere > 0 && `${counted(elsewhere, "region")} on other images.` : this.#use.hint,
    );
    this.#hint.hidden = this.all.length > 0 && !elsewhere;
  }

  /** @param {Region} region @param {number} k */
  #row(region, k) {
    const count = this.count(insideOf(corners(region)));
    const mark = h("span.plot-swatch");
    mark.style.background = GROUPS[k % GROUPS.length];
    return h(
      "li.row.region",
      {},
      mark,
      h("span.cut.grow", {}, region.name),
      count !== null && h("span.quiet-text.number", {}, counted(count, "cell")),
      h(
        "button.quiet.square.small",
        {
          type: "button",
          "aria-label": `Remove the region ${region.name}`,
          title: "Remove",
          disabled: Boolean(this.#app.openStudy.readOnly),
          onclick: () =>
            this.#change(
              region.image,
              (those) => those.filter(({ name }) => name !== region.name),
              `Removed ${region.name}`,
            ),
        },
        icon("trash"),
      ),
    );
  }

  #turnTool() {
    const { viewer } = this.#app;
    if (this.#draw.disabled) return;
    const on = viewer.tool?.name !== "region";
    viewer.setTool(on ? this.#tool() : null);
    this.#draw.setAttribute("aria-pressed", String(on));
    this.#leaveHint();
    if (on) this.#leaveHint = this.#app.toast("Draw round the region with the pointer held down. Escape leaves.");
  }

  /** @returns {import("../../viewer/stage_view.js").Tool} */
  #tool() {
    /** @type {number[][]} */
    let points = [];
    return {
      name: "region",
      cursor: "crosshair",
      down: ({ y, x }) => (points = [[y, x]]),
      move: ({ y, x }, _event, viewer) => {
        if (!points.length) return;
        const [lastY, lastX] = /** @type {number[]} */ (points.at(-1));
        if (Math.hypot(y - lastY, x - lastX) * viewer.camera.zoom < APART) return;
        points.push([y, x]);
        viewer.redraw();
      },
      up: () => {
        const drawn = points;
        points = [];
        this.#turnTool();
        if (drawn.length > 3)
          this.#name({ polygon: drawn.map((point) => point.map((each) => Number(each.toFixed(2)))) });
      },
      key: (event) => {
        if (event.key !== "Escape") return false;
        this.#turnTool();
        return true;
      },
      draw: (context, viewer) =>
        drawLine(
          context,
          points.map(([y, x]) => viewer.toScreen(y, x)),
        ),
    };
  }

  #takeView() {
    const { viewer } = this.#app;
    if (!viewer.image) return;
    const { left, top, right, bottom } = viewer.element.getBoundingClientRect();
    const [from, to] = [viewer.toImage(left, top), viewer.toImage(right, bottom)];
    const {
      header: { axes, shape },
    } = viewer.image;
    const within = (/** @type {number} */ value, /** @type {string} */ axis) =>
      Number(Math.min(shape[axes.indexOf(axis)], Math.max(0, value)).toFixed(2));
    this.#name({ rectangle: [within(from.y, "Y"), within(from.x, "X"), within(to.y, "Y"), within(to.x, "X")] });
  }

  /** @param {{polygon?: number[][], rectangle?: number[]}} form */
  async #name(form) {
    const image = this.#app.viewer.image?.id;
    if (!image || !(await this.isKnown())) return;
    const taken = new Set(this.here.map((region) => region.name));
    const free = Array.from({ length: 1000 }, (_, k) => `Region ${k + 1}`).find((name) => !taken.has(name)) ?? "Region";
    const name = await this.#app.askText({
      title: "New region",
      label: "Name",
      value: free,
      yes: "Add",
      help: "Regions of one name on several images are counted together.",
    });
    if (name === null) return;
    const region = { image, name, rectangle: form.rectangle ?? null, polygon: form.polygon ?? [] };
    await this.#change(image, (those) => [...those, region], `Added ${name}`);
  }

  /**
   * Change the regions of an image as they are by now: whoever else drew some keeps them.
   * @param {string} image @param {(those: Region[]) => Region[]} changed @param {string} text
   */
  async #change(image, changed, text) {
    const { openStudy: study } = this.#app;
    try {
      const those = changed(await study.get("regions", { image }));
      const regions = those.map(({ name, rectangle, polygon }) =>
        rectangle ? { name, rectangle } : { name, polygon },
      );
      await this.#app.undoable(study.put("regions", { image, regions }), text);
      if (!this.#closed) await this.load();
    } catch (error) {
      this.#app.error(error);
    }
  }
}

/** @param {Region} region @returns {number[][]} */
function corners({ rectangle, polygon }) {
  if (!rectangle) return polygon;
  const [top, left, bottom, right] = rectangle;
  return [
    [top, left],
    [top, right],
    [bottom, right],
    [bottom, left],
  ];
}

/** Return what says whether a place lies inside a polygon. @param {number[][]} points */
function insideOf(points) {
  return (/** @type {number} */ y, /** @type {number} */ x) => {
    let inside = false;
    for (let k = 0, last = points.length - 1; k < points.length; last = k++) {
      const [[y1, x1], [y2, x2]] = [points[k], points[last]];
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
    }
    return inside;
  };
}

/** @param {CanvasRenderingContext2D} context @param {{x: number, y: number}[]} points */
function drawLine(context, points) {
  if (points.length < 2) return;
  for (const [width, colour] of /** @type {[number, string][]} */ ([
    [4, "rgb(0 0 0 / 70%)"],
    [2, "#ffd54a"],
  ])) {
    Object.assign(context, { lineWidth: width, strokeStyle: colour });
    context.beginPath();
    points.forEach(({ x, y }, k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }
}
