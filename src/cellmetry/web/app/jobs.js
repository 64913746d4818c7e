/** The jobs of a study: what waits, runs and ended, as it happens. @module */
import { at } from "../kernel/api.js";
import { Emitter } from "../kernel/emitter.js";
import { farOf, leftAsBefore } from "./job_parts.js";
import { Pace } from "./pace.js";
import { Stream } from "./stream.js";

/** @typedef {import("./study.js").Study} Study */
/**
 * @typedef {object} Job A job as `GET jobs` gives it.
 * @property {number} seq
 * @property {string} id
 * @property {string} kind
 * @property {Record<string, any>} parameters
 * @property {"queued"|"running"|"stopping"|"done"|"failed"|"cancelled"|"interrupted"} state
 * @property {string} who
 * @property {string} created
 * @property {string|null} started
 * @property {string|null} ended
 * @property {string} task
 * @property {number} done
 * @property {number} total
 * @property {string} error
 * @property {Record<string, any>} result
 * @property {number|null} act
 */
/**
 * @typedef {object} Progress
 * @property {number} done Of the task.
 * @property {number} total
 * @property {string} text The task.
 * @property {number|null} secondsLeft Of the job.
 * @property {import("./job_parts.js").Far|null} far Of a job that has parts.
 */

const ENDED = new Set(["done", "failed", "cancelled", "interrupted"]);
const OFTEN_MS = 1000;
const SELDOM_MS = 10_000;

/** @param {Job} job */
export const hasEnded = (job) => ENDED.has(job.state);

/**
 * Tells `change` when any job changes, `ended` with a job that has just ended, and `learning` with how a training goes.
 */
export class Jobs extends Emitter {
  /** @type {Map<string, Job>} */
  #byId = new Map();
  /** @type {Map<string, Pace>} */
  #paces = new Map();
  /** The largest share of jobs with parts: a bar does not go back. @type {Map<string, number>} */
  #shares = new Map();
  /** @type {{id: string, stream: Stream}|null} */
  #watched = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  #closed = false;
  #study;

  /** @param {Study} study */
  constructor(study) {
    super();
    this.#study = study;
  }

