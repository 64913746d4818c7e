/** Curves over time or steps, as those of learning. @module */
import { fill, h } from "../kernel/dom.js";
import { swatch } from "./histogram.js";
import { GROUPS, axisBelow, axisLeft, canvas, linear } from "./scale.js";

/** @typedef {{name: string, points: [number, number][], dashed?: boolean}} Curve */
/**
 * @typedef {object} Shown
 * @property {Curve[]} curves
 * @property {string} x Name of the axis.
 * @property {string} y
 * @property {[number, number]} [rangeX] What the axis shows, whatever the points are.
 * @property {[number, number]} [rangeY]
 */

const MARGIN = { left: 54, right: 10, top: 10, bottom: 42 };

/** Curves that may grow while they are shown. */
export class Curves {
  /** @type {Shown} */
  #shown = { curves: [], x: "", y: "" };
  #height;
  #canvas;
  #legend = h("p.plot-legend");

  /** @param {string} label @param {{height?: number}} [how] */
  constructor(label, { height = 220 } = {}) {
    this.#height = height;
    this.#canvas = canvas({ label, height, draw: (svg, width) => this.#draw(svg, width) });
    this.element = h("div.curves", {}, this.#canvas.element, this.#legend);
  }

  close() {
    this.#canvas.close();
  }

  /** @param {Shown} shown */
  show(shown) {
    this.#shown = shown;
    fill(
      this.#legend,
      shown.curves.length > 1 &&
        shown.curves.map((curve, k) => curve.points.length > 0 && h("span.plot-key", {}, swatch(k), curve.name)),
    );
    this.#canvas.redraw();
  }

  /** @param {SVGElement} svg @param {number} width */
  #draw(svg, width) {
    const { curves, x: nameX, y: nameY, rangeX, rangeY } = this.#shown;
    const points = curves.flatMap((curve) => curve.points).filter(([, value]) => Number.isFinite(value));
    if (!points.length && !(rangeX && rangeY)) return void fill(svg);
    const [fromX, toX] =
      rangeX ??
      extent(
        points.map(([at]) => at),
        1e-9,
      );
    const [fromY, toY] =
      rangeY ??
      nearNought(
        extent(
          points.map(([, value]) => value),
          1,
        ),
      );
    const x = linear(fromX, toX, MARGIN.left, width - MARGIN.right);
    const y = linear(fromY, toY, this.#height - MARGIN.bottom, MARGIN.top);
    fill(
      svg,
      axisLeft(y, { x: MARGIN.left, to: width - MARGIN.right, name: nameY, count: 4 }),
      axisBelow(x, { y: this.#height - MARGIN.bottom, name: nameX }),
      curves.map((curve, k) => line(curve, k, x, y)),
    );
  }
}

/** @param {number[]} values @param {number} least Width where all are alike. @returns {[number, number]} */
function extent(values, least) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return [low, high === low ? high + least : high];
}

/** An axis begins at 0 if that is not far. @param {[number, number]} range @returns {[number, number]} */
const nearNought = ([low, high]) => [low >= 0 && low < high / 2 ? 0 : low, high];

/** @param {Curve} curve @param {number} k @param {import("./scale.js").Scale} x @param {import("./scale.js").Scale} y */
function line({ points, dashed }, k, x, y) {
  const there = points.filter(([, value]) => Number.isFinite(value));
  const colour = GROUPS[k % GROUPS.length];
  const d = there.map(([at, value], n) => `${n ? "L" : "M"}${x.of(at).toFixed(1)} ${y.of(value).toFixed(1)}`).join("");
  const last = there.at(-1);
  return [
    h("svg:path", { class: "plot-curve", d, stroke: colour, "stroke-dasharray": dashed ? "5 4" : null }),
    last && h("svg:circle", { cx: x.of(last[0]), cy: y.of(last[1]), r: 3.5, fill: colour }),
  ];
}
