/**
 * Edits of this window on their way to the server: one after another, again where it is away, never lost in silence.
 * @module
 */
import { ApiError, at } from "../kernel/api.js";
import { Emitter } from "../kernel/emitter.js";
import { keep } from "./correct_kept.js";

/** @typedef {import("../app/study.js").Study} Study */
/** @typedef {import("./correct_kept.js").WindowName} WindowName */
/**
 * @typedef {object} Item An edit, undo or redo that waits for its answer.
 * @property {number} key
 * @property {"edit"|"undo"|"redo"} kind
 * @property {string} labels
 * @property {string} operation
 * @property {Record<string, any>} parameters
 * @property {number|null} base Version that was seen.
 * @property {number|null} makes Id under which the object is shown that it makes.
 * @property {Record<string, number>} from Ids of objects not made yet: the key of the item that makes each.
 * @property {string} session Name of the window that made it.
 * @property {number|null} after Last act of that window when it was first sent: a later one is this one, which
 *   may be saved though no answer came.
 * @property {string} at
 */
/** @typedef {{act: number|null, version: number, ids: number[], tiles: number[][]|null}} Answer */
/** @typedef {"saved"|"saving"|"away"} State */

const PAUSES_MS = [500, 1000, 2000, 5000, 10_000];
const AWAY = new Set([0, 401, 408, 429, 502, 503, 504]);
const LOG = 100;

/**
 * Tells "change" when its state is another, "sent" {item}, "saved" {item, answer}, "refused" {item, error} and
 * "withdrawn" {item}. It goes on while other steps are open.
 */
export class EditSession extends Emitter {
  /** @type {Item[]} */
  #items = [];
  /** @type {Item[]} Undone before they were sent. */
  #withdrawn = [];
  #study;
  #window;
  #working = false;
  #failures = 0;
  #closed = false;
  #keys = Date.now();
  #wake = () => {};
  /** The error that makes it wait. @type {ApiError|null} */
  trouble = null;

  /** @param {Study} study @param {WindowName} window */
  constructor(study, window) {
    super();
    this.#study = study;
    this.#window = window;
    addEventListener("beforeunload", this.#warn);
    addEventListener("online", this.nudge);
  }

  /** Name of this window. */
  get id() {
    return this.#window.id;
  }

  /** @returns {State} */
  get state() {
    if (!this.#items.length) return "saved";
    return this.trouble ? "away" : "saving";
  }

  /** How many wait. */
  get waiting() {
    return this.#items.length;
  }

  /** @returns {readonly Item[]} */
  get items() {
    return this.#items;
  }

  /** Send no more; what waits is kept. */
  close() {
    this.#closed = true;
    this.nudge();
    removeEventListener("beforeunload", this.#warn);
    removeEventListener("online", this.nudge);
    this.#window.release();
  }

  /**
   * Do an edit after those that wait.
   * @param {Pick<Item, "labels"|"operation"|"parameters"> & {base?: number|null, makes?: number|null}} said
   * @returns {Item}
   */
  edit({ labels, operation, parameters, base = null, makes = null }) {
    this.#withdrawn = [];
    const from = this.#fromOf(labels, parameters);
    return this.#push({ kind: "edit", labels, operation, parameters, base, makes, from });
  }

  /** Take back the last edit of this window. @param {string} labels */
  undo(labels) {
    const last = this.#items.at(-1);
    if (last?.kind === "edit" && last.labels === labels && last.after === null) return this.#withdraw(last);
    this.#push({ kind: "undo", labels, operation: "undo", parameters: {}, base: null, makes: null, from: {} });
  }

  /** Do again what was taken back last. @param {string} labels */
  redo(labels) {
    const last = this.#withdrawn.at(-1);
    if (last?.labels === labels) return void this.#push(/** @type {Item} */ (this.#withdrawn.pop()));
    this.#push({ kind: "redo", labels, operation: "redo", parameters: {}, base: null, makes: null, from: {} });
  }

  /** Go on with edits that were kept. @param {Item[]} items */
  takeOver(items) {
    this.#items.push(...items);
    this.#changed();
    void this.#work();
  }

  /** Try again now. */
  nudge = () => this.#wake();

  /** @param {Omit<Item, "key"|"after"|"at"|"session">} said @returns {Item} */
  #push(said) {
    const item = { ...said, key: ++this.#keys, session: this.id, after: null, at: new Date().toISOString() };
    this.#items.push(item);
    this.#changed();
    void this.#work();
    return item;
  }

  /** @param {Item} item */
  #withdraw(item) {
    this.#items.pop();
    this.#withdrawn.push(item);
    this.#changed();
    this.tell("withdrawn", { item });
  }

  /**
   * Which of the ids are of objects that items still wait to make.
   * @param {string} labels @param {Record<string, any>} parameters
   */
  #fromOf(labels, parameters) {
    /** @type {Record<string, number>} */
    const from = {};
    for (const id of [parameters.id, ...(parameters.ids ?? [])]) {
      const maker = this.#items.find((item) => item.labels === labels && item.makes !== null && item.makes === id);
      if (maker) from[id] = maker.key;
    }
    return from;
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    try {
      while (this.#items.length && !this.#closed) await this.#next(this.#items[0]);
    } finally {
      this.#working = false;
    }
  }

  /** @param {Item} item */
  async #next(item) {
    try {
      const answer = (item.after !== null && (await this.#answered(item))) || (await this.#send(item));
      this.#saved(item, answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (AWAY.has(error.status)) await this.#pause(error);
      else this.#refused(item, error);
    }
  }

  /** @param {Item} item @returns {Promise<Answer>} */
  async #send(item) {
    const { labels, kind, operation, parameters, base, session } = item;
    const first = item.after === null;
    item.after ??= this.#window.lastAct;
    this.#changed();
    if (first) this.tell("sent", { item });
    const path = at`labels/${labels}/`;
    if (kind !== "edit") return this.#study.post(path + kind, { session });
    return this.#study.post(`${path}edits`, { operation, parameters, base_version: base, session });
  }

  /** The answer to an item that was sent, if it is in the log. @param {Item} item @returns {Promise<Answer|null>} */
  async #answered({ labels, session, after }) {
    const log = await this.#study.get(at`labels/${labels}/edits`, { limit: LOG });
    const mine = (/** @type {any} */ each) => each.session === session && each.act.seq > (after ?? 0);
    const found = log.find(mine);
    if (!found) return null;
    this.#window.note(found.act.seq);
    const { summary: message } = found.act;
    if (found.version === null) throw new ApiError(409, { kind: "EditConflict", message, act: null });
    return { act: found.act.seq, version: found.version, ids: found.ids, tiles: null };
  }

  /** @param {Item} item @param {Answer} answer */
  #saved(item, answer) {
    this.#window.note(answer.act);
    this.#name(item, answer.ids.length ? Math.max(...answer.ids) : null);
    this.#drop(item);
    this.tell("saved", { item, answer });
  }

