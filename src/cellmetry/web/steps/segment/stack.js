/** What is done with Z stacks: whether a cell that is seen in several planes counts once. @module */
import { fill, h } from "../../kernel/dom.js";
import { labelled } from "../../controls/labelled.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */
/** @typedef {"max"|"mean"|"volume"|"planes"} Stack As the step `segment` calls it. */

/** @type {Record<Stack, {title: string, about: string}>} */
const CHOICES = {
  max: {
    title: "Maximum of the planes",
    about: "Each cell counts once: the brightest plane is taken at every pixel, and measured too.",
  },
  mean: {
    title: "Mean of the planes",
    about: "Each cell counts once. There is less noise, but what only few planes show becomes faint.",
  },
  volume: {
    title: "Volumes",
    about: "Each cell counts once: its outlines in the planes are joined to one body, which is measured in 3D.",
  },
  planes: {
    title: "Each plane by itself",
    about: "A cell that several planes show counts once in each of them: no numbers of cells to compare.",
  },
};

const REPLACED = "Volumes were chosen, but there are flat images, which have none; this is taken for all instead.";

/** How many planes an image has along Z. @param {{header: Record<string, any>}} image @returns {number} */
function planesOf({ header }) {
  const at = (header.axes ?? "").indexOf("Z");
  return at < 0 ? 1 : header.shape[at];
}

/** Whether it is a Z stack. @param {{header: Record<string, any>}} image */
export const hasPlanes = (image) => planesOf(image) > 1;

/** A field that is there where the study has a Z stack; each cell counts once until somebody says otherwise. */
export class StackField {
  #app;
  #choice = h("select");
  #about = h("p.quiet-text");
  #begun = false;
  /** Whether volumes were chosen, and flat images came that have none. */
  #replaced = false;

  /** @param {App} app @param {() => void} change */
  constructor(app, change) {
    this.#app = app;
    this.element = h("div.stack", {}, labelled("Z stack", this.#choice), this.#about);
    this.#choice.addEventListener("change", () => {
      this.#replaced = false;
      this.#tell();
      change();
    });
    this.follow();
  }

  /**
   * @param {Stack|undefined} asked What was asked for before.
   * @param {Stack} [own] What the recipe has; `planes` also if it says nothing.
   */
  show(asked, own = "planes") {
    this.#begun = true;
    this.#replaced = false;
    this.#choice.value = asked ?? (own === "planes" ? "max" : own);
    this.follow();
  }

  /**
   * Changes of a step of the recipe, also while images are not read yet, which may turn out to be stacks.
   * @param {string} key @returns {string[]}
   */
  setOf(key) {
    const { all } = this.#app.openStudy.images;
    const may = all.some((image) => image.state === "new" || (image.state === "ready" && hasPlanes(image)));
    return this.#begun && may ? [`${key}.stack="${this.#choice.value}"`] : [];
  }

  /** The study has other images. Volumes are for stacks only. */
  follow() {
    const { ready } = this.#app.openStudy.images;
    const flat = ready.some((image) => !hasPlanes(image));
    const chosen = this.#choice.value || "max";
    this.element.hidden = !this.#begun || !ready.some(hasPlanes);
    fill(
      this.#choice,
      Object.entries(CHOICES).map(([value, { title }]) => {
        const never = value === "volume" && flat;
        return h("option", { value, disabled: never }, never ? `${title} (not with flat images)` : title);
      }),
    );
    this.#replaced ||= chosen === "volume" && flat;
    this.#choice.value = this.#replaced ? "max" : chosen;
    this.#tell();
  }

  #tell() {
    const { about } = CHOICES[/** @type {Stack} */ (this.#choice.value)];
    fill(this.#about, this.#replaced && `${REPLACED} `, about);
  }
}
