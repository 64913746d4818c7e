/** Radial profiles: lines over the position in the cell, their errors, and where they peak. @module */
import { fill, h } from "../kernel/dom.js";
import { axisBelow, axisLeft, canvas, linear } from "./scale.js";

/** @typedef {{name: string, colour: string, points: [number, number][], errors?: number[], peak?: number|null}} Line */
/** @typedef {{lines: Line[], x: string, y: string, edge: number|null}} ProfileShown `edge`: where the cell ends. */

const MARGIN = { left: 58, right: 12, top: 10, bottom: 42 };

/** A plot of profiles. */
export class ProfilePlot {
  /** @type {ProfileShown} */
  #shown = { lines: [], x: "", y: "", edge: null };
  #height;
  #canvas;
  #legend = h("p.plot-legend");

  /** @param {string} label @param {{height?: number}} [how] */
  constructor(label, { height = 210 } = {}) {
    this.#height = height;
    this.#canvas = canvas({ label, height, draw: (svg, width) => this.#draw(svg, width) });
    this.element = h("div.profile-plot", {}, this.#canvas.element, this.#legend);
  }

  close() {
    this.#canvas.close();
  }

  /** What a picture of it needs, null while nothing is shown. */
  get figure() {
    const { svg, element } = this.#canvas;
    const { lines } = this.#shown;
    if (!lines.length || !element.clientWidth) return null;
    return { svg, keys: lines.map(({ name, colour }) => ({ name, colour })) };
  }

  /** @param {ProfileShown} shown */
  show(shown) {
    this.#shown = shown;
    fill(this.#legend, shown.lines.length > 1 && shown.lines.map(legendOf));
    this.#canvas.redraw();
  }

  /** @param {SVGElement} svg @param {number} width */
  #draw(svg, width) {
    const { lines, x: nameX, y: nameY, edge } = this.#shown;
    const values = lines
      .flatMap(({ points, errors }) =>
        points.flatMap(([, value], k) => [value - (errors?.[k] || 0), value + (errors?.[k] || 0)]),
      )
      .filter(Number.isFinite);
    if (!values.length) return void fill(svg);
    const places = lines.flatMap(({ points }) => points.map(([at]) => at));
    const x = linear(Math.min(...places), Math.max(...places), MARGIN.left, width - MARGIN.right);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const y = linear(
      low >= 0 && low < high / 2 ? 0 : low,
      high === low ? high + 1 : high,
      this.#height - MARGIN.bottom,
      MARGIN.top,
    );
    const inside = edge !== null && edge > x.low && edge < x.high;
    fill(
      svg,
      axisLeft(y, { x: MARGIN.left, to: width - MARGIN.right, name: nameY, count: 4 }),
      axisBelow(x, { y: this.#height - MARGIN.bottom, name: nameX }),
      inside && upright(x.of(edge), y, "plot-zero"),
      lines.map((line) => drawn(line, x, y)),
    );
  }
}

/** @param {Line} line */
function legendOf({ name, colour }) {
  const mark = h("span.plot-swatch");
  mark.style.background = colour;
  return h("span.plot-key", {}, mark, name);
}

/** @param {number} at @param {import("./scale.js").Scale} y @param {string} kind @param {string} [stroke] */
const upright = (at, y, kind, stroke) =>
  h("svg:line", { class: kind, x1: at, x2: at, y1: y.of(y.low), y2: y.of(y.high), stroke });

/** @param {Line} line @param {import("./scale.js").Scale} x @param {import("./scale.js").Scale} y */
function drawn({ points, errors, colour, peak }, x, y) {
  const there = points
    .map(([at, value], k) => ({ at, value, error: errors?.[k] ?? 0 }))
    .filter(({ value }) => Number.isFinite(value));
  const way = (/** @type {{at: number, value: number}[]} */ all) =>
    all.map(({ at, value }, k) => `${k ? "L" : "M"}${x.of(at).toFixed(1)} ${y.of(value).toFixed(1)}`).join("");
  const above = there.map(({ at, value, error }) => ({ at, value: value + error }));
  const below = there.map(({ at, value, error }) => ({ at, value: value - error })).reverse();
  return [
    errors &&
      there.length > 1 &&
      h("svg:path", { class: "plot-band", d: `${way([...above, ...below])}Z`, fill: colour }),
    h("svg:path", { class: "plot-curve", d: way(there), stroke: colour }),
    peak !== null && peak !== undefined && upright(x.of(peak), y, "plot-peak", colour),
  ];
}
