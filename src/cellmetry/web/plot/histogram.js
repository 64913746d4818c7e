/** A histogram with a gate: two ends that are dragged, or moved by the keyboard. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { numberText } from "../table/words.js";
import { GROUPS, axisBelow, axisLeft, canvas, linear } from "./scale.js";

/** @typedef {{value: any, rows: number, counts: number[]}} Group */
/** @typedef {{total: number, low: number|null, high: number|null, groups: Group[]}} Summary */

const MARGIN = { left: 44, right: 10, top: 10, bottom: 40 };
const HEIGHT = 168;

/** Tells "gate" {low, high} (null: open) while it moves, and "gated" when it was let go. */
export class Histogram extends Emitter {
  /** @type {Summary|null} */
  #all = null;
  /** @type {Summary|null} */
  #kept = null;
  #name = "";
  /** @type {[number|null, number|null]} */
  #gate = [null, null];
  /** @type {import("./scale.js").Scale|null} */
  #x = null;
  #canvas = canvas({ label: "Histogram", height: HEIGHT, draw: (svg, width) => this.#draw(svg, width) });
  #handles = [0, 1].map((end) => this.#handle(end));
  #legend = h("p.plot-legend");

  constructor() {
    super();
    this.#canvas.element.append(...this.#handles);
    this.element = h("div.histogram", {}, this.#canvas.element, this.#legend);
  }

  close() {
    this.#canvas.close();
  }

  /**
   * Show how values are spread.
   * @param {{all: Summary, kept?: Summary|null, name: string, gate?: [number|null, number|null]}} said `all`: in groups;
   *   `kept`: those that meet the filters, drawn strongly; `name`: of the values, with their unit.
   */
  show({ all, kept = null, name, gate = this.#gate }) {
    [this.#all, this.#kept, this.#name, this.#gate] = [all, kept, name, gate];
    this.#canvas.svg.setAttribute("aria-label", `Histogram of ${name}, ${all.total} values`);
    const many = all.groups.length > 1;
    fill(
      this.#legend,
      many &&
        all.groups
          .slice(0, GROUPS.length)
          .map((group, k) =>
            h(
              "span.plot-key",
              {},
              swatch(k),
              String(group.value ?? "nothing said"),
              h("span.quiet-text.number", {}, ` ${group.rows.toLocaleString("en")}`),
            ),
          ),
    );
    this.#canvas.redraw();
  }

  /** @param {SVGElement} svg @param {number} width */
  #draw(svg, width) {
    const all = this.#all;
    if (!all || all.low === null || all.high === null) return void fill(svg);
    const groups = all.groups.slice(0, GROUPS.length);
    const most = Math.max(1, ...groups.flatMap((group) => group.counts));
    const [low, high] = all.low === all.high ? [all.low - 0.5, all.low + 0.5] : [all.low, all.high];
    const x = (this.#x = linear(low, high, MARGIN.left, width - MARGIN.right));
    const y = linear(0, most, HEIGHT - MARGIN.bottom, MARGIN.top);
    const faint = groups.map((group, k) =>
      bars(group.counts, x, y, k, this.#kept ? "plot-faint" : groups.length > 1 ? "plot-over" : ""),
    );
    const strong =
      this.#kept?.groups
        .slice(0, GROUPS.length)
        .map((group) => bars(group.counts, x, y, this.#place(group), groups.length > 1 ? "plot-over" : "")) ?? [];
    fill(
      svg,
      axisLeft(y, { x: MARGIN.left, to: width - MARGIN.right, count: 3 }),
      faint,
      strong,
      this.#shade(x, y),
      axisBelow(x, { y: HEIGHT - MARGIN.bottom, name: this.#name, count: Math.max(2, Math.floor(width / 80)) }),
    );
    this.#layHandles();
  }

  /** A group keeps its colour when filters leave others out. @param {Group} group */
  #place(group) {
    return Math.max(0, this.#all?.groups.findIndex((each) => each.value === group.value) ?? 0);
  }

  /** @param {import("./scale.js").Scale} x @param {import("./scale.js").Scale} y */
  #shade(x, y) {
    const [low, high] = this.#ends;
    const [top, height] = [y.of(y.high), y.of(0) - y.of(y.high)];
    return [
      [x.low, low],
      [high, x.high],
    ]
      .filter(([from, to]) => to > from)
      .map(([from, to]) =>
        h("svg:rect", { class: "plot-shade", x: x.of(from), width: x.of(to) - x.of(from), y: top, height }),
      );
  }

  get #ends() {
    const x = /** @type {import("./scale.js").Scale} */ (this.#x);
    const within = (/** @type {number} */ value) => Math.min(x.high, Math.max(x.low, value));
    return [within(this.#gate[0] ?? x.low), within(this.#gate[1] ?? x.high)];
  }

  #layHandles() {
    const x = this.#x;
    if (!x) return;
    this.#ends.forEach((value, end) => {
      const handle = this.#handles[end];
      handle.style.transform = `translateX(${x.of(value)}px)`;
      handle.setAttribute("aria-valuemin", String(x.low));
      handle.setAttribute("aria-valuemax", String(x.high));
      handle.setAttribute("aria-valuenow", String(value));
      handle.setAttribute("aria-valuetext", this.#gate[end] === null ? "open" : numberText(value));
      handle.dataset.open = String(this.#gate[end] === null);
    });
  }

  /** @param {number} end */
  #handle(end) {
    const handle = h("div.plot-handle", {
      role: "slider",
      tabindex: 0,
      "aria-valuenow": 0,
      "aria-label": end ? "Upper end of the gate" : "Lower end of the gate",
      title: "Drag to keep only what lies between",
    });
    handle.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) =>
      handle.setPointerCapture(event.pointerId),
    );
    handle.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!handle.hasPointerCapture(event.pointerId) || !this.#x) return;
      this.#move(end, this.#x.back(event.clientX - this.#canvas.element.getBoundingClientRect().left));
    });
    handle.addEventListener("pointerup", () => this.tell("gated", this.#said));
    handle.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event, end));
    handle.addEventListener("dblclick", () => this.#open(end));
    return handle;
  }

  /** @param {number} end @param {number} value */
  #move(end, value) {
    const x = /** @type {import("./scale.js").Scale} */ (this.#x);
    const other = this.#ends[1 - end];
    const free = end ? Math.max(other, value) : Math.min(other, value);
    const beyond = end ? free >= x.high : free <= x.low;
    this.#gate[end] = beyond ? null : Number(free.toPrecision(4));
    this.#canvas.redraw();
    this.tell("gate", this.#said);
  }

  /** @param {number} end */
  #open(end) {
    this.#gate[end] = null;
    this.#canvas.redraw();
    this.tell("gated", this.#said);
  }

  /** @param {KeyboardEvent} event @param {number} end */
  #key(event, end) {
    const x = this.#x;
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!x || !by) return;
    event.preventDefault();
    this.#move(end, this.#ends[end] + (by * (x.high - x.low)) / 100);
    this.tell("gated", this.#said);
  }

  get #said() {
    return { low: this.#gate[0], high: this.#gate[1] };
  }
}

/** @param {number} k */
export function swatch(k) {
  const mark = h("span.plot-swatch");
  mark.style.background = GROUPS[k % GROUPS.length];
  return mark;
}

/**
 * @param {number[]} counts @param {import("./scale.js").Scale} x @param {import("./scale.js").Scale} y
 * @param {number} k @param {string} kind
 */
function bars(counts, x, y, k, kind) {
  const width = (x.of(x.high) - x.of(x.low)) / counts.length;
  const d = counts
    .map((count, at) =>
      count
        ? `M${(x.of(x.low) + at * width).toFixed(1)} ${y.of(0)}v${(y.of(count) - y.of(0)).toFixed(1)}h${Math.max(0.5, width - 1).toFixed(1)}V${y.of(0)}z`
        : "",
    )
    .join("");
  return h("svg:path", { class: `plot-bars ${kind}`, d, fill: GROUPS[k % GROUPS.length] });
}
