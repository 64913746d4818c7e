/** The models of a study: versions that trainings made, which is active, and back to the one before. @module */
import { address, at, get } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { Emitter } from "../../kernel/emitter.js";
import { icon } from "../../controls/icons.js";
import { menuButton } from "../../controls/menu.js";
import { whenInWords } from "../../app/times.js";
import { save } from "../../table/downloads.js";
import { outcomeOf } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{id: string, name: string, active: boolean, problem: string, card: any, job_id: string|null}} ModelView */

const READ_MS = 300;

/** Those of the study and those that came with Cellmetry. Tells `change`. */
export class Models extends Emitter {
  /** The newest first. @type {ModelView[]} */
  own = [];
  /** @type {ModelView[]} */
  shared = [];
  loaded = false;
  #app;
  #later = 0;
  #off;

  /** @param {App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.#off = app.openStudy.on("act", (act) => !act.edit && this.#readSoon());
    void this.load();
  }

  close() {
    clearTimeout(this.#later);
    this.#off();
  }

  /** @returns {ModelView|null} */
  get active() {
    return this.own.find((model) => model.active) ?? null;
  }

  /** @param {string|null|undefined} id */
  find(id) {
    return this.own.find((model) => model.id === id) ?? null;
  }

  /** What one is called where it may stand beside others. @param {ModelView|null} model */
  titleOf(model) {
    return model ? model.name : "Cellmetry's own";
  }

  async load() {
    try {
      const [own, shared] = await Promise.all([this.#app.openStudy.get("models"), get("models")]);
      this.own = own.reverse();
      this.shared = shared.filter(
        (/** @type {ModelView} */ model) => !model.problem && (model.card.engine ?? "cellmetry") === "cellmetry",
      );
      this.loaded = true;
      this.tell("change", this);
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** Take this one where none is named; null: the one that comes with Cellmetry. @param {ModelView|null} model */
  activate(model) {
    const done = this.#app.openStudy.put("models/active", { model: model?.id ?? null });
    return this.#settle(done, `${this.titleOf(model)} is active`);
  }

  rollBack() {
    return this.#settle(this.#app.openStudy.post("models/rollback"), "The model before is active again");
  }

  /** @param {ModelView} model */
  discard(model) {
    return this.#settle(this.#app.openStudy.remove(at`models/${model.id}`), `${model.name} was discarded`);
  }

  /** @param {Promise<any>} done @param {string} text */
  async #settle(done, text) {
    try {
      await this.#app.undoable(done, text);
      await this.load();
    } catch (error) {
      this.#app.error(error);
    }
  }

  #readSoon() {
    clearTimeout(this.#later);
    this.#later = window.setTimeout(() => this.load(), READ_MS);
  }
}

/** The list of versions. Tells `show` with the job of a training that is to be looked at. */
export class Versions extends Emitter {
  element = h("section.train-versions", { hidden: true });
  #app;
  #models;
  #off;

  /** @param {App} app @param {Models} models */
  constructor(app, models) {
    super();
    this.#app = app;
    this.#models = models;
    this.#off = models.on("change", () => this.#show());
  }

  close() {
    this.#off();
  }

  #show() {
    const { own, active } = this.#models;
    const readOnly = Boolean(this.#app.openStudy.readOnly);
    this.element.hidden = !own.length;
    const back =
      active &&
      h(
        "button.small.quiet",
        { type: "button", disabled: readOnly, onclick: () => this.#models.rollBack() },
        icon("undo"),
        "Roll back",
      );
    fill(
      this.element,
      h("div.row", {}, h("h3.grow", {}, "Versions"), back),
      h(
        "ul",
        { "aria-label": "Versions of the model" },
        own.map((model) => this.#row(model)),
        this.#row(null),
      ),
    );
  }

  /** @param {ModelView|null} model Null: the one that comes with Cellmetry. */
  #row(model) {
    const job = this.#app.openStudy.jobs.find(model?.job_id ?? "");
    const isActive = model ? model.active : !this.#models.active;
    const title = this.#models.titleOf(model);
    const name = job
      ? h("button.quiet.link.cut", { type: "button", onclick: () => this.tell("show", job.id) }, title)
      : h("span.cut", {}, title);
    const facts = [job && whenInWords(job.created), scoreText(job)];
    const said = model ? facts.filter(Boolean).join(" · ") : "Comes with it";
    return h(
      "li.train-version",
      {},
      h("div.grow.train-version-said", {}, name, h("span.quiet-text.number.cut", {}, said)),
      isActive && h("span.chip.train-active", {}, "Active"),
      this.#menu(model, isActive),
    );
  }

  /** @param {ModelView|null} model @param {boolean} isActive */
  #menu(model, isActive) {
    const { openStudy: study } = this.#app;
    const readOnly = Boolean(study.readOnly);
    return menuButton(
      { label: `More of ${this.#models.titleOf(model)}`, content: icon("more"), align: "right" },
      () => [
        { text: "Activate", icon: "check", disabled: isActive || readOnly, run: () => this.#models.activate(model) },
        ...(model
          ? [
              {
                text: "Download",
                icon: "download",
                run: () => save(address(study.path + at`models/${model.id}/download`)),
              },
              {
                text: "Discard",
                icon: "trash",
                danger: true,
                disabled: isActive || readOnly,
                run: () => this.#models.discard(model),
              },
            ]
          : []),
      ],
    );
  }
}

/** @param {any} job */
function scoreText(job) {
  const outcome = job?.state === "done" ? outcomeOf(job.result) : null;
  const f1 = outcome?.after.f1 ?? null;
  return f1 === null ? "" : `F1 ${Math.round(f1)} %`;
}
