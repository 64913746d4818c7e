/** How far a job of one kind is, where its step has a button for it; with a button that ends it. @module */
import { fill, h } from "../kernel/dom.js";
import { progressBar } from "../controls/progress.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./jobs.js").Job} Job */

/**
 * Room below the buttons that begin a job, empty while no job of the kind waits or runs; the buttons rest meanwhile, so
 * that a double click begins one job.
 */
export class JobProgress {
  element = h("div.job-progress");
  #app;
  #kind;
  #text;
  #shares;
  #buttons;
  #bar;
  #job = "";
  #asking = false;
  #allowed = false;
  #off;

  /**
   * @param {App} app
   * @param {string} kind Of jobs.
   * @param {string} text What goes on.
   * @param {{shares?: boolean, buttons?: HTMLButtonElement[]}} [how] Whether what the job tells is a share of the whole;
   *   the buttons that begin such a job.
   */
  constructor(app, kind, text, { shares = true, buttons = [] } = {}) {
    this.#app = app;
    this.#kind = kind;
    this.#text = text;
    this.#shares = shares;
    this.#buttons = buttons;
    this.#bar = progressBar(text);
    this.#off = app.openStudy.jobs.on("change", () => this.#show());
    this.#show();
  }

  close() {
    this.#off();
  }

  /** Whether a job of the kind is asked for, waits or runs. */
  get busy() {
    return this.#asking || this.#all.length > 0;
  }

  /** Say whether such a job can be begun at all. @param {boolean} allowed */
  allow(allowed) {
    this.#allowed = allowed;
    this.#rest();
  }

  /**
   * Begin a job of the kind, unless one is under way.
   * @param {Record<string, any>} parameters @returns {Promise<Job|null>}
   */
  async submit(parameters) {
    if (this.busy) return null;
    this.#asking = true;
    this.#rest();
    try {
      return await this.#app.openStudy.jobs.submit(this.#kind, parameters);
    } finally {
      this.#asking = false;
      this.#rest();
    }
  }

  /** Those under way, the one that runs first. */
  get #all() {
    return this.#app.openStudy.jobs.running.filter((each) => each.kind === this.#kind);
  }

  #rest() {
    for (const button of this.#buttons) button.disabled = !this.#allowed || this.busy;
  }

  #show() {
    const { jobs } = this.#app.openStudy;
    const [job, ...others] = this.#all;
    if (job) {
      const waits = job.state === "queued" ? "Waits for other work…" : `${this.#text}…`;
      const more = others.length ? `, ${others.length} more` : "";
      const shown = jobs.progress(job);
      this.#bar.show({ ...shown, text: more, ...(this.#shares ? {} : { done: 0, total: 0 }) }, waits + more);
    }
    this.#rest();
    if ((job?.id ?? "") === this.#job) return;
    this.#job = job?.id ?? "";
    fill(this.element, job && this.#box(job.id));
  }

  /** @param {string} id */
  #box(id) {
    const { jobs, readOnly } = this.#app.openStudy;
    const cancel = () => jobs.cancel(id).catch((error) => this.#app.error(error));
    return [
      this.#bar.element,
      h("button.quiet.small", { type: "button", disabled: Boolean(readOnly), onclick: cancel }, "Cancel"),
    ];
  }
}
