/** A gallery of pictures to try counting on; a click adds one to the study and counts it. @module */
import { address, get, request } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { counted } from "../../app/said.js";
import { once } from "../../controls/once.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{name: string, title: string, cells: number|null, picture: string}} Example */

/** The pictures are read once it is seen. */
export class Examples {
  element = h("div.count-gallery", { role: "list", "aria-label": "Examples" });
  #app;
  #read = false;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
  }

  /** Read which there are. */
  async load() {
    if (this.#read) return;
    this.#read = true;
    try {
      /** @type {Example[]} */
      const all = await get("examples");
      fill(
        this.element,
        all.map((example) => h("div", { role: "listitem" }, this.#card(example))),
      );
    } catch (error) {
      this.#read = false;
      this.#app.error(error);
    }
  }

  /** @param {Example} example */
  #card(example) {
    const known = example.cells === null ? "from scikit-image" : `${counted(example.cells, "cell")} in truth`;
    const card = h(
      "button.count-example",
      { type: "button", disabled: Boolean(this.#app.openStudy.readOnly) },
      h("img", { src: address(example.picture), alt: "", loading: "lazy", decoding: "async" }),
      h("span.cut", {}, example.title),
      h("span.quiet-text", {}, known),
    );
    card.addEventListener("click", () => once(card, () => this.#take(example)));
    return card;
  }

  /** Look at it in the study, where it is added if it was not yet. @param {Example} example */
  async #take(example) {
    const { images, uploads } = this.#app.openStudy;
    const name = `Example ${example.name}`;
    const there = images.all.find((image) => image.name === name);
    if (there) return images.select(there.id);
    try {
      const picture = await (await request("GET", example.picture)).blob();
      await uploads.add([{ file: new File([picture], `${name}.png`), name: `${name}.png` }]);
    } catch (error) {
      this.#app.error(error);
    }
  }
}
