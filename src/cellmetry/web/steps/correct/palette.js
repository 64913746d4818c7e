/** The palette of tools and what can be chosen for them. @module */
import { fill, h } from "../../kernel/dom.js";
import { slider } from "../../controls/range.js";
import { iconOf, toolNamed, TOOLS } from "../../viewer/tools/all.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../viewer/tools/bench.js").Bench} Bench */
/** @typedef {import("../../viewer/tools/all.js").Kind} Kind */

const GROUP = "Tools";
const CHECKS = {
  over: "Paint over other cells",
  only: "Only the cell in which I begin",
  partly: "Also cells that are only partly inside",
};

/** @type {Record<string, string>} */
const ELSEWHERE = {
  side: "Tools work in the left view; the right one is to compare.",
  split: "Tools work left of the line; the view on its right is to compare. Move the line, or choose One view.",
};

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
  #plane = "";
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
    this.#offs = [
      ...this.#keys(),
      app.viewer.on("shown", () => this.#look()),
      app.viewer.on("elsewhere", (/** @type {string} */ mode) => app.toast(ELSEWHERE[mode] ?? "")),
      bench.on("choices", ({ size }) => this.#set.size(size)),
      bench.on("asking", (asking) => this.#wait(asking)),
    ];
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

  /** What is begun on one plane is not ended on another. */
  #look() {
    const { labels, t, z } = this.#app.viewer;
    const plane = `${labels} ${t} ${z}`;
    if (plane !== this.#plane) this.#tool?.cancel?.();
    this.#plane = plane;
  }

  /** @param {Kind} kind */
  #show(kind) {
    fill(this.#hint, kind.hint);
    this.#cells.hidden = kind.make !== null;
    fill(
      this.#options,
      kind.options.map((option) => this.#option(option)),
    );
  }

  /** @param {boolean} asking Whether a cell is being looked for. */
  #wait(asking) {
    const said = h("p.row", { role: "status" }, h("span.spinner.small-spinner"), "Looking for a cell…");
    fill(this.#options, asking && said);
  }

  /** @param {Kind} kind */
  #button(kind) {
    const locked = Boolean(this.#app.openStudy.readOnly) && kind.make !== null;
    const key = kind.key.toUpperCase();
    const said = {
      type: "button",
      dataset: { tool: kind.name },
      title: `${kind.title} (${key}): ${kind.hint}`,
      disabled: locked,
      "aria-keyshortcuts": kind.key,
      onclick: () => this.choose(kind.name),
    };
    const mark = h("span.correct-key", { "aria-hidden": "true" }, key);
    return h("button.correct-tool", said, iconOf(kind), h("span.correct-tool-name", {}, kind.title), mark);
  }

  /** @param {import("../../viewer/tools/all.js").Option} option */
  #option(option) {
    if (option === "size") return this.#size();
    if (option === "pixels") return this.#slider("By", "pixels", 20).element;
    const choose = () => this.#bench.choose({ [option]: box.checked });
    const box = h("input", { type: "checkbox", checked: this.#bench.choices[option], onchange: choose });
    return h("label.check", {}, box, CHECKS[option]);
  }

  #size() {
    const part = this.#slider("Size", "size", 100);
    this.#set.size = (size) => part.set(size);
    return part.element;
  }

  /** @param {string} label @param {"size"|"pixels"} name @param {number} max */
  #slider(label, name, max) {
    const oninput = (/** @type {number} */ value) => this.#bench.choose({ [name]: value });
    return slider({ label, min: 1, max, value: this.#bench.choices[name], show: (value) => `${value} px`, oninput });
  }

  #keys() {
    const { shortcuts, openStudy } = this.#app;
    const when = () => !openStudy.readOnly;
    const how = { group: GROUP, when };
    const chosen = TOOLS.map((kind) => shortcuts.bind(kind.key, kind.title, () => this.choose(kind.name), how));
    const take = () => !isButton() && Boolean(this.#tool?.confirm?.());
    const offers = () => this.#tool?.offers || this.#kind.name === "watershed";
    return [
      ...chosen,
      shortcuts.bind("[", "Smaller pen (or Alt+wheel)", () => this.#bench.resize(-1), { group: GROUP, when }),
      shortcuts.bind("]", "Larger pen", () => this.#bench.resize(1), { group: GROUP, when }),
      shortcuts.bind("Enter", "Take what is proposed", take, { group: GROUP, when: offers }),
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
