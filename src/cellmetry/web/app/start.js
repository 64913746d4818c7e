/** The start page: how to begin, and the studies that this person may see. @module */
import { address, at, get, patch, post } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { menuButton } from "../controls/menu.js";
import { chooseFiles } from "./drops.js";
import { accountMenu, brand } from "./header.js";
import { howItGoes } from "./help.js";
import { counted } from "./said.js";
import { whenInWords } from "./times.js";

/** @typedef {import("./app.js").App} App */

const PICTURES = 3;
const SAMPLE = () => [icon("sample"), "Try with sample images"];

/** Ways to begin, and studies as cards, the one that was changed last first. */
export class StartPage {
  #app;
  #studies = h("section.start-studies", { "aria-label": "Studies", "aria-busy": "true" });
  #sample = h("button", { type: "button", onclick: () => this.#try() }, SAMPLE());
  #watch = new IntersectionObserver((entries) =>
    entries.forEach((entry) => entry.isIntersecting && this.#fillPictures(entry.target)),
  );

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.element = h(
      "div.page.start-page",
      {},
      h("header.header", {}, brand(app), h("span.grow"), h("div.header-tools", {}, accountMenu(app))),
      h("main.start", {}, this.#ways(), this.#studies),
    );
  }

  /** Read the studies. */
  async load() {
    const studies = await get("studies");
    studies.sort((/** @type {any} */ a, /** @type {any} */ b) => (b.changed ?? "").localeCompare(a.changed ?? ""));
    this.#studies.removeAttribute("aria-busy");
    fill(
      this.#studies,
      studies.length === 0
        ? [h("h2.start-title", {}, "How it goes"), howItGoes()]
        : [
            h("h2.start-title", {}, "Your studies"),
            h(
              "div.start-cards",
              {},
              studies.map((/** @type {any} */ study) => this.#card(study)),
            ),
          ],
    );
  }

  close() {
    this.#watch.disconnect();
  }

  #ways() {
    const choose = async (/** @type {boolean} */ folder) => this.#app.take(await chooseFiles({ folder }));
    return h(
      "section.start-ways",
      {},
      h(
        "div.start-drop",
        {},
        h("div.empty-picture", {}, icon("upload")),
        h(
          "div.stack",
          {},
          h(
            "div.start-drop-text",
            {},
            h("h1", {}, "From microscope images to numbers you can defend"),
            h(
              "p.quiet-text",
              {},
              "Drop images or a folder anywhere on this page. A study is made of them: " +
                "it keeps images, cells, corrections and figures together.",
            ),
          ),
          h(
            "div.row.wrap-row",
            {},
            h("button.primary", { type: "button", onclick: () => choose(false) }, icon("file"), "Choose files"),
            h("button", { type: "button", onclick: () => choose(true) }, icon("folder"), "Choose folder"),
            h("button", { type: "button", onclick: () => this.#new() }, icon("plus"), "New study"),
            this.#sample,
          ),
        ),
      ),
    );
  }

  /** Make a study of generated images. */
  async #try() {
    this.#sample.disabled = true;
    fill(this.#sample, h("span.spinner.small-spinner"), "Making sample images…");
    try {
      const study = await post("studies/sample");
      this.#app.place.go(study.id, "images");
    } catch (error) {
      this.#app.error(error);
    }
    this.#sample.disabled = false;
    fill(this.#sample, SAMPLE());
  }

  async #new() {
    const name = await this.#app.askText({
      title: "New study",
      label: "Name",
      yes: "Make it",
      help: "A study keeps images, labels, corrections and results of one question together.",
    });
    if (name === null) return;
    try {
      const study = await post("studies", { name });
      this.#app.place.go(study.id, "images");
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {any} study */
  #card(study) {
    const pictures = h("span.start-pictures", { dataset: { study: study.id } }, !study.images && icon("image"));
    if (study.images) this.#watch.observe(pictures);
    const open = h(
      "button.start-card",
      { type: "button", onclick: () => this.#app.place.go(study.id) },
      pictures,
      h("strong.start-name", { title: study.name }, study.name),
      h(
        "span.quiet-text.cut",
        {},
        [counted(study.images, "image"), study.changed && whenInWords(study.changed), study.read_only && "read only"]
          .filter(Boolean)
          .join(" · "),
      ),
    );
    const may = study.role !== "viewer" && !study.read_only;
    return h(
      "div.start-cell",
      {},
      open,
      may &&
        menuButton({ label: `More of ${study.name}`, content: icon("more"), align: "right" }, () => [
          { text: "Rename", run: () => this.#rename(study) },
        ]),
    );
  }

  /** @param {any} study */
  async #rename(study) {
    const name = await this.#app.askText({ title: "Rename", label: "Name", value: study.name });
    if (name === null) return;
    await patch(at`studies/${study.id}`, { name }).catch((/** @type {any} */ error) => this.#app.error(error));
    await this.load();
  }

  /** @param {Element} host */
  async #fillPictures(host) {
    this.#watch.unobserve(host);
    const study = /** @type {HTMLElement} */ (host).dataset.study;
    try {
      const images = await get(at`studies/${study}/images`, { state: "ready", limit: PICTURES });
      fill(
        host,
        images.map((/** @type {any} */ image) =>
          h("img", {
            src: address(at`studies/${study}/images/${image.id}/thumbnail`, { side: 192 }),
            alt: "",
            decoding: "async",
          }),
        ),
      );
    } catch (error) {
      this.#app.error(error);
    }
  }
}
