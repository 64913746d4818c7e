/** How far a job of one kind is, where its step has a button for it; with a button that ends it. @module */
import { fill, h } from "../kernel/dom.js";
import { progressBar } from "../controls/progress.js";

/** @typedef {import("./app.js").App} App */

/** Empty while no job of the kind waits or runs. */
export class JobProgress {
  element = h("div");
  #app;
  #kind;
  #text;
  #shares;
  #bar;
  #job = "";
  #off;

  /**
   * @param {App} app
   * @param {string} kind Of jobs.
   * @param {string} text What goes on.
   * @param {{shares?: boolean}} [how] Whether what the job tells is a share of the whole.
   */
  constructor(app, kind, text, { shares = true } = {}) {
    this.#app = app;
    this.#kind = kind;
    this.#text = text;
    this.#shares = shares;
    this.#bar = progressBar(text);
    this.#off = app.openStudy.jobs.on("change", () => this.#show());
    this.#show();
  }

  close() {
    this.#off();
  }

  #show() {
    const { jobs } = this.#app.openStudy;
    const job = jobs.running.find((each) => each.kind === this.#kind);
    if (job) this.#bar.show({ ...jobs.progress(job), ...(this.#shares ? {} : { done: 0, total: 0 }) });
    if ((job?.id ?? "") === this.#job) return;
    this.#job = job?.id ?? "";
    fill(this.element, job && this.#box(job.id));
  }

  /** @param {string} id */
  #box(id) {
    const { jobs, readOnly } = this.#app.openStudy;
    const cancel = () => jobs.cancel(id).catch((error) => this.#app.error(error));
    return h(
      "div.segment-running",
      {},
      h(
        "div.row",
        {},
        h("strong.grow", {}, `${this.#text}…`),
        h("button.quiet.small", { type: "button", disabled: Boolean(readOnly), onclick: cancel }, "Cancel"),
      ),
      this.#bar.element,
    );
  }
}