  /** @param {Item} item @param {ApiError} error */
  #refused(item, error) {
    this.#name(item, null);
    this.#drop(item);
    this.tell("refused", { item, error });
  }

  /** Put the id of what an item made into those that wait for it. @param {Item} maker @param {number|null} made */
  #name({ key, makes }, made) {
    if (makes === null) return;
    for (const item of [...this.#items, ...this.#withdrawn]) {
      for (const [id, from] of Object.entries(item.from)) {
        if (from !== key) continue;
        item.parameters = renamed(item.parameters, Number(id), made);
        delete item.from[id];
      }
    }
  }

  /** @param {Item} item */
  #drop(item) {
    this.#items = this.#items.filter((each) => each !== item);
    this.trouble = null;
    this.#failures = 0;
    this.#changed();
  }

  /** @param {ApiError} error */
  #pause(error) {
    this.trouble = error;
    this.#changed();
    const wait = PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)];
    return new Promise((go) => {
      const timer = setTimeout(() => go(undefined), wait);
      this.#wake = () => {
        clearTimeout(timer);
        go(undefined);
      };
    });
  }

  #changed() {
    keep({ study: this.#study.id, session: this.id, items: this.#items });
    this.tell("change", this.state);
  }

  /** Whether something is under way that is not among the items yet. */
  isDrawing = () => false;

  /** @param {BeforeUnloadEvent} event */
  #warn = (event) => {
    if (this.#items.length || this.isDrawing()) event.preventDefault();
  };
}

/**
 * @param {Record<string, any>} parameters @param {number} id @param {number|null} by Null leaves it out.
 * @returns {Record<string, any>}
 */
function renamed(parameters, id, by) {
  const named = { ...parameters };
  if (named.id === id) named.id = by;
  if (named.id === null) delete named.id;
  const ids = /** @type {number[]|undefined} */ (named.ids);
  if (ids) named.ids = ids.flatMap((each) => (each === id ? (by === null ? [] : [by]) : [each]));
  return named;
}
