/**
 * What tools work with: the viewer, what is chosen for them, and where their edits go.
 * @module
 */
import { Emitter } from "../../kernel/emitter.js";
import { noteTaste, taste } from "../../app/tastes.js";

/** @typedef {import("../viewer.js").Viewer} Viewer */
/** @typedef {{y: number, x: number}} Point */
/**
 * @typedef {object} Choices
 * @property {number} size Diameter of the pen in pixels of the image.
 * @property {boolean} over Whether other objects are painted over.
 * @property {boolean} only Whether only the object is erased in which the stroke begins.
 * @property {boolean} partly Whether a lasso takes objects of which only a part is inside.
 * @property {number} pixels By how much objects grow and shrink.
 */
/**
 * @typedef {object} Shown What stands in the picture until the server has answered.
 * @property {import("../strokes.js").Stroke[]} [strokes]
 * @property {number[][]} [tiles]
 * @property {number[][]} [outline] (y, x)
 */
/**
 * @typedef {object} Wish An edit that a tool asks for.
 * @property {string} operation
 * @property {Record<string, any>} parameters Without frame and plane.
 * @property {number|null} [makes] Id under which the object is shown that it makes.
 * @property {number|null} [base] Version that was seen when it was begun.
 * @property {Shown|null} [shown]
 */

/**
 * @typedef {object} Desk Where edits go.
 * @property {string|null} labels That are shown.
 * @property {(wish: Wish) => void} edit
 * @property {(labels: string|null, shown: Shown) => void} forget Take away what is shown of a stroke that was left.
 * @property {(text: string) => void} hint
 * @property {() => number|null} base Version that is seen.
 * @property {() => number} newId Id that the next new object will likely have.
 * @property {(at: Point, signal: AbortSignal) => Promise<any>} propose
 */

/** @type {Choices} */
const CHOICES = { size: 12, over: false, only: false, partly: false, pixels: 2 };
const LARGEST = 400;

/** Tells "choices" when another size or the like is chosen, and "busy" while a stroke is under way. */
export class Bench extends Emitter {
  /** @type {Choices} */
  choices = { ...CHOICES, ...taste("correct.choices", {}) };
  /** Whether a stroke is under way. */
  busy = false;

  /**
   * @param {Viewer} viewer
   * @param {Desk} desk
   */
  constructor(viewer, desk) {
    super();
    this.viewer = viewer;
    this.desk = desk;
  }

  /** Half the size of the pen. */
  get radius() {
    return Math.max(this.choices.size / 2, 0.5);
  }

  /** @param {Partial<Choices>} changes */
  choose(changes) {
    Object.assign(this.choices, changes);
    this.choices.size = Math.min(Math.max(Math.round(this.choices.size), 1), LARGEST);
    noteTaste("correct.choices", this.choices);
    this.viewer.redraw();
    this.tell("choices", this.choices);
  }

  /** Make the pen larger or smaller by a step that one feels. @param {number} way 1 or -1 */
  resize(way) {
    const { size } = this.choices;
    const by = Math.max(1, Math.round(size * 0.15));
    this.choose({ size: size + way * by });
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.busy = busy;
    this.tell("busy", busy);
  }
}
