/**
 * What the viewer shows of edits: strokes at once, then what the server made of them, and what others do.
 * @module
 */
import { at } from "../../kernel/api.js";
import { planeOfLabels } from "../../app/labels.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./edits.js").EditSession} EditSession */
/** @typedef {import("./edits.js").Item} Item */
/** @typedef {import("../../viewer/tools/bench.js").Shown} Shown */

const TILE = 512;
const NOTE_MS = 4000;
const UNSAVED = "#7fe3ff";
const OTHERS = "#ffcf5c";

/** Versions of labels that are known without a gap: what somebody has seen when they edit. */
class Seen {
  #later = new Set();

  /** @param {number} base */
  constructor(base) {
    this.base = base;
  }

  /** @param {number} version */
  note(version) {
    if (version > this.base) this.#later.add(version);
    while (this.#later.delete(this.base + 1)) this.base++;
  }
}

/** Keeps the viewer of a study up to date, whatever step is open. */
export class LiveLabels {
  #viewer;
  #study;
  #session;
  /** @type {Map<number, Shown>} By the key of the item. */
  #shown = new Map();
  /** @type {Map<string, Seen>} */
  #seen = new Map();
  /** @type {Map<string, number>} */
  #next = new Map();
  /** @type {{points: number[][], text: string}[]} */
  #notes = [];
  #offs;

  /** @param {App} app @param {EditSession} session */
  constructor(app, session) {
    this.#viewer = app.viewer;
    this.#study = app.openStudy;
    this.#session = session;
    this.#offs = [
      session.on("saved", ({ item, answer }) => this.#saved(item, answer)),
      session.on("refused", ({ item }) => this.#withdraw(item)),
      session.on("withdrawn", ({ item }) => this.#withdraw(item)),
      this.#study.on("act", (act) => act.edit && this.#heard(act)),
      this.#study.on("away", (why) => this.#back(why)),
      this.#viewer.on("shown", () => this.#look()),
    ];
    this.#look();
  }

  close() {
    for (const off of this.#offs) off();
  }

  /** Version that somebody sees who looks now. @returns {number|null} */
  get base() {
    return this.#seen.get(this.#viewer.labels)?.base ?? this.#viewer.version;
  }

  /** The id that the next new object will likely have. */
  newId() {
    const labels = this.#viewer.labels;
    const known = Math.max(this.#study.labels.find(labels)?.next_id ?? 1, this.#next.get(labels) ?? 1);
    const waiting = this.#session.items.filter((item) => item.labels === labels);
    return waiting.reduce((id, { makes }) => Math.max(id, (makes ?? 0) + 1), known);
  }

  /** Show what an item will do until its answer comes. @param {Item} item @param {Shown|null|undefined} shown */
  show(item, shown) {
    if (shown) this.#shown.set(item.key, shown);
    this.#showOutlines();
  }

  /** Read again what an act changed. @param {string} labels @param {{boxes: number[][], version: number|null}} edit */
  refresh(labels, { boxes, version }) {
    void this.#viewer.refresh(this.#tilesOf(labels, boxes), { labels, version, settles: [] });
  }

  /** @param {Item} item @param {import("./edits.js").Answer} answer */
  #saved(item, { version, ids, tiles }) {
    const shown = this.#shown.get(item.key);
    this.#shown.delete(item.key);
    this.#showOutlines();
    this.#learn(item.labels, version, ids);
    const all = tiles && [...tiles, ...(shown?.tiles ?? [])];
    void this.#viewer.refresh(all, { labels: item.labels, version, settles: shown?.strokes ?? [] });
  }

  /** Take away what an item showed. @param {Item} item */
  #withdraw(item) {
    const shown = this.#shown.get(item.key);
    this.#shown.delete(item.key);
    this.#showOutlines();
    if (shown) this.forget(item.labels, shown);
  }

  /** Take away what was shown of labels before it was an edit. @param {string|null} labels @param {Shown} shown */
  forget(labels, { strokes, tiles }) {
    if (!strokes || labels === null) return;
    void this.#viewer.refresh(tiles, { labels, version: 0, settles: strokes });
  }

  /** @param {any} act */
  #heard({ edit, who }) {
    const { labels, version, ids, boxes, session } = edit;
    if (version === null) return;
    this.#learn(labels, version, ids);
    if (session === this.#session.id) return;
    this.refresh(labels, { boxes, version });
    if (session && labels === this.#viewer.labels) this.#note(who, boxes);
  }

  /** @param {string} labels @param {number} version @param {number[]} ids */
  #learn(labels, version, ids) {
    this.#seen.get(labels)?.note(version);
    const most = ids.reduce((a, b) => Math.max(a, b), 0);
    this.#next.set(labels, Math.max(this.#next.get(labels) ?? 1, most + 1));
  }

  /** Other labels may be shown now. */
  #look() {
    const { labels, version } = this.#viewer;
    if (labels && !this.#seen.has(labels)) this.#seen.set(labels, new Seen(version ?? 0));
  }

  /** The server is there again, perhaps with other labels than before. @param {string} why */
  #back(why) {
    if (!why) this.#viewer.refresh([], { settles: [] }).catch(() => {}); // the viewer's next tile says what is wrong
  }

  /** @param {string} labels @param {number[][]} boxes t, z, y0, y1, x0, x1 @returns {number[][]} */
  #tilesOf(labels, boxes) {
    /** @type {any} */
    const found = this.#study.labels.find(labels);
    const tiles = new Map();
    for (let level = 0; level < (found?.levels ?? 1); level++)
      for (const box of boxes) for (const tile of tilesOfBox(level, box)) tiles.set(tile.join(), tile);
    return [...tiles.values()];
  }

