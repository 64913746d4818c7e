/** A superplot (Lord et al. 2020): cells small, replicates large, conditions side by side. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { numberText } from "../table/words.js";
import { GROUPS, axisLeft, canvas, linear } from "./scale.js";

/** @typedef {{condition: string, replicate: string, value: number, key: any, name: string}} Dot A cell; `name`: what it is called. */
/** @typedef {{condition: string, replicate: string, value: number}} Replicate */
/** @typedef {{condition: string, mean: number|null, low: number|null, high: number|null}} Middle */
/**
 * @typedef {object} Shown
 * @property {string[]} conditions In order.
 * @property {Dot[]} dots
 * @property {Replicate[]} replicates
 * @property {Middle[]} middles
 * @property {string} name Of the values, with their unit.
 * @property {boolean} [paired] Whether lines join replicates of one name.
 */

const MARGIN = { left: 62, right: 12, top: 14, bottom: 30 };
const NEAR = 12;

/** Tells "cell" with the key of a dot that was clicked. */
export class Superplot extends Emitter {
  /** @type {Shown|null} */
  #shown = null;
  /** @type {{x: number, y: number, dot: Dot}[]} */
  #laid = [];
  #at = -1;
  #height;
  #canvas;
  #mark = h("svg:circle", { class: "plot-mark", r: 5, visibility: "hidden" });
  #tip = h("div.plot-tip", { hidden: true, role: "status" });
  #legend = h("p.plot-legend");

