/** The palette of tools and what can be chosen for them. @module */
import { fill, h } from "../kernel/dom.js";
import { slider } from "../controls/range.js";
import { iconOf, toolNamed, TOOLS } from "../viewer/tools/all.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("../viewer/tools/bench.js").Bench} Bench */
/** @typedef {import("../viewer/tools/all.js").Kind} Kind */

const GROUP = "Tools";

/** Chooses the tool of the viewer; the address keeps which. */
export class Palette {
  #app;
  #bench;
  #buttons;
  #hint = h("p.correct-hint");
  #options = h("div.correct-options");
  #cells;
  /** @type {any} */
  #tool = null;
  #kind = TOOLS[0];
  #offs;
  #set = { size: (/** @type {number} */ _) => {} };

  /** @param {App} app @param {Bench} bench @param {HTMLElement} cells What can be done with selected cells. */
  constructor(app, bench, cells) {
    this.#app = app;
    this.#cells = cells;
    this.#bench = bench;
    this.#buttons = TOOLS.map((kind) => this.#button(kind));
    const grid = h("div.correct-tools", { role: "group", "aria-label": "Tools" }, this.#buttons);
    this.element = h("div.stack", {}, grid, h("div.correct-chosen", {}, this.#hint, cells, this.#options));
    this.#offs = [...this.#keys(), bench.on("choices", ({ size }) => this.#set.size(size))];
    this.choose(app.place.get("tool") ?? "select");
  }

  close() {
    this.#tool?.cancel?.();
    for (const off of this.#offs) off();
    this.#app.viewer.setTool(null);
  }

  /** The tool that is chosen; null while cells are selected. */
  get tool() {
    return this.#tool;
  }

  /** @param {string} name */
  choose(name) {
    this.#tool?.cancel?.();
    const kind = (this.#kind = this.#app.openStudy.readOnly ? TOOLS[0] : toolNamed(name));
    this.#tool = kind.make ? new kind.make(this.#bench) : null;
    this.#app.viewer.setTool(this.#tool);
    this.#app.place.note({ tool: kind === TOOLS[0] ? null : kind.name });
    for (const button of this.#buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === kind.name));
    this.#show(kind);
  }

  /** @param {Kind} kind */
  #show(kind) {
    fill(this.#hint, kind.hint);
    this.#cells.hidden = kind.make !== null;
    fill(this.#options, kind.options.map((option) => this.#option(option)));
  }

  /** @param {Kind} kind */
  #button(kind) {
    const locked = Boolean(this.#app.openStudy.readOnly) && kind.make !== null;
    const button = h("button.correct-tool", { type: "button", dataset: { tool: kind.name }, title: `${kind.title} (${kind.key.toUpperCase()}): ${kind.hint}`,
      disabled: locked, "aria-keyshortcuts": kind.key, onclick: () => this.choose(kind.name) },
    iconOf(kind), h("span.correct-tool-name", {}, kind.title), h("span.correct-key", { "aria-hidden": "true" }, kind.key.toUpperCase()));
    return button;
  }

  /** @param {import("../viewer/tools/all.js").Option} option */
  #option(option) {
    const { choices } = this.#bench;
    if (option === "size") return this.#size();
    if (option === "pixels")
      return slider({ label: "By", min: 1, max: 20, value: choices.pixels, show: (value) => `${value} px`, oninput: (pixels) => this.#bench.choose({ pixels }) }).element;
    const text = { over: "Paint over other cells", only: "Only the cell in which I begin", partly: "Also cells that are only partly inside" }[option];
    const box = h("input", { type: "checkbox", checked: choices[option], onchange: () => this.#bench.choose({ [option]: box.checked }) });
    return h("label.check", {}, box, text);
  }

  #size() {
    const { choices } = this.#bench;
    const part = slider({ label: "Size", min: 1, max: 100, value: choices.size, show: (value) => `${value} px`, oninput: (size) => this.#bench.choose({ size }) });
    this.#set.size = (size) => part.set(size);
    return part.element;
  }

  #keys() {
    const { shortcuts, openStudy } = this.#app;
    const when = () => !openStudy.readOnly;
    const chosen = TOOLS.map((kind) => shortcuts.bind(kind.key, kind.title, () => this.choose(kind.name), { group: GROUP, when }));
    const offers = () => this.#tool?.offers || this.#kind.name === "watershed";
    return [
      ...chosen,
      shortcuts.bind("[", "Smaller pen (or Alt+wheel)", () => this.#bench.resize(-1), { group: GROUP, when }),
      shortcuts.bind("]", "Larger pen", () => this.#bench.resize(1), { group: GROUP, when }),
      shortcuts.bind("Enter", "Take what is proposed", () => !isButton() && Boolean(this.#tool?.confirm?.()), { group: GROUP, when: offers }),
      shortcuts.bind("Escape", "Leave the stroke; then the tool", () => this.#leave(), { group: GROUP, when }),
    ];
  }

  #leave() {
    if (this.#tool?.cancel?.()) return true;
    if (!this.#tool) return false;
    this.choose("select");
    return true;
  }
}

const isButton = () => document.activeElement instanceof HTMLButtonElement;
