/** Settings of a quantification that are at hand: those that come with the app, and a person's own. @module */
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { noteTaste, taste } from "../../app/tastes.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{name: string, asked: Record<string, any>}} Preset Parameters of a job `quantify`, without channels. */

const OWN = "dual.presets";
const DARK = { background: "dark:5" };
const PROGRAM = { saturation: "254" };
const PROFILE = { profile: "5:1", profile_range: [0, 150], smooth: [5, 2] };
const PEAKS = { peaks: "first_local_top", peak_range: [60, 100] };

/** @type {Preset[]} */
const SHIPPED = [
  { name: "Whole cells", asked: { plan: { target: DARK, reference: DARK } } },
  {
    name: "Rim of the cell, 90–100 %",
    asked: { plan: { target: DARK, reference: DARK, radial: "90:100", ...PROFILE, ...PEAKS } },
  },
  {
    name: "Membrane, ± 0.5 µm",
    asked: {
      plan: { target: DARK, reference: DARK, radial: "-0.5:0.5um", profile: "0.5:0.1um", profile_range: [-5, 2] },
    },
  },
  {
    name: "Bright parts of each cell",
    asked: { plan: { target: { ...DARK, mask: "per_cell_otsu" }, reference: { ...DARK, mask: "per_cell_otsu" } } },
  },
  { name: "Whole cells, nothing taken off", asked: { plan: {} } },
  {
    name: "DualCellQuant: as it opens",
    asked: {
      rules: "dualcellquant",
      plan: {
        target: PROGRAM,
        reference: PROGRAM,
        epsilon: 1e-6,
        radial: "0:100",
        profile: "10:5",
        profile_range: [0, 150],
        smooth: [5, 2],
      },
    },
  },
  {
    name: "DualCellQuant: its published pipeline",
    asked: {
      rules: "dualcellquant",
      plan: {
        target: { ...PROGRAM, ...DARK },
        reference: { ...PROGRAM, ...DARK },
        epsilon: 1e-6,
        radial: "90:100",
        ...PROFILE,
        ...PEAKS,
      },
    },
  },
];

/** What the form begins with. */
export const FIRST = SHIPPED[0];

/** A choice of presets with buttons to keep and forget own ones. Tells `choose` with what they ask, and `reset`. */
export class Presets extends Emitter {
  #app;
  #wanted;
  #choice = h("select");
  #keep = button("Keep as a preset", "plus", () => this.#keepAs());
  #reset = button("Reset all settings", "undo", () => this.tell("reset", null));
  #forget = button("Forget this preset", "trash", () => this.#forgetOne());

  /** @param {App} app @param {() => Record<string, any>} wanted */
  constructor(app, wanted) {
    super();
    this.#app = app;
    this.#wanted = wanted;
    this.element = h(
      "div.row.bottom",
      {},
      labelled("Preset", this.#choice, { grow: true }),
      this.#reset,
      this.#keep,
      this.#forget,
    );
    this.#choice.addEventListener("change", () => this.#chosen());
    this.show("");
  }

  /** Name of the one that the form holds, empty: none. */
  get chosen() {
    return this.#choice.value;
  }

  /** @returns {Preset[]} */
  get #own() {
    return taste(OWN, /** @type {Preset[]} */ ([]));
  }

  /** Say which one the form holds, empty: none. @param {string} name */
  show(name) {
    const group = (/** @type {string} */ label, /** @type {Preset[]} */ presets) =>
      presets.length > 0 &&
      h(
        "optgroup",
        { label },
        presets.map((each) => h("option", { value: each.name }, each.name)),
      );
    fill(
      this.#choice,
      h("option", { value: "" }, "Own settings"),
      group("Ready made", SHIPPED),
      group("Yours", this.#own),
    );
    this.#choice.value = name;
    this.#forget.hidden = !this.#own.some((each) => each.name === name);
  }

  #chosen() {
    const name = this.#choice.value;
    const found = [...SHIPPED, ...this.#own].find((each) => each.name === name);
    this.show(name);
    if (found) this.tell("choose", found.asked);
  }

  async #keepAs() {
    const said = await this.#app.askText({
      title: "Keep as a preset",
      label: "Name",
      yes: "Keep",
      help: "It is kept in this browser, for all studies.",
    });
    const name = said?.trim();
    if (!name) return;
    if (SHIPPED.some((each) => each.name === name))
      return this.#app.toast(`${name} comes with the app; choose another name.`, { kind: "error" });
    try {
      const { target: _, reference: __, ...asked } = this.#wanted();
      noteTaste(OWN, [...this.#own.filter((each) => each.name !== name), { name, asked }]);
      this.show(name);
    } catch (error) {
      this.#app.toast(/** @type {Error} */ (error).message, { kind: "error" });
    }
  }

  #forgetOne() {
    const name = this.#choice.value;
    const before = this.#own;
    noteTaste(
      OWN,
      before.filter((each) => each.name !== name),
    );
    this.show("");
    const undo = () => {
      noteTaste(OWN, before);
      this.show(name);
    };
    this.#app.toast(`${name} is forgotten.`, { kind: "done", action: { text: "Undo", run: undo } });
  }
}

/** @param {string} name @param {string} picture @param {() => void} run */
function button(name, picture, run) {
  return h("button.square", { type: "button", "aria-label": name, title: name, onclick: run }, icon(picture));
}
