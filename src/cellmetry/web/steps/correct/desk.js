/**
 * The desk of a study: where edits of this window are made, whatever step is open. One a study.
 * @module
 */
import { at } from "../../kernel/api.js";
import { planeOfLabels } from "../../app/labels.js";
import { whenInWords } from "../../app/times.js";
import { EditSession } from "./edits.js";
import { WindowName } from "./kept.js";
import { LiveLabels } from "./live.js";
import { Turns } from "./turns.js";
import { doneInWords } from "./words.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./edits.js").Item} Item */
/** @typedef {import("../../viewer/tools/bench.js").Shown} Shown */
/** @typedef {import("../../viewer/tools/bench.js").Wish} Wish */
/** @typedef {import("../../viewer/tools/bench.js").Point} Point */

/** @type {Record<string, string>} */
const UNCHANGED = {
  fill_holes: "There is no hole to fill.",
  copy_plane: "Nothing was copied: the cells are there already, or others are in their place.",
  grow: "There is no room to grow.",
};

/** @type {WeakMap<object, Promise<Desk>>} */
const desks = new WeakMap();

/** The desk of the study that is open. @param {App} app @returns {Promise<Desk>} */
export function deskOf(app) {
  const study = app.openStudy;
  const known = desks.get(study) ?? makeDesk(app);
  desks.set(study, known);
  return known;
}

/** @param {App} app */
async function makeDesk(app) {
  const { study } = app;
  const name = await WindowName.take();
  if (app.study === study) return new Desk(app, name);
  name.release();
  throw new DOMException("The study was left.", "AbortError");
}

/** Where tools bring their edits. */
export class Desk {
  #app;
  #study;
  #viewer;
  #signedOut = false;

