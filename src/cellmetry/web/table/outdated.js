/** A notice that stays while a table or comparison tells of something else than the study does now. @module */
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";

/** @typedef {import("../app/app.js").App} App */

const SOON_MS = 400;

/** Asks the server again whenever images, labels or tables change. */
export class Outdated {
  element = h("div", { role: "status" });
  #app;
  #advice;
  #place = "";
  #turn = 0;
  #later = 0;
  #offs;

  /** @param {App} app @param {string} advice What to do, as a sentence. */
  constructor(app, advice) {
    this.#app = app;
    this.#advice = advice;
    const { openStudy: study } = app;
    const soon = () => this.#soon();
    this.#offs = [
      study.images.on("change", soon),
      study.labels.on("change", soon),
      study.jobs.on("ended", (job) => job.state === "done" && soon()),
      study.on("act", (act) => !act.edit && soon()),
    ];
  }

  close() {
    this.#turn++;
    clearTimeout(this.#later);
    for (const off of this.#offs) off();
  }

  /** @param {string} place Of what: `tables/ID`, `comparisons/ID`; empty for nothing. */
  of(place) {
    if (place === this.#place) return;
    this.#place = place;
    fill(this.element);
    void this.#ask();
  }

  #soon() {
    clearTimeout(this.#later);
    this.#later = window.setTimeout(() => this.#ask(), SOON_MS);
  }

  async #ask() {
    const turn = ++this.#turn;
    if (!this.#place) return;
    try {
      /** @type {string[]} */
      const said = await this.#app.openStudy.get(`${this.#place}/outdated`);
      if (turn !== this.#turn) return;
      const text = `${said.join(" ")} ${this.#advice}`;
      fill(this.element, said.length > 0 && h("p.notice", {}, icon("info"), h("span.grow", {}, text)));
    } catch (error) {
      if (turn === this.#turn) this.#app.error(error);
    }
  }
}
