/** One channel of the viewer: seen or not, its colour, contrast over its histogram, gamma. @module */
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { rangeSlider, slider } from "../controls/range.js";

const BINS = 64;
const HEIGHT = 30;

/** The controls of a channel; they follow the viewer, whoever changes it. */
export class ChannelRow {
  #viewer;
  #k;
  #seen;
  #colour;
  #name = h("span.channel-name.cut");
  #numbers = h("span.quiet-text.number");
  #bars = h("svg:svg", {
    class: "channel-bars",
    viewBox: `0 0 ${BINS} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  #range;
  #gamma;
  #span = { low: 0, high: 1 };

  /** @param {any} viewer @param {number} k */
  constructor(viewer, k) {
    this.#viewer = viewer;
    this.#k = k;
    const { name, low, high, gamma, colour } = this.#channel;
    this.#seen = h("input", {
      type: "checkbox",
      "aria-label": `Show ${name}`,
      onchange: () => viewer.setChannel(k, { visible: this.#seen.checked }),
    });
    this.#colour = h("input.colour", {
      type: "color",
      "aria-label": `Colour of ${name}`,
      value: colour,
      oninput: () => viewer.setChannel(k, { colour: this.#colour.value }),
    });
    this.#range = rangeSlider({
      label: `Contrast of ${name}`,
      min: low,
      max: high,
      low,
      high,
      oninput: (from, to) => viewer.setChannel(k, { low: from, high: Math.max(to, from + this.#step) }),
    });
    this.#gamma = slider({
      label: "Gamma",
      min: -100,
      max: 100,
      value: gammaPlace(gamma),
      show: (at) => gammaAt(at).toFixed(2),
      oninput: (at) => viewer.setChannel(k, { gamma: gammaAt(at) }),
    });
    this.element = this.#lay(name);
    this.show();
    this.#readHistogram();
  }

  get #channel() {
    return (
      this.#viewer.channels[this.#k] ?? {
        name: "",
        low: 0,
        high: 1,
        gamma: 1,
        colour: "#ffffff",
        visible: true,
        max: 1,
      }
    );
  }

  get #step() {
    const { max } = this.#channel;
    return max > 1 && Number.isInteger(max) ? 1 : (this.#span.high - this.#span.low) / 1000 || 1e-6;
  }

  /** Show what the viewer has. */
  show() {
    const { visible, colour, low, high, gamma, name } = this.#channel;
    this.#seen.checked = visible;
    this.#colour.value = colour;
    fill(this.#name, name);
    this.#name.title = name;
    this.#limit();
    this.#range.set(low, high);
    this.#gamma.set(gammaPlace(gamma));
    this.#range.colour(colour);
    fill(this.#numbers, `${short(low)} – ${short(high)}`);
    this.element.classList.toggle("channel-off", !visible);
  }

  /** @param {string} name */
  #lay(name) {
    const gamma = h("div", { hidden: true }, this.#gamma.element);
    const more = h(
      "button.quiet.square.small",
      { type: "button", "aria-label": `Gamma of ${name}`, title: "Gamma", "aria-expanded": "false" },
      "γ",
    );
    more.addEventListener("click", () => {
      gamma.hidden = !gamma.hidden;
      more.setAttribute("aria-expanded", String(!gamma.hidden));
    });
    const auto = h(
      "button.quiet.square.small",
      {
        type: "button",
        "aria-label": `Auto contrast of ${name}`,
        title: "Auto contrast",
        onclick: () => this.#viewer.autoContrast(this.#k),
      },
      icon("auto"),
    );
    return h(
      "div.channel",
      {},
      h("div.channel-head", {}, this.#seen, this.#colour, this.#name, this.#numbers, auto, more),
      h("div.channel-range", {}, this.#bars, this.#range.element),
      gamma,
    );
  }

  #limit() {
    const { low, high } = this.#channel;
    const [least, most] = [Math.min(this.#span.low, low), Math.max(this.#span.high, high)];
    this.#range.limit(least, most, this.#step);
    this.#bars.style.left = `${((this.#span.low - least) / (most - least || 1)) * 100}%`;
    this.#bars.style.width = `${((this.#span.high - this.#span.low) / (most - least || 1)) * 100}%`;
  }

  async #readHistogram() {
    const found = await this.#viewer.histogram?.(this.#k, BINS);
    if (!found) return;
    this.#span = { low: found.low, high: found.high };
    const logs = [...found.counts].map((/** @type {number} */ count) => Math.log1p(count));
    const most = Math.max(...logs) || 1;
    const line = logs.map((value, bin) => {
      const top = (HEIGHT * (1 - value / most)).toFixed(1);
      return `L${bin},${top}L${bin + 1},${top}`;
    });
    fill(this.#bars, h("svg:path", { d: `M0,${HEIGHT}${line.join("")}L${BINS},${HEIGHT}Z` }));
    this.show();
  }
}

/** Gamma 0.25 to 4, with 1 in the middle. @param {number} at */
const gammaAt = (at) => 4 ** (at / 100);

/** @param {number} gamma */
const gammaPlace = (gamma) => Math.round((Math.log(gamma) / Math.log(4)) * 100);

/** @param {number} value */
const short = (value) =>
  Number.isInteger(value) || Math.abs(value) >= 100 ? String(Math.round(value)) : value.toPrecision(3);
