/** The history of a study: who did what, and taking any of it back. @module */
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { popover } from "../controls/popover.js";
import { whenInWords } from "./times.js";

/** @typedef {import("./app.js").App} App */

const PAGE = 40;

/** The button in the header that opens it. @param {App} app */
export function historyButton(app) {
  const pop = popover({ label: "History", content: icon("history") }, () => {
    const panel = new HistoryPanel(app);
    return { element: panel.element, close: () => panel.close() };
  });
  pop.button.classList.add("square");
  return pop.element;
}

class HistoryPanel {
  #app;
  #list = h("ul.popover-list", { "aria-busy": "true" });
  #more = h("button.quiet", { type: "button", hidden: true, onclick: () => this.#read() }, "Show older");
  /** @type {any[]} */
  #acts = [];
  #off;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.element = [h("h2.popover-title", {}, "History"), this.#list, this.#more];
    const offs = [
      app.openStudy.on("act", (act) => this.#heard(act)),
      app.openStudy.labels.on("change", () => this.#acts.length && this.#show()),
    ];
    this.#off = () => offs.forEach((off) => off());
    void this.#read();
  }

  close() {
    this.#off();
  }

  async #read() {
    try {
      const before = this.#acts.at(-1)?.seq;
      const page = await this.#app.openStudy.get("acts", { before, limit: PAGE });
      const known = new Set(this.#acts.map((act) => act.seq)); // heard of while the page was read
      this.#acts.push(...page.filter((/** @type {any} */ act) => !known.has(act.seq)));
      this.#more.hidden = page.length < PAGE;
      this.#show();
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {any} act */
  #heard(act) {
    this.#acts = this.#acts.map((each) => (each.seq === act.undoes ? { ...each, undone_by: act.seq } : each));
    if (!this.#acts.some((each) => each.seq === act.seq)) this.#acts.unshift(act);
    this.#show();
  }

  #show() {
    this.#list.removeAttribute("aria-busy");
    fill(
      this.#list,
      this.#acts.filter((act) => !act.undoes).map((act) => this.#row(act)),
    );
  }

  /** @param {any} act */
  #row(act) {
    const { openStudy: study } = this.#app;
    const undone = act.undone_by !== null;
    const can = !study.readOnly && act.verb !== "create" && act.verb !== "repair" && !this.#isSettled(act);
    const run = () =>
      (undone ? study.redo(act.seq) : study.undo(act.seq))
        .then(
          (done) => this.#heard(done),
          (error) => this.#app.error(error),
        )
        .then(() => (undone ? this.#again() : undefined));
    return h(
      "li.act",
      { class: undone ? "act-undone" : "" },
      h(
        "div.grow",
        {},
        h("p.act-text", {}, act.summary, this.#whereOf(act)),
        h("p.quiet-text", {}, `${whenInWords(act.at)} · ${act.who}`),
      ),
      can &&
        h(
          "button.quiet.small",
          { type: "button", onclick: run, "aria-label": `${undone ? "Redo" : "Undo"}: ${act.summary}` },
          icon(undone ? "redo" : "undo"),
          undone ? "Redo" : "Undo",
        ),
    );
  }

  /** The image of an edit, where the study has its labels still. @param {any} act */
  #whereOf({ verb, details }) {
    const { labels, images } = this.#app.openStudy;
    const image = verb === "edit" && labels.find(details?.labels)?.image;
    const name = image && images.find(image)?.name;
    return name ? ` · ${name}` : "";
  }

  /** Whether an edit was refused, or is of labels that newer ones took the place of. @param {any} act */
  #isSettled({ verb, summary, details }) {
    if (verb !== "edit") return false;
    const { labels } = this.#app.openStudy;
    return summary.endsWith("(refused)") || (details.labels && !labels.find(details.labels));
  }

  async #again() {
    this.#acts = [];
    await this.#read();
  }
}
