/**
 * Edits of this window on their way to the server: one after another, again where it is away, never lost in silence.
 * @module
 */
import { ApiError, at } from "../../kernel/api.js";
import { Emitter } from "../../kernel/emitter.js";
import { keep, newLoad } from "./kept.js";

/** @typedef {import("../../app/study.js").Study} Study */
/** @typedef {import("./kept.js").WindowName} WindowName */
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
 * @property {boolean} sent Whether it was sent: it may be saved though no answer came.
 * @property {string} at
 */
/** @typedef {{act: number|null, version: number, ids: number[], tiles: number[][]|null}} Answer */
/** @typedef {"saved"|"saving"|"away"} State */

const PAUSES_MS = [500, 1000, 2000, 5000, 10_000];
const AWAY = new Set([0, 401, 408, 429, 502, 503, 504]);

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
  /** Of this page: what it keeps takes the place of nothing that was kept before a reload. */
  #load = newLoad();
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

  /** What it keeps is kept under this. */
  get load() {
    return this.#load;
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

  /** Take back the last edit of this window, or one edit. @param {string} labels @param {number|null} [act] */
  undo(labels, act = null) {
    const last = act === null ? this.#items.at(-1) : null;
    if (last?.kind === "edit" && last.labels === labels && !last.sent) return this.#withdraw(last);
    const parameters = act === null ? {} : { act };
    this.#push({ kind: "undo", labels, operation: "undo", parameters, base: null, makes: null, from: {} });
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

  /** Whether an edit of labels waits that was taken back before it was sent. @param {string} labels */
  hasWithdrawn = (labels) => this.#withdrawn.at(-1)?.labels === labels;

  /** @param {Omit<Item, "key"|"sent"|"at"|"session">} said @returns {Item} */
  #push(said) {
    const item = { ...said, key: ++this.#keys, session: this.id, sent: false, at: new Date().toISOString() };
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
      const answer = (item.sent && (await this.answered(item))) || (await this.#send(item));
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
    const first = !item.sent;
    item.sent = true;
    this.#changed();
    if (first) this.tell("sent", { item });
    const path = at`labels/${labels}/`;
    const said = { session, key: keyOf(item) };
    if (kind !== "edit") return this.#study.post(path + kind, { ...parameters, ...said });
    return this.#study.post(`${path}edits`, { operation, parameters, base_version: base, ...said });
  }

  /** The answer to an item that was sent, if it is in the log. @param {Item} item @returns {Promise<Answer|null>} */
  async answered(item) {
    const [found] = await this.#study.get(at`labels/${item.labels}/edits`, { key: keyOf(item), limit: 1 });
    if (!found) return null;
    const { summary: message } = found.act;
    if (found.version === null) throw new ApiError(409, { kind: "EditConflict", message, act: null });
    return { act: found.act.seq, version: found.version, ids: found.ids, tiles: null };
  }

  /** @param {Item} item @param {Answer} answer */
  #saved(item, answer) {
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
    keep({ study: this.#study.id, session: this.id, load: this.#load, items: this.#items });
    this.tell("change", this.state);
  }

  /** Whether something is under way that is not among the items yet. */
  isDrawing = () => false;

  /** @param {BeforeUnloadEvent} event */
  #warn = (event) => {
    if (this.#items.length || this.isDrawing()) event.preventDefault();
  };
}

/** By what an item is found in the log: like no other of any window. @param {Item} item */
const keyOf = ({ session, key }) => `${session}.${key}`;

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
