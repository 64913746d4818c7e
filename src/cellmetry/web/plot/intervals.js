/** Estimates with their intervals on one axis, a row each. @module */
import { fill, h } from "../kernel/dom.js";
import { axisBelow, canvas, linear } from "./scale.js";

/** @typedef {{name: string, value: number|null, low: number|null, high: number|null}} Estimate */

const ROW = 34;
const MARGIN = { right: 16, bottom: 42 };
const [LETTER, GAP, SHARE] = [7.8, 14, 0.42];

/**
 * Return a plot of estimates.
 * @param {Estimate[]} estimates
 * @param {{name: string, zero?: number}} said `zero`: where there is no difference.
 */
export function intervalPlot(estimates, { name, zero = 0 }) {
  const height = estimates.length * ROW + MARGIN.bottom + 6;
  const numbers = [zero, ...estimates.flatMap(({ value, low, high }) => [value, low, high])].filter(
    (each) => each !== null,
  );
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const edge = (most - least) * 0.06 || 1;
  const label = `${name}: ${estimates.map((each) => `${each.name} ${each.value ?? "not estimated"}`).join(", ")}`;
  return canvas({
    label,
    height,
    draw: (svg, width) => {
      const longest = Math.max(...estimates.map((each) => each.name.length));
      const left = Math.min(width * SHARE, longest * LETTER + 2 * GAP);
      const x = linear(least - edge, most + edge, left, width - MARGIN.right);
      const letters = Math.floor((left - 2 * GAP) / LETTER + 0.01);
      const rows = estimates.map((each, k) => row({ ...each, name: cut(each.name, letters) }, x, 6 + (k + 0.5) * ROW));
      fill(
        svg,
        h("svg:line", { class: "plot-zero", x1: x.of(zero), x2: x.of(zero), y1: 2, y2: height - MARGIN.bottom }),
        rows,
        axisBelow(x, { y: height - MARGIN.bottom, name, count: 5 }),
      );
    },
  });
}

/** @param {string} text @param {number} letters */
const cut = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);

/** @param {Estimate} each @param {import("./scale.js").Scale} x @param {number} y */
function row({ name, value, low, high }, x, y) {
  return h(
    "svg:g",
    {},
    h("svg:text", { class: "plot-strong", x: x.of(x.low) - GAP, y: y + 4, "text-anchor": "end" }, name),
    low !== null &&
      high !== null &&
      h("svg:line", { class: "plot-interval", x1: x.of(low), x2: x.of(high), y1: y, y2: y }),
    value !== null && h("svg:circle", { class: "plot-estimate", cx: x.of(value), cy: y, r: 5.5 }),
  );
}
