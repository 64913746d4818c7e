/** The start page: the studies that this person may see, and how to begin one. @module */
import { get, post } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { accountMenu, brand } from "./header.js";

/** @typedef {import("./app.js").App} App */

/** Studies as cards, newest work first as the server lists them. */
export class StartPage {
  #app;
  #cards = h("div.start-cards", { "aria-busy": "true" });

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.element = h("div.page.start-page", {},
      h("header.header", {}, brand(app), h("span.grow"), h("div.header-tools", {}, accountMenu(app))),
      h("main.start", {}, h("div.start-head", {}, h("h1", {}, "Studies"), this.#newButton()), this.#cards));
  }

  /** Read the studies. */
  async load() {
    const studies = await get("studies");
    this.#cards.removeAttribute("aria-busy");
    fill(this.#cards, studies.length ? studies.map((/** @type {any} */ study) => this.#card(study)) : this.#empty());
  }

  close() {}

  #newButton() {
    return h("button.primary", { type: "button", onclick: () => this.#new() }, icon("plus"), "New study");
  }

  async #new() {
    const name = await this.#app.askText({ title: "New study", label: "Name", value: "", yes: "Make it",
      help: "A study keeps images, labels, corrections and results of one question together." });
    if (name === null) return;
    try {
      const study = await post("studies", { name });
      this.#app.place.go(study.id, "images");
    } catch (error) {
      this.#app.error(error);
    }
  }

  #empty() {
    return h("section.empty", {}, h("h2", {}, "Your first study"),
      h("p", {}, "A study keeps your images, the cells that are found in them, your corrections and the figures together."),
      this.#newButton());
  }

  /** @param {any} study */
  #card(study) {
    return h("button.start-card", { type: "button", onclick: () => this.#app.place.go(study.id) },
      h("strong.start-name", {}, study.name),
      h("span.quiet-text", {}, `${study.images} ${study.images === 1 ? "image" : "images"} · ${study.labels} label images`),
      study.read_only && h("span.quiet-text", {}, "Can only be read"));
  }
}
