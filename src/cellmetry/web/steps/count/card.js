/** How many cells there are in what is seen: the number with its interval, both counters, regions, and doubts. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { menuButton } from "../../controls/menu.js";
import { counted } from "../../app/said.js";

/**
 * @typedef {object} CountRow A row of the table of counts.
 * @property {string} region Empty for the whole.
 * @property {number} area_px
 * @property {number|null} n_instances
 * @property {number|null} n_density
 * @property {number} n
 * @property {number|null} n_low
 * @property {number|null} n_high
 * @property {number|null} coverage
 * @property {number|null} disagreement
 */
/** @typedef {import("../../controls/menu.js").Item} Item */

const SOME = 1;
const MUCH = 2;
const LOADING_MS = 3000;
const TIPS = {
  objects: "Cells that are drawn as objects; where they overlap, two may be one object.",
  density: "Sum of the density map: every cell adds 1.",
  difference:
    "By how much the two counters differ, in standard deviations (SD) of counts of this size: they agree below 1, and " +
    "above 2 deserve a look.",
};

/** A card of one size for all its states, so that nothing jumps. */
export class CountCard {
  #number = h("strong.count-number.number", {}, "–");
  #unit = h("span.count-unit");
  #interval = h("p.count-interval");
  #facts = h("dl.count-facts");
  #more = h("div.count-more");
  #download;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  /** @param {() => Item[]} downloads */
  constructor(downloads) {
    this.#download = menuButton({ label: "Download this count", content: icon("download"), align: "right" }, downloads);
    this.element = h(
      "section.count-card",
      { "aria-label": "Count", "aria-live": "polite" },
      h("div.count-head", {}, this.#number, this.#unit, h("span.grow"), this.#download),
      this.#interval,
      this.#facts,
      this.#more,
    );
    this.say("Drop an image to count its cells.");
  }

  close() {
    clearTimeout(this.#timer);
  }

  /** There is no count, for a reason. @param {string} text */
  say(text) {
    this.#begin(false);
    fill(this.#number, "–");
    fill(this.#unit);
    fill(this.#interval, text);
    fill(this.#facts);
    fill(this.#more);
  }

  /** It is being counted; what was counted before stays, pale, unless it was of another place. @param {boolean} elsewhere */
  wait(elsewhere) {
    this.#begin(true);
    if (elsewhere)
      for (const part of [this.#number, this.#unit, this.#facts, this.#more]) fill(part, part === this.#number && "–");
    fill(this.#interval, h("span.spinner.small-spinner"), "Counting…");
    const slow = () => fill(this.#interval, h("span.spinner.small-spinner"), "Loading the model, once…");
    this.#timer = setTimeout(slow, LOADING_MS);
  }

  /** @param {{counts: CountRow[], warnings: string[], part: string, labels: string|null}} found `part`: of what, if not all. */
  show({ counts: [all, ...regions], warnings, part, labels }) {
    this.#begin(false);
    fill(this.#number, all.n.toLocaleString("en"));
    fill(this.#unit, all.n === 1 ? "cell" : "cells", part);
    fill(this.#interval, labels === null ? intervalOf(all) : `Labels “${labels}”, as edited`);
    fill(this.#facts, factsOf(all));
    fill(this.#more, regions.length > 0 && tableOf(regions), warnings.length > 0 && notes(warnings));
    this.#download.hidden = false;
  }

  /** @param {boolean} busy */
  #begin(busy) {
    clearTimeout(this.#timer);
    this.element.setAttribute("aria-busy", String(busy));
    this.#download.hidden = true;
  }
}

/** @param {CountRow} row */
function intervalOf({ n_low: low, n_high: high, coverage }) {
  if (low === null || high === null) return h("span.count-none", {}, "No interval; the notes say why");
  const share = coverage === null ? "" : `${Math.round(100 * coverage)} % `;
  return [`${share}interval `, h("strong.number", {}, `${low.toLocaleString("en")} – ${high.toLocaleString("en")}`)];
}

/** @param {CountRow} row */
function factsOf({ n_instances: objects, n_density: density, disagreement }) {
  const doubtful = disagreement !== null && disagreement > MUCH;
  return [
    objects !== null && fact("Objects", objects.toLocaleString("en"), TIPS.objects),
    density !== null && fact("Density", density.toFixed(1), TIPS.density),
    disagreement !== null &&
      fact("They", agreementOf(disagreement), `${disagreement.toFixed(1)} SD. ${TIPS.difference}`, doubtful),
  ];
}

/** How well the two counters agree, in words. @param {number} disagreement */
function agreementOf(disagreement) {
  if (disagreement > MUCH) return "differ much";
  return disagreement > SOME ? "differ" : "agree";
}

/** @param {string} name @param {string} value @param {string} tip @param {boolean} [doubtful] */
const fact = (name, value, tip, doubtful = false) =>
  h(
    "div",
    { title: tip },
    h("dt", {}, name),
    h("dd.number", { class: doubtful ? "count-doubtful" : "" }, doubtful && icon("warning"), value),
  );

/** @param {CountRow[]} regions */
function tableOf(regions) {
  const row = (/** @type {CountRow} */ each) =>
    h(
      "tr",
      {},
      h("th.cut", { scope: "row", title: each.region }, each.region),
      h("td.number", {}, each.n.toLocaleString("en")),
      h("td.number", {}, each.n_density?.toFixed(1) ?? "–"),
    );
  const head = ["Region", "Cells", "Density"].map((name) => h("th", { scope: "col" }, name));
  return h("table.small-table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, regions.map(row)));
}

/** @param {string[]} warnings */
const notes = (warnings) =>
  h(
    "details.fold-fields",
    {},
    h("summary", {}, counted(warnings.length, "note")),
    warnings.map((text) => h("p.quiet-text.wrap", {}, text)),
  );
