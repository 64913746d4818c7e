/** How the learning of a training goes: what its job told, now and before a reload. @module */
import { at } from "../../kernel/api.js";
import { Emitter } from "../../kernel/emitter.js";

/** @typedef {import("../../app/study.js").Study} Study */
/** @typedef {{step: number, steps: number, loss: number, [score: string]: number}} Told */
/** @typedef {import("../../plot/curves.js").Curve} Curve */

const PAGE = 1000;

/** The course of one training. Tells `change`, and `failed` with an error. */
export class Course extends Emitter {
  /** By step: a training that was resumed tells some again. @type {Map<number, Told>} */
  #told = new Map();
  #off;

  /** @param {Study} study @param {string} job */
  constructor(study, job) {
    super();
    this.job = job;
    this.#off = study.jobs.on("learning", (said) => said.job === job && this.#take([said]));
    this.#read(study).catch((error) => this.tell("failed", error));
  }

  close() {
    this.#off();
  }

  /** In order of the steps. @returns {Told[]} */
  get all() {
    return [...this.#told.values()].sort((a, b) => a.step - b.step);
  }

  /** How many steps it takes, as far as that is known. */
  get steps() {
    return this.all.at(-1)?.steps ?? 1;
  }

  /** The held-out images, which matter, last: they lie above. @returns {{loss: Curve[], precision: Curve[]}} */
  get curves() {
    const all = this.all;
    const curve = (/** @type {string} */ name, /** @type {string} */ key) => ({
      name,
      points: all
        .filter((row) => row[key] !== undefined)
        .map((row) => /** @type {[number, number]} */ ([row.step, row[key]])),
    });
    return {
      loss: [curve("Images that teach", "loss"), curve("Held-out images", "validation loss")],
      precision: [curve("Images that teach", "train ap50"), curve("Held-out images", "validation ap50")],
    };
  }

  /** @param {Study} study */
  async #read(study) {
    const lines = await study.pages(at`jobs/${this.job}/log`, { kind: "learning" }, (line) => line.seq, PAGE);
    this.#take(lines.map((line) => JSON.parse(line.text)));
  }

  /** @param {Told[]} told */
  #take(told) {
    for (const row of told) this.#told.set(row.step, row);
    this.tell("change", this);
  }
}