  /** The newest first. @returns {Job[]} */
  get all() {
    return [...this.#byId.values()].reverse();
  }

  /** Those that wait or run, the first in the queue first. @returns {Job[]} */
  get running() {
    return [...this.#byId.values()].filter((job) => !hasEnded(job));
  }

  /** @param {string} id */
  find(id) {
    return this.#byId.get(id);
  }

  /**
   * Put a job into the queue.
   * @param {string} kind @param {Record<string, any>} [parameters] @returns {Promise<Job>}
   */
  async submit(kind, parameters = {}) {
    const job = await this.#study.post("jobs", { kind, parameters });
    this.#take([job]);
    return job;
  }

  /**
   * Wait until a job has ended, however it does, and return it as it is then.
   * @param {string} id
   * @param {{onProgress?: (progress: Progress) => void}} [more]
   * @returns {Promise<Job>}
   */
  async follow(id, { onProgress } = {}) {
    if (!this.#byId.has(id)) this.#take([await this.#study.get(at`jobs/${id}`)]);
    return new Promise((answer) => {
      const look = () => {
        const job = /** @type {Job} */ (this.#byId.get(id));
        onProgress?.(this.progress(job));
        if (!hasEnded(job) && !this.#closed) return;
        end();
        answer(job);
      };
      const end = this.on("change", look);
      look();
    });
  }

  /** @param {Job} job @returns {Progress} */
  progress(job) {
    const { done, total, task: text } = job;
    const ofTask = this.#paces.get(job.id)?.secondsLeft(total) ?? null;
    const far = this.#far(job, ofTask);
    return { done, total, text, secondsLeft: (far ? null : ofTask) ?? this.#asBefore(job), far };
  }

  /** @param {Job} job @param {number|null} ofTask */
  #far(job, ofTask) {
    const far = farOf(job, ofTask);
    if (!far) return null;
    const share = Math.max(far.share, this.#shares.get(job.id) ?? 0);
    this.#shares.set(job.id, share);
    return { ...far, share };
  }

  /** Seconds left if it goes as the last one of its kind. @param {Job} job */
  #asBefore(job) {
    const before = this.all.find((each) => each.kind === job.kind && each.state === "done");
    return before && job.state === "running" ? leftAsBefore(job, before, Date.now()) : null;
  }

  /** @param {string} id */
  async cancel(id) {
    this.#take([await this.#study.post(at`jobs/${id}/cancel`)]);
  }

  /** Put a job that has ended early back into the queue. @param {string} id */
  async resume(id) {
    this.#paces.delete(id);
    this.#shares.delete(id);
    this.#take([await this.#study.post(at`jobs/${id}/resume`)]);
  }

  /** Read what changed. */
  async load() {
    const first = this.running[0]?.seq ?? [...this.#byId.values()].at(-1)?.seq ?? 0;
    try {
      const known = this.#byId.size === 0;
      const found = await this.#study.pages("jobs", { after: Math.max(0, first - 1) }, (job) => job.seq, 1000);
      this.#take(found, known);
      this.#study.noteAway("");
    } catch (error) {
      if (!this.#study.noteAway(error)) throw error;
    } finally {
      this.#askLater();
    }
  }

  #again() {
    this.load().catch((error) => this.#study.tell("failed", error));
  }

  /** Hear no more of them. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watched?.stream.close();
    this.tell("change", this);
  }

  /** @param {Job[]} jobs @param {boolean} [quietly] Do not tell of those that ended before. */
  #take(jobs, quietly = false) {
    if (this.#closed) return;
    const ended = jobs.filter(
      (job) => hasEnded(job) && !quietly && !hasEnded(this.#byId.get(job.id) ?? { ...job, state: "queued" }),
    );
    for (const job of jobs) this.#note(job);
    this.#watch();
    this.#askLater();
    this.tell("change", this);
    for (const job of ended) this.tell("ended", job);
  }

  /** @param {Job} job */
  #note(job) {
    const before = this.#byId.get(job.id);
    const same = before && before.task === job.task && before.state === job.state && !hasEnded(job);
    const keeps = same && before.done > job.done;
    this.#byId.set(job.id, keeps ? { ...job, done: before.done } : job);
  }

  /** Follow the job that runs; the others wait for it. */
  #watch() {
    const now = this.running.find((job) => job.state !== "queued");
    if (now?.id === this.#watched?.id) return;
    this.#watched?.stream.close();
    this.#watched = now ? { id: now.id, stream: this.#streamOf(now.id) } : null;
  }

  /** @param {string} id */
  #streamOf(id) {
    const again = () => this.#again();
    const hear = {
      progress: (/** @type {any} */ said) => this.#progress(id, said),
      learning: (/** @type {any} */ said) => this.tell("learning", { job: id, ...said }),
      state: again,
      error: again,
    };
    return new Stream(this.#study.path + at`jobs/${id}/events`, hear, { after: 0, onlost: again });
  }

  /** @param {string} id @param {{at: string, task: string, done: number, total: number}} said */
  #progress(id, said) {
    const job = this.#byId.get(id);
    if (!job) return;
    const pace = this.#paces.get(id) ?? new Pace();
    this.#paces.set(id, pace);
    pace.note(said);
    if (hasEnded(job)) return;
    this.#byId.set(id, { ...job, task: said.task, done: said.done, total: said.total });
    this.tell("change", this);
  }

  /** Streams may be lost and others may submit jobs, so ask now and then too. */
  #askLater() {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const often = !document.hidden && (this.running.length > 0 || this.#study.away !== "");
    const wait = often ? OFTEN_MS : SELDOM_MS;
    this.#timer = setTimeout(() => this.#again(), wait);
  }
}
