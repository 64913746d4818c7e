/** Letting the network look for what is doubtful, so that the queue is ranked by more than sizes. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { progressBar } from "../../controls/progress.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./worth.js").Worth} Worth */

/** A notice with a button, then the progress of the job. */
export class ReviewOffer {
  element = h("div.correct-offer");
  #app;
  #bar = progressBar("Look for doubtful cells");
  /** @type {Worth|null} */
  #worth = null;
  #off;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#off = app.openStudy.jobs.on("change", () => this.#show());
  }

  close() {
    this.#off();
  }

  /** @param {Worth} worth */
  show(worth) {
    this.#worth = worth;
    this.#show();
  }

  #show() {
    const { jobs, readOnly } = this.#app.openStudy;
    const job = jobs.running.find((each) => each.kind === "review");
    if (job) {
      this.#bar.show(jobs.progress(job));
      const looking = h("p.quiet-text", {}, "Looking for doubtful cells…");
      const known = this.element.contains(this.#bar.element);
      return void (known || fill(this.element, h("div.correct-box", {}, looking, this.#bar.element)));
    }
    const worth = this.#worth;
    if (!worth || readOnly || !(worth.guessed || worth.stale)) return void fill(this.element);
    const older =
      "These labels are newer than the ranking: until it is made again, their cells are ranked by sizes only.";
    const text = worth.stale
      ? older
      : "Cells are ranked by their sizes only. The network can look for missed, joined and cut cells.";
    const name = worth.stale ? "Rank again" : "Find doubtful cells";
    const button = h("button.primary", { type: "button", onclick: () => this.#run() }, icon("search"), name);
    fill(this.element, h("div.correct-box", {}, h("p.quiet-text", {}, text), button));
  }

  async #run() {
    const { jobs, labels } = this.#app.openStudy;
    try {
      await jobs.submit("review", { labels: labels.name });
    } catch (error) {
      this.#app.error(error);
    }
  }
}