  /** @param {App} app @param {WindowName} name */
  constructor(app, name) {
    this.#app = app;
    this.#study = app.openStudy;
    this.#viewer = app.viewer;
    this.session = new EditSession(this.#study, name);
    this.live = new LiveLabels(app, this.session);
    this.turns = new Turns(app, this.session);
    this.session.on("refused", ({ item, error }) => this.#refused(item, error));
    this.session.on("saved", ({ item, answer }) => this.#sayWhatWas(item, answer));
    this.session.on("change", () => this.#askToSignIn());
    this.#study.on("closed", () => this.#close());
  }

  /** Once, not at each attempt. */
  #askToSignIn() {
    const out = this.session.trouble?.status === 401;
    if (out && !this.#signedOut) this.#app.error(this.session.trouble);
    this.#signedOut = out;
  }

  #close() {
    this.session.close();
    this.live.close();
    this.turns.close();
  }

  /** Labels that are shown. @returns {string|null} */
  get labels() {
    return this.#viewer.labels;
  }

  /** Do what a tool asks for, in the plane that is shown. @param {Wish} wish */
  edit = ({ operation, parameters, makes = null, base = this.base(), shown = null }) => {
    const { labels } = this;
    if (!labels) return null;
    if (this.isFlat) {
      if (shown) this.forget(labels, shown);
      return this.#sayFlat();
    }
    const said = { labels, operation, parameters: { ...parameters, ...this.plane }, base, makes };
    const item = this.session.edit(said);
    this.live.show(item, shown);
    return item;
  };

  /** Frame and plane of the labels that are shown. */
  get plane() {
    return planeOfLabels(this.#study.labels.find(this.labels ?? ""), this.#viewer);
  }

  /** Whether all planes are shown in one, so that nobody sees in which one labels would change. */
  get isFlat() {
    const { axes = "", shape = [] } = this.#study.labels.find(this.labels ?? "") ?? {};
    return this.#viewer.projection !== "none" && axes.includes("Z") && shape[axes.indexOf("Z")] > 1;
  }

  /** @returns {null} */
  #sayFlat() {
    const run = () => this.#viewer.setProjection("none");
    const text = "All planes are shown in one, but cells are corrected plane by plane. Nothing was changed.";
    this.#app.toast(text, { action: { text: "Show one plane", run } });
    return null;
  }

  /**
   * Say what one would not see: that nothing changed, or that a cell is there in other planes still.
   * @param {Item} item @param {import("./edits.js").Answer} answer
   */
  #sayWhatWas(item, { act }) {
    const { kind, operation, parameters, labels } = item;
    if (kind !== "edit") return;
    if (act === null) return this.hint(UNCHANGED[operation] ?? "That changes nothing here.");
    const found = this.#study.labels.find(labels);
    if (operation !== "delete" || parameters.planes || !found?.linked_z || !found.axes.includes("Z")) return;
    const run = () => this.session.edit({ ...item, parameters: { ...parameters, planes: "z" }, base: this.base() });
    const text = `Deleted in plane ${parameters.z + 1} only; in other planes the cell stays.`;
    this.#app.toast(text, { action: { text: "Delete in all planes", run } });
  }

  base = () => this.live.base;

  newId = () => this.live.newId();

  /** Take away a stroke that was left. @param {string|null} labels @param {Shown} shown */
  forget = (labels, shown) => this.live.forget(labels, shown);

  /** @param {string} text */
  hint = (text) => void this.#app.toast(text, { kind: "info" });

  /** Ask for a cell at a point; null where none is proposed. @param {Point} point @param {AbortSignal} signal */
  propose = async ({ y, x }, signal) => {
    if (!this.labels) return null;
    try {
      const said = await this.#study.post(at`labels/${this.labels}/propose`, { y, x, ...this.plane }, signal);
      if (said.reason && !signal.aborted) this.hint(said.reason);
      return said;
    } catch (error) {
      if (!signal.aborted) this.#tellOf(error);
      return null;
    }
  };

  undo = async () => {
    const { labels, turns } = this;
    if (!turns.known && !this.session.waiting) await turns.read(); // else the server would refuse what is not there
    if (!labels || labels !== this.labels) return;
    if (turns.known && !turns.own && !this.session.waiting) this.#offerOlder(labels);
    else this.session.undo(labels);
  };

  redo = () => {
    if (!this.labels) return;
    if (this.turns.canRedo || this.session.waiting) this.session.redo(this.labels);
    else this.hint("There is nothing to redo.");
  };

  /** @param {any} error */
  #tellOf(error) {
    if (error.status === 404 || error.status === 422) this.hint(error.message);
    else this.#app.error(error);
  }

  /** @param {Item} item @param {import("../../kernel/api.js").ApiError} error */
  #refused(item, error) {
    if (error.status === 409) void this.#conflict(item, error);
    else if (item.kind === "undo" && error.status === 422)
      void this.turns.read().then(() => this.#offerOlder(item.labels));
    else this.#tellOf(error);
  }

  /** Nothing of this window is left to be undone: offer what this person did last in others. @param {string} labels */
  #offerOlder(labels) {
    const { older } = this.turns;
    if (!older) return this.hint("There is nothing to undo.");
    const run = () => this.session.undo(labels, older.act.seq);
    const text = `Nothing that you did in this window is left to undo. Before that: ${doneInWords(older)}, ${whenInWords(older.act.at)}.`;
    this.#app.toast(text, { action: { text: "Undo that", run } });
  }

  /** @param {Item} item @param {import("../../kernel/api.js").ApiError} error */
  async #conflict(item, error) {
    const other = await this.live.catchUp(item, error);
    const what = item.kind === "edit" ? "Your edit was not made." : "It was not undone.";
    const who = other?.act.who === this.#app.session.who ? "You, in another window," : other?.act.who;
    const text = other
      ? `${who} changed this place at ${whenInWords(other.act.at)} (${other.act.summary}). ${what} Look at it first.`
      : error.message;
    const base = () => Math.max(error.said.version ?? 0, this.base() ?? 0) || null;
    const again = () => this.session.edit({ ...item, base: base() });
    const action = item.kind === "edit" ? { text: "Do it again", run: again } : null;
    this.#app.toast(text, { kind: "error", action });
  }
}
