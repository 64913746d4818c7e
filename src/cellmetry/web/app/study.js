/** A study that is open in this window. @module */
import { ApiError, at, get, patch, post, put, remove } from "../kernel/api.js";
import { Emitter } from "../kernel/emitter.js";
import { ImageList } from "./images.js";
import { Jobs } from "./jobs.js";
import { LabelsList } from "./labels.js";
import { Stream } from "./stream.js";
import { Uploads } from "./uploads.js";

const OF_IMAGES = new Set(["add images", "read again", "remove images", "say", "undo", "redo"]);
const SOON_MS = 1000;
const AGAIN_MS = 3000;
const WARM_MS = 600_000;
/** What a proxy or a busy server says for a while. */
const PASSING = new Set([408, 429, 502, 503, 504]);

/**
 * Tells `away` when the server can no longer be reached or is there again,
 * `act` with each act of anybody (with `edit` where it is one of labels), `named` when its name or notes change,
 * and `closed` with an error when it can no longer be had, or null when this window leaves it.
 */
export class Study extends Emitter {
  images = new ImageList(this);
  labels = new LabelsList(this);
  jobs = new Jobs(this);
  uploads = new Uploads(this);
  /** Why nothing can be had for now; empty if all is well. @type {""|"unreachable"|"signed out"} */
  away = "";
  /** @type {Stream|null} */
  #stream = null;
  #warmed = 0;
  #readEdited = this.#soon(() => this.labels.readEdited());
  #said;

  /** @param {Record<string, any>} said As `GET studies/ID` answers. */
  constructor(said) {
    super();
    this.#said = said;
  }

  /**
   * Return a study with its lists read, following what happens in it.
   * @param {string} id
   * @returns {Promise<Study>}
   */
  static async open(id) {
    const study = new Study(await get(at`studies/${id}`));
    await Promise.all([study.images.load(), study.labels.load(), study.jobs.load()]);
    study.#follow();
    study.#followJobs();
    return study;
  }

  /** @returns {string} */
  get id() {
    return this.#said.id;
  }

  /** @returns {string} */
  get name() {
    return this.#said.name;
  }

  /** @returns {string} */
  get notes() {
    return this.#said.notes;
  }

  /** What this person may do: viewer, editor or owner. @returns {"viewer"|"editor"|"owner"} */
  get role() {
    return this.#said.role;
  }

  /** Why nothing can be changed, as a sentence; empty if all can. @returns {string} */
  get readOnly() {
    return this.#said.read_only || (this.role === "viewer" ? "You may look at this study, not change it." : "");
  }

  /** What was found and mended when the study was opened. @returns {string[]} */
  get notices() {
    return this.#said.notices;
  }

  /** Where its part of the API begins: `studies/ID/`. */
  get path() {
    return at`studies/${this.id}/`;
  }

  /** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] */
  get = (path, query, signal) => get(this.path + path, query, signal);

  /** @param {string} path @param {any} [body] @param {AbortSignal} [signal] */
  post = (path, body, signal) => post(this.path + path, body, signal);

  /** @param {string} path @param {any} [body] */
  patch = (path, body) => patch(this.path + path, body);

  /** @param {string} path @param {any} [body] */
  put = (path, body) => put(this.path + path, body);

  /** @param {string} path */
  remove = (path) => remove(this.path + path);

  /**
   * Return all pages of a list.
   * @param {string} path
   * @param {Record<string, any>} query
   * @param {(each: any) => any} key What `after` of the next page is.
   * @param {number} limit
   * @returns {Promise<any[]>}
   */
  async pages(path, query, key, limit) {
    /** @type {any[]} */
    const all = [];
    for (let page = [], more = query; ; more = { ...query, after: key(page.at(-1)) }) {
      page = await this.get(path, { ...more, limit });
      all.push(...page);
      if (page.length < limit) return all;
    }
  }

  /** Take back an act. @param {number} seq @returns {Promise<any>} The act that did. */
  undo(seq) {
    return this.post(at`acts/${seq}/undo`);
  }