  /** Say for a moment who changed something. @param {string} who @param {number[][]} boxes */
  #note(who, boxes) {
    const plane = planeOfLabels(this.#study.labels.find(this.#viewer.labels ?? ""), this.#viewer);
    const here = boxes.filter(([t, z]) => t === plane.t && z === plane.z).slice(0, 20);
    const notes = here.map(([, , ...box], k) => ({ points: cornersOf(box), text: k ? "" : who }));
    this.#notes.push(...notes);
    this.#showOutlines();
    setTimeout(() => {
      this.#notes = this.#notes.filter((each) => !notes.includes(each));
      this.#showOutlines();
    }, NOTE_MS);
  }

  #showOutlines() {
    const outlines = [...this.#shown.values()].flatMap((shown) => (shown.outline ? [shown.outline] : []));
    const mine = outlines.map((points) => ({ points, closed: true, colour: UNSAVED, fill: 0.25, width: 1.5 }));
    const theirs = this.#notes.map((note) => ({ ...note, closed: true, colour: OTHERS, dashed: true, width: 1.5 }));
    const shapes = [...mine, ...theirs];
    this.#viewer.setLayer("edits", shapes.length ? { kind: "shapes", shapes } : null);
  }

  /**
   * Say who was in the way of an edit, and bring the picture up to date.
   * @param {Item} item @param {import("../../kernel/api.js").ApiError} error
   * @returns {Promise<any>} The other edit, if it is known.
   */
  async catchUp(item, { said }) {
    const path = at`labels/${item.labels}/edits/${said.act}`;
    const other = said.act === null || said.act === undefined ? null : await this.#study.get(path).catch(() => null);
    const boxes = other?.boxes.map((/** @type {any} */ box) => [box.t, box.z, box.y0, box.y1, box.x0, box.x1]) ?? [];
    if (other) this.refresh(item.labels, { boxes, version: said.version ?? other.version });
    if (other && item.labels === this.#viewer.labels) this.#note(other.act.who, boxes);
    return other;
  }
}

/** @param {number} level @param {number[]} box @returns {number[][]} */
function tilesOfBox(level, [t, z, y0, y1, x0, x1]) {
  const side = TILE * 2 ** level;
  const tiles = [];
  for (let row = Math.floor(y0 / side); row * side < y1; row++)
    for (let column = Math.floor(x0 / side); column * side < x1; column++) tiles.push([level, t, z, row, column]);
  return tiles;
}

/**
 * An outline of a box that begins in the middle of its top, where a text stands.
 * @param {number[]} box y0, y1, x0, x1 @returns {number[][]}
 */
export const cornersOf = ([y0, y1, x0, x1]) => [
  [y0, (x0 + x1) / 2],
  [y0, x1],
  [y1, x1],
  [y1, x0],
  [y0, x0],
];