  /** @param {{height?: number}} [how] */
  constructor({ height = 340 } = {}) {
    super();
    this.#height = height;
    this.#canvas = canvas({ label: "Superplot", height, draw: (svg, width) => this.#draw(svg, width) });
    const { svg, element } = this.#canvas;
    element.append(this.#tip);
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "application");
    element.setAttribute("aria-label", "Superplot: arrows go from cell to cell, Enter shows the cell");
    element.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.#point(event));
    element.addEventListener("pointerleave", () => this.#goTo(-1));
    element.addEventListener("click", () => this.#open());
    element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    svg.setAttribute("aria-hidden", "true");
    this.element = h("div.superplot", {}, element, this.#legend);
  }

  close() {
    this.#canvas.close();
  }

  /** @param {Shown} shown */
  show(shown) {
    this.#shown = shown;
    const names = this.#replicates;
    fill(
      this.#legend,
      names.slice(0, 12).map((name, k) => h("span.plot-key", {}, key(k), name)),
      names.length > 12 && h("span.quiet-text", {}, `and ${names.length - 12} more`),
    );
    this.#canvas.redraw();
  }

  get #replicates() {
    const shown = /** @type {Shown} */ (this.#shown);
    return [...new Set([...shown.replicates, ...shown.dots].map((each) => each.replicate))].sort((a, b) =>
      a.localeCompare(b, undefined, { numeric: true }),
    );
  }

  /** @param {SVGElement} svg @param {number} width */
  #draw(svg, width) {
    const shown = this.#shown;
    if (!shown) return;
    const names = this.#replicates;
    const y = this.#scale(shown);
    const step = (width - MARGIN.left - MARGIN.right) / shown.conditions.length;
    const middle = (/** @type {string} */ condition) =>
      MARGIN.left + (shown.conditions.indexOf(condition) + 0.5) * step;
    const room = Math.min(step * 0.38, 110);
    this.#laid = shown.dots.map((dot, k) => ({
      dot,
      x: middle(dot.condition) + (noise(k) - 0.5) * 2 * room,
      y: y.of(dot.value),
    }));
    fill(
      svg,
      axisLeft(y, { x: MARGIN.left, to: width - MARGIN.right, name: shown.name }),
      this.#clouds(names),
      shown.paired && this.#pairs(shown, names, middle, y, room),
      shown.middles.map((each) => this.#middle(each, middle(each.condition), y, room)),
      shown.replicates.map((each) =>
        symbol(spread(each, names, middle, room), y.of(each.value), names.indexOf(each.replicate)),
      ),
      shown.conditions.map((name) =>
        h(
          "svg:text",
          { class: "plot-strong", x: middle(name), y: this.#height - 8, "text-anchor": "middle" },
          cut(name, step),
        ),
      ),
      this.#mark,
    );
  }

  /** @param {Shown} shown */
  #scale(shown) {
    const values = [
      ...shown.dots.map((dot) => dot.value),
      ...shown.replicates.map((each) => each.value),
      ...shown.middles.flatMap(({ low, high }) => [low, high]),
    ].filter((value) => value !== null && Number.isFinite(value));
    const [low, high] = values.reduce(
      ([least, most], value) => [Math.min(least, Number(value)), Math.max(most, Number(value))],
      [Infinity, -Infinity],
    );
    const edge = (high - low) * 0.05 || 1;
    const [from, to] = low > high ? [0, 1] : [low >= 0 ? Math.max(0, low - edge) : low - edge, high + edge];
    return linear(from, to, this.#height - MARGIN.bottom, MARGIN.top);
  }

  /** One path for the cells of each replicate: a round end of a line of no length is a dot. @param {string[]} names */
  #clouds(names) {
    return names.map((name, k) =>
      h("svg:path", {
        class: "plot-cells",
        stroke: GROUPS[k % GROUPS.length],
        d: this.#laid
          .filter(({ dot }) => dot.replicate === name)
          .map(({ x, y }) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`)
          .join(""),
      }),
    );
  }

  /**
   * @param {Shown} shown @param {string[]} names @param {(condition: string) => number} middle
   * @param {import("./scale.js").Scale} y @param {number} room
   */
  #pairs(shown, names, middle, y, room) {
    return names.map((name) => {
      const points = shown.conditions.flatMap((condition) =>
        shown.replicates.filter((each) => each.replicate === name && each.condition === condition),
      );
      return (
        points.length > 1 &&
        h("svg:path", {
          class: "plot-pair",
          d: points
            .map((each, k) => `${k ? "L" : "M"}${spread(each, names, middle, room)} ${y.of(each.value)}`)
            .join(""),
        })
      );
    });
  }

  /** @param {Middle} said @param {number} x @param {import("./scale.js").Scale} y @param {number} room */
  #middle({ mean, low, high }, x, y, room) {
    if (mean === null) return null;
    const bar = room * 0.6;
    const ends =
      low !== null &&
      high !== null &&
      `M${x} ${y.of(low)}V${y.of(high)}M${x - 6} ${y.of(low)}h12M${x - 6} ${y.of(high)}h12`;
    return h("svg:path", { class: "plot-middle", d: `M${x - bar} ${y.of(mean)}H${x + bar}${ends || ""}` });
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const { left, top } = this.#canvas.element.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    let [best, nearest] = [-1, NEAR * NEAR];
    this.#laid.forEach((each, k) => {
      const distance = (each.x - x) ** 2 + (each.y - y) ** 2;
      if (distance < nearest) [best, nearest] = [k, distance];
    });
    this.#goTo(best);
  }

  /** @param {number} at */
  #goTo(at) {
    this.#at = at;
    const laid = this.#laid[at];
    this.#tip.hidden = !laid;
    this.#mark.setAttribute("visibility", laid ? "visible" : "hidden");
    this.#canvas.element.style.cursor = laid ? "pointer" : "";
    if (!laid) return;
    this.#mark.setAttribute("cx", String(laid.x));
    this.#mark.setAttribute("cy", String(laid.y));
    fill(
      this.#tip,
      h("strong.number", {}, numberText(laid.dot.value)),
      h("span", {}, laid.dot.name),
      h("span.quiet-text", {}, `${laid.dot.condition}, ${laid.dot.replicate}`),
    );
    const right = laid.x > this.#canvas.element.clientWidth - 190;
    Object.assign(this.#tip.style, {
      left: right ? "" : `${laid.x + 12}px`,
      right: right ? `${this.#canvas.element.clientWidth - laid.x + 12}px` : "",
      top: `${Math.max(0, laid.y - 20)}px`,
    });
  }

  #open() {
    const laid = this.#laid[this.#at];
    if (laid) this.tell("cell", laid.dot.key);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Enter") return this.#open();
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || !this.#laid.length) return;
    event.preventDefault();
    this.#goTo((this.#at + by + this.#laid.length) % this.#laid.length);
  }
}

/** Numbers that look random and are always the same. @param {number} k */
function noise(k) {
  const value = Math.sin(k * 12.9898 + 4.1) * 43758.5453;
  return value - Math.floor(value);
}

/** Replicates stand beside each other. @param {Replicate} each @param {string[]} names @param {(condition: string) => number} middle @param {number} room */
function spread(each, names, middle, room) {
  const part = names.length > 1 ? names.indexOf(each.replicate) / (names.length - 1) - 0.5 : 0;
  return middle(each.condition) + part * room;
}

/** Large symbols of different form, so that colour is not needed to tell them apart. @param {number} x @param {number} y @param {number} k */
function symbol(x, y, k) {
  const said = { class: "plot-replicate", fill: GROUPS[k % GROUPS.length] };
  const form = k % 4;
  if (form === 0) return h("svg:circle", { ...said, cx: x, cy: y, r: 7 });
  if (form === 1) return h("svg:rect", { ...said, x: x - 6, y: y - 6, width: 12, height: 12 });
  if (form === 2) return h("svg:path", { ...said, d: `M${x} ${y - 8}l8 14h-16z` });
  return h("svg:path", { ...said, d: `M${x} ${y - 8}l8 8l-8 8l-8 -8z` });
}

/** The symbol of a replicate, for the legend. @param {number} k */
const key = (k) =>
  h("svg:svg", { class: "plot-symbol", viewBox: "-10 -10 20 20", "aria-hidden": "true" }, symbol(0, 0, k));

/** @param {string} text @param {number} width */
const cut = (text, width) =>
  text.length * 7 > width ? `${text.slice(0, Math.max(3, Math.floor(width / 7) - 1))}…` : text;
