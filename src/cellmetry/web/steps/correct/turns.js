/** What of this person's edits can be undone and done again. @module */
import { at } from "../../kernel/api.js";
import { Emitter } from "../../kernel/emitter.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./edits.js").EditSession} EditSession */

const LOG = 50;
/** What a job did is taken back in the history, not by Ctrl+Z. */
const OF_JOBS = new Set(["rebase"]);

/** Tells "change" when something can be undone that could not, or the other way round. */
export class Turns extends Emitter {
  /** Whether the log has said what there is. */
  known = false;
  /** Whether this window has an edit to undo. */
  own = false;
  /** Whether this window has an edit to do again. */
  again = false;
  /** The last edit of this person in another window. @type {any} */
  older = null;
  #app;
  #session;
  #labels = "";
  #turn = 0;
  /** Whether the log was asked and has not answered. */
  #reads = false;
  #offs;

  /** @param {App} app @param {EditSession} session */
  constructor(app, session) {
    super();
    this.#app = app;
    this.#session = session;
    this.#offs = [
      session.on("saved", ({ item }) => this.#saved(item)),
      session.on("refused", () => this.read()),
      session.on("change", () => this.tell("change", this)),
      app.openStudy.on("act", (act) => act.undoes !== null && this.read()),
      app.viewer.on("shown", () => this.#look()),
    ];
    this.#look();
  }

  close() {
    for (const off of this.#offs) off();
  }

  /** Whether Undo does something. */
  get canUndo() {
    return !this.known || this.own || this.older !== null || this.#waits;
  }

  /** Whether Redo does something. */
  get canRedo() {
    return !this.known || this.again || this.#session.hasWithdrawn(this.#labels);
  }

  get #waits() {
    return this.#session.items.some((item) => item.labels === this.#labels);
  }

  #look() {
    const labels = this.#app.viewer.labels ?? "";
    if (labels === this.#labels) return;
    this.#labels = labels;
    [this.known, this.own, this.again, this.older] = [false, false, false, null];
    this.tell("change", this);
    void this.read();
  }

  /** An edit can be undone, and ends what could be done again; of undoing the log knows. @param {any} item */
  #saved({ kind, labels }) {
    if (labels !== this.#labels) return;
    if (kind !== "edit") return void this.read();
    [this.own, this.again] = [true, false];
    if (this.#reads) void this.read(); // what was asked before may not know this edit
    this.tell("change", this);
  }

  /** Ask the log. @returns {Promise<void>} */
  async read() {
    const labels = this.#labels;
    const turn = ++this.#turn;
    this.#reads = labels !== "";
    if (!labels) return;
    const read = this.#app.openStudy.get(at`labels/${labels}/edits`, { limit: LOG });
    const log = await read.catch(() => null); // while the server is away, what was known holds
    if (turn !== this.#turn) return;
    this.#reads = false;
    if (!log || labels !== this.#labels) return;
    const mine = log.filter(
      (/** @type {any} */ each) => each.act.who === this.#app.session.who && each.version !== null,
    );
    const here = mine.filter((/** @type {any} */ each) => each.session === this.#session.id);
    this.known = true;
    this.own = here.some(holds);
    this.older = mine.find((/** @type {any} */ each) => holds(each) && !OF_JOBS.has(each.operation)) ?? null;
    const last = here.find((/** @type {any} */ { operation, act }) => operation !== "redo" && !isSpent(operation, act));
    this.again = last?.operation === "undo";
    this.tell("change", this);
  }
}

/** Whether an edit is there to be undone. @param {any} edit */
const holds = ({ act }) => act.undone_by === null && act.undoes === null;

/** Whether it is an undo that was done again. @param {string} operation @param {any} act */
const isSpent = (operation, act) => operation === "undo" && act.undone_by !== null;
