/** Which images are shown, and how many there are of which condition. @module */
import { fill, h } from "../../kernel/dom.js";
import { counted, valuesOf, withoutPixelSize } from "../../app/said.js";
import { isDoubtful, qualityLegend } from "./quality.js";

/** @typedef {import("../../app/images.js").ImageView} ImageView */

/** @type {Record<string, {title: string, of: (all: ImageView[]) => ImageView[]}>} */
const KINDS = {
  all: { title: "All images", of: (all) => all },
  sizeless: { title: "Without pixel size", of: withoutPixelSize },
  plain: { title: "Without condition", of: (all) => all.filter((image) => !image.said.condition) },
  unlabelled: {
    title: "Not segmented",
    of: (all) => all.filter((image) => image.state === "ready" && !image.labels.length),
  },
  doubtful: { title: "Doubtful quality", of: (all) => all.filter(isDoubtful) },
  failed: { title: "Not readable", of: (all) => all.filter((image) => image.state === "failed") },
  excluded: { title: "Left out", of: (all) => all.filter((image) => image.said.excluded) },
};

/** A search field and a choice of kinds and conditions. */
export class ImageFilter {
  #search = h("input", {
    type: "search",
    placeholder: "Search names",
    "aria-label": "Search names",
    class: "images-search",
  });
  #kind = h("select", { "aria-label": "Which images", class: "images-kind" });
  #count = h("span.quiet-text.number.cut.grow", { role: "status" });
  #legend = h("span");
  /** @type {ImageView[]} */
  #all = [];

  /** @param {() => void} change */
  constructor(change) {
    this.element = h("div.row.grow", {}, this.#search, this.#kind, this.#count, this.#legend);
    this.#search.addEventListener("input", change);
    this.#kind.addEventListener("change", change);
  }

  /** Show all images again. */
  clear() {
    this.#search.value = "";
    this.#kind.value = "all";
  }

  /** Show images of this kind. @param {string} kind */
  choose(kind) {
    this.#kind.value = kind;
  }

  /** @param {ImageView[]} all @returns {ImageView[]} Those that are wanted. */
  of(all) {
    this.#all = all;
    this.#lay();
    const kind = this.#kind.value || "all";
    const words = this.#search.value.trim().toLowerCase();
    const some = kind.startsWith("=")
      ? all.filter((image) => String(image.said.condition) === kind.slice(1))
      : KINDS[kind].of(all);
    const found = words ? some.filter((image) => image.name.toLowerCase().includes(words)) : some;
    fill(
      this.#count,
      found.length === all.length ? counted(all.length, "image") : `${found.length} of ${counted(all.length, "image")}`,
    );
    return found;
  }

  #lay() {
    fill(this.#legend, qualityLegend(this.#all));
    const chosen = this.#kind.value || "all";
    const kinds = Object.entries(KINDS).map(([name, { title, of }]) => ({ name, title, count: of(this.#all).length }));
    const shown = kinds.filter(
      ({ name, count }) =>
        name === "all" || name === chosen || (count && count < this.#all.length) || (count && name === "sizeless"),
    );
    const conditions = valuesOf(this.#all, "condition");
    fill(
      this.#kind,
      shown.map(({ name, title, count }) => h("option", { value: name }, `${title} (${count})`)),
      conditions.length > 0 &&
        h(
          "optgroup",
          { label: "Condition" },
          conditions.map((each) => h("option", { value: `=${each}` }, each)),
        ),
    );
    this.#kind.value = chosen;
    if (!this.#kind.value) this.#kind.value = "all";
  }
}
