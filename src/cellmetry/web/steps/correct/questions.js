/** A question of a rebase: what the person made and what the new model sees, in one picture. @module */
import { at } from "../../kernel/api.js";

/** @typedef {import("../../viewer/overlay.js").Shape} Shape */

const MINE = "#ffffff";
const THEIRS = "#7fe3ff";

/**
 * Return the outlines of both sides of a question.
 * @param {import("../../app/study.js").Study} study @param {string} question
 * @returns {Promise<Shape[]>}
 */
export async function outlinesOf(study, question) {
  const { box, mine, theirs } = await study.get(at`questions/${question}`);
  const placed = (/** @type {number[][]} */ points) => points.map(([y, x]) => [y + box.y0, x + box.x0]);
  const shapes = (/** @type {number[][]} */ ids, /** @type {Partial<Shape>} */ look) =>
    rimsOf(ids).map((points) => ({ points: placed(points), ...look }));
  return [...shapes(mine, { colour: MINE, width: 2 }), ...shapes(theirs, { colour: THEIRS, width: 2, dashed: true })];
}

/**
 * Return the lines between pixels of different ids, as few as possible.
 * @param {number[][]} ids Row by row. @returns {number[][][]} Lines of two points (y, x).
 */
function rimsOf(ids) {
  const [height, width] = [ids.length, ids[0]?.length ?? 0];
  const idAt = (/** @type {number} */ y, /** @type {number} */ x) => ids[y]?.[x] ?? 0;
  const across = runs(height + 1, width, (y, x) => idAt(y - 1, x) !== idAt(y, x));
  const down = runs(width + 1, height, (x, y) => idAt(y, x - 1) !== idAt(y, x));
  return [
    ...across.map(([y, from, to]) => [
      [y, from],
      [y, to],
    ]),
    ...down.map(([x, from, to]) => [
      [from, x],
      [to, x],
    ]),
  ];
}

/**
 * @param {number} lines @param {number} length @param {(line: number, k: number) => boolean} holds
 * @returns {number[][]} Line, from, to.
 */
function runs(lines, length, holds) {
  const found = [];
  for (let line = 0; line < lines; line++) {
    let from = -1;
    for (let k = 0; k <= length; k++) {
      const here = k < length && holds(line, k);
      if (here && from < 0) from = k;
      if (!here && from >= 0) {
        found.push([line, from, k]);
        from = -1;
      }
    }
  }
  return found;
}
