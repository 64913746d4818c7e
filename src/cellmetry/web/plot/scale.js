/** Scales and axes of plots in SVG. @module */
import { h } from "../kernel/dom.js";
import { numberText } from "../table/words.js";

/** Colours of groups, after Okabe and Ito; told apart by colour-blind readers, with contrast on dark and light. */
export const GROUPS = ["#0f8fd6", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#7a7fe0", "#00a3a3", "#8a8f98"];

/** @typedef {{of: (value: number) => number, back: (at: number) => number, low: number, high: number}} Scale */

/**
 * Return a linear scale.
 * @param {number} low @param {number} high @param {number} from @param {number} to In pixels.
 * @returns {Scale}
 */
export function linear(low, high, from, to) {
  const span = high - low || 1;
  return {
    low,
    high,
    of: (value) => from + ((value - low) / span) * (to - from),
    back: (at) => low + ((at - from) / (to - from)) * span,
  };
}

/**
 * Return round numbers within a range, about as many as wanted.
 * @param {number} low @param {number} high @param {number} [count]
 */
function ticks(low, high, count = 5) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const steps = [10, 5, 2, 1, 0.5, 0.2].map((each) => each * power);
  const within = (/** @type {number} */ step) => {
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) =>
      Number(((first + k) * step).toPrecision(12)),
    );
  };
  const fitting = steps.filter((step) => step >= rough * (1 - 1e-9)).at(-1) ?? steps[0];
  const found = within(fitting);
  // One number alone tells no scale.
  return found.length > 1 ? found : within(steps[steps.indexOf(fitting) + 1]);
}

/** @param {number} value */
const text = (value) =>
  Math.abs(value) >= 1e4 && Math.abs(value) < 1e7
    ? `${Number((value / 1000).toPrecision(4))}k`
    : numberText(value, 3)
        .replace(/(\.\d*?)0+$/, "$1")
        .replace(/\.$/, "");

/**
 * Return a horizontal axis with numbers and a name.
 * @param {Scale} scale @param {{y: number, name: string, count?: number}} said
 */
export function axisBelow(scale, { y, name, count = 5 }) {
  const [from, to] = [scale.of(scale.low), scale.of(scale.high)];
  return h(
    "svg:g",
    { class: "plot-axis" },
    h("svg:line", { x1: from, x2: to, y1: y, y2: y }),
    ticks(scale.low, scale.high, count).map((value) => [
      h("svg:line", { x1: scale.of(value), x2: scale.of(value), y1: y, y2: y + 4 }),
      h("svg:text", { x: scale.of(value), y: y + 16, "text-anchor": "middle" }, text(value)),
    ]),
    h("svg:text", { class: "plot-name", x: (from + to) / 2, y: y + 33, "text-anchor": "middle" }, name),
  );
}

/**
 * Return a vertical axis with numbers, lines across, and a name.
 * @param {Scale} scale @param {{x: number, to?: number, name?: string, count?: number}} said `to`: where lines across end.
 */
export function axisLeft(scale, { x, to, name = "", count = 5 }) {
  const [bottom, top] = [scale.of(scale.low), scale.of(scale.high)];
  return h(
    "svg:g",
    { class: "plot-axis" },
    ticks(scale.low, scale.high, count).map((value) => [
      to !== undefined &&
        h("svg:line", { class: "plot-grid", x1: x, x2: to, y1: scale.of(value), y2: scale.of(value) }),
      h("svg:text", { x: x - 6, y: scale.of(value) + 4, "text-anchor": "end" }, text(value)),
    ]),
    h("svg:line", { x1: x, x2: x, y1: bottom, y2: top }),
    name &&
      h(
        "svg:text",
        { class: "plot-name", transform: `translate(12 ${(bottom + top) / 2}) rotate(-90)`, "text-anchor": "middle" },
        name,
      ),
  );
}

/**
 * Return an element of SVG that fills its width, drawn again when that changes.
 * @param {{label: string, height: number, draw: (svg: SVGElement, width: number, height: number) => void}} said
 * @returns {{element: HTMLElement, svg: SVGElement, redraw: () => void, close: () => void}}
 */
export function canvas({ label, height, draw }) {
  const svg = h("svg:svg", { class: "plot", role: "img", "aria-label": label, height });
  const element = h("div.plot-host", {}, svg);
  element.style.height = `${height}px`;
  const redraw = () => {
    const width = element.clientWidth;
    if (!width) return;
    svg.setAttribute("width", String(width));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    draw(svg, width, height);
  };
  const watch = new ResizeObserver(redraw);
  watch.observe(element);
  return { element, svg, redraw, close: () => watch.disconnect() };
}