  /** Do an act again that was taken back. @param {number} seq */
  redo(seq) {
    return this.post(at`acts/${seq}/redo`);
  }

  /** Say another name, or notes. @param {{name?: string, notes?: string}} said */
  async say(said) {
    this.#said = { ...this.#said, ...(await patch(at`studies/${this.id}`, said)) };
    this.tell("named", this);
  }

  /**
   * Note that the server cannot be reached, or knows this person no more, or (`""`) that all is well again.
   * @param {unknown} error
   * @returns {boolean} Whether it is one of these.
   */
  noteAway(error) {
    const status = error instanceof ApiError ? error.status : -1;
    const why = error === "" ? "" : status === 0 ? "unreachable" : status === 401 ? "signed out" : null;
    if (why === null) return false;
    if (why === this.away) return true;
    this.away = why;
    this.tell("away", why);
    if (!why) for (const list of [this.images, this.labels]) list.load().catch((wrong) => this.tell("failed", wrong));
    return true;
  }

  /** Have the server load what previews and proposals need, before somebody waits for the first. */
  warm() {
    if (this.readOnly || Date.now() - this.#warmed < WARM_MS) return;
    this.#warmed = Date.now();
    this.post("preview/warm").catch(() => {}); // the first answer takes longer then, which is all
  }

  /** Leave it. */
  close() {
    this.#stream?.close();
    this.#stream = null;
    this.jobs.close();
    this.tell("closed", null);
  }

  #follow() {
    const hear = { act: (/** @type {any} */ act) => this.#heard(act) };
    this.#stream = new Stream(`${this.path}events`, hear, { after: this.#said.last_act, onlost: () => this.#lost() });
  }

  /** Jobs make images readable and bring labels bit by bit, without an act for each. */
  #followJobs() {
    const images = this.#soon(() => this.images.load());
    const labels = this.#soon(() => this.labels.load());
    const [reads, labelled] = [new Set(["read"]), new Set(["segment", "import", "rebase", "relabel", "count"])];
    this.jobs.on("change", () => {
      const kinds = new Set(this.jobs.running.filter((job) => job.done > 0).map((job) => job.kind));
      if ([...kinds].some((kind) => reads.has(kind))) images();
      if ([...kinds].some((kind) => labelled.has(kind))) labels();
    });
    this.jobs.on("ended", (job) => {
      if (reads.has(job.kind)) images();
      if (labelled.has(job.kind)) labels();
    });
  }

  /** @param {() => Promise<void>} run @returns {() => void} Runs it a second later, once for all calls till then. */
  #soon(run) {
    let waits = false;
    return () => {
      if (waits) return;
      waits = true;
      setTimeout(() => {
        waits = false;
        run().catch((error) => this.tell("failed", error));
      }, SOON_MS);
    };
  }

  /** @param {any} act */
  #heard(act) {
    if (act.edit) {
      this.labels.edited(act.edit);
      this.#readEdited();
    } else this.#reload(act);
    this.tell("act", act);
  }

  /** @param {any} act */
  #reload(act) {
    const failed = (/** @type {any} */ error) => this.tell("failed", error);
    if (OF_IMAGES.has(act.verb)) this.images.load().catch(failed);
    if (act.verb !== "say") this.labels.load().catch(failed);
    this.jobs.load().catch(failed);
    if (act.verb === "say" && !act.details.images) this.#again().catch(failed);
  }

  async #again() {
    this.#said = await get(at`studies/${this.id}`);
    this.tell("named", this);
  }

  /** The stream is refused: say so if the study is gone, else try again later. */
  async #lost() {
    try {
      this.#said = await get(at`studies/${this.id}`);
      this.noteAway("");
      setTimeout(() => this.#stream?.again(), AGAIN_MS);
    } catch (error) {
      const passing = this.noteAway(error) || (error instanceof ApiError && PASSING.has(error.status));
      if (passing) setTimeout(() => this.#stream && this.#lost(), AGAIN_MS);
      else this.tell("closed", error);
    }
  }
}
