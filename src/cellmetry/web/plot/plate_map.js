/** Maps of plates of 6 to 1536 wells, coloured by words or by values; wells are painted by dragging. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { colourAt } from "../viewer/palette.js";
import { GROUPS } from "./scale.js";

/** @typedef {{well: string, text?: string|null, value?: number|null, note?: string}} Well */

/** Rows and columns of plates. @type {Record<number, [number, number]>} */
const PLATES = { 6: [2, 3], 12: [3, 4], 24: [4, 6], 48: [6, 8], 96: [8, 12], 384: [16, 24], 1536: [32, 48] };

/** Row and column of a well, from 0: "B03" is [1, 2]; null if it is none. @param {string} name @returns {[number, number]|null} */
export function placeOfWell(name) {
  const found = /^([A-Za-z]{1,2})0*(\d{1,2})$/.exec(name.trim());
  if (!found) return null;
  const row = [...found[1].toUpperCase()].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  return row < 32 && Number(found[2]) >= 1 && Number(found[2]) <= 48 ? [row, Number(found[2]) - 1] : null;
}

/** Name of a row: 0 is A, 26 is AA. @param {number} row */
const rowName = (row) =>
  (row >= 26 ? String.fromCharCode(64 + Math.floor(row / 26)) : "") + String.fromCharCode(65 + (row % 26));

/** The smallest plate that has all these wells. @param {string[]} wells */
function plateFor(wells) {
  const places = wells.map(placeOfWell).filter((place) => place !== null);
  const sizes = Object.keys(PLATES)
    .map(Number)
    .sort((a, b) => a - b);
  return (
    sizes.find((size) => places.every((place) => place[0] < PLATES[size][0] && place[1] < PLATES[size][1])) ?? 1536
  );
}

/** Tells "paint" with the names of wells, once the pointer was let go; "open" with one that was double-clicked. */
export class PlateMap extends Emitter {
  /** @type {Map<string, Well>} By row and column. */
  #wells = new Map();
  /** @type {string[]} */
  #words = [];
  /** @type {Set<string>|null} */
  #painted = null;
  #svg = h("svg:svg", { class: "plot plate-map", role: "grid", "aria-label": "Plate map" });
  #size = 96;

  constructor() {
    super();
    this.element = h("div.plate-host", {}, this.#svg);
    this.#svg.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#down(event));
    this.#svg.addEventListener(
      "pointermove",
      (/** @type {PointerEvent} */ event) =>
        this.#painted && this.#over(document.elementFromPoint(event.clientX, event.clientY)),
    );
    this.#svg.addEventListener("pointerup", () => this.#up());
    this.#svg.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
  }

  /**
   * Show wells.
   * @param {{wells: Well[], words?: string[], size?: number}} said `words`: in the order of their colours.
   */
  show({
    wells,
    words = [...new Set(wells.map((well) => well.text).filter((text) => typeof text === "string"))],
    size = plateFor(wells.map((well) => well.well)),
  }) {
    this.#words = words;
    this.#size = size;
    this.#wells = new Map(
      wells.flatMap((well) => {
        const place = placeOfWell(well.well);
        return place ? [[place.join(), well]] : [];
      }),
    );
    this.#draw();
  }

  #draw() {
    const [rows, columns] = PLATES[this.#size];
    const cell = 20;
    const values = [...this.#wells.values()].map((well) => well.value).filter((value) => typeof value === "number");
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const of = (/** @type {Well|undefined} */ well) =>
      !well
        ? null
        : typeof well.value === "number"
          ? colourAt("viridis", (well.value - low) / (high - low || 1))
          : well.text
            ? colourOf(this.#words, well.text)
            : null;
    this.#svg.setAttribute("viewBox", `0 0 ${(columns + 1) * cell} ${(rows + 1) * cell}`);
    this.#svg.style.maxWidth = `${(columns + 1) * (columns > 24 ? 22 : columns > 12 ? 30 : 40)}px`;
    const names = [
      ...Array.from({ length: columns }, (_, k) =>
        h("svg:text", { x: (k + 1.5) * cell, y: 13, "text-anchor": "middle" }, k + 1),
      ),
      ...Array.from({ length: rows }, (_, k) =>
        h("svg:text", { x: 9, y: (k + 1.5) * cell + 4, "text-anchor": "middle" }, rowName(k)),
      ),
    ];
    const lines = Array.from({ length: rows }, (_, row) =>
      h(
        "svg:g",
        { role: "row" },
        Array.from({ length: columns }, (__, column) => this.#well(row, column, cell, of)),
      ),
    );
    fill(this.#svg, names, lines);
  }

  /** @param {number} row @param {number} column @param {number} cell @param {(well: Well|undefined) => string|null} of */
  #well(row, column, cell, of) {
    const name = `${rowName(row)}${column + 1}`;
    const well = this.#wells.get(`${row},${column}`);
    const colour = of(well);
    const text = well
      ? `${name}: ${well.text ?? well.value ?? "nothing said"}${well.note ? `, ${well.note}` : ""}`
      : `${name}: no image`;
    const circle = h("svg:circle", {
      class: `plate-well${well ? "" : " plate-none"}${colour ? "" : " plate-plain"}`,
      cx: (column + 1.5) * cell,
      cy: (row + 1.5) * cell,
      r: cell * 0.41,
      role: "gridcell",
      tabindex: well ? 0 : null,
      "aria-label": text,
      "data-well": well?.well ?? null,
      fill: colour,
    });
    circle.append(h("svg:title", {}, text));
    if (well) circle.addEventListener("dblclick", () => this.tell("open", well.well));
    return circle;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.#painted = new Set();
    this.#svg.setPointerCapture(event.pointerId);
    this.#over(/** @type {Element} */ (event.target));
  }

  /** @param {Element|null} element */
  #over(element) {
    const well = element?.getAttribute("data-well");
    if (!well) return;
    this.#painted?.add(well);
    element?.classList.add("plate-painted");
  }

  #up() {
    const wells = [...(this.#painted ?? [])];
    this.#painted = null;
    if (wells.length) this.tell("paint", wells);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const well = /** @type {Element} */ (event.target).getAttribute("data-well");
    if (!well || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    this.tell("paint", [well]);
  }
}

/** Colour of a word among all. @param {string[]} words @param {string} word */
export const colourOf = (words, word) => GROUPS[Math.max(0, words.indexOf(word)) % GROUPS.length];
