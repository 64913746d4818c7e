/** What a training came to, in numbers and in words. @module */
import { counted } from "../../app/said.js";

/** @typedef {import("../../app/images.js").ImageView} ImageView */
/**
 * @typedef {object} Sum Scores of all images that were held out.
 * @property {number} right Cells that were found as they are.
 * @property {number} extra
 * @property {number} missed
 * @property {number|null} f1 Of the cells of all images, in percent as the next two; null where there are none.
 * @property {number} ap50 Mean of the images.
 * @property {number|null} ap75 Mean of the images; null where it was not measured.
 * @property {number} quality What decides which model is better.
 */
/**
 * @typedef {object} Outcome
 * @property {string[]} names Items that were held out.
 * @property {number} cells True ones in them.
 * @property {Sum|null} before Null where the model began from nothing.
 * @property {Sum} after
 * @property {number} better How many images are better than before.
 * @property {"better"|"same"|"worse"|"new"} verdict
 */

const SAME = 0.5;
const FEW_HELD_OUT = 3;
const SAME_REPLICATES =
  "Held-out images are of replicates that taught the model too: " +
  "the numbers hold for more of the same, not for a new experiment.";

/**
 * Return what the scores of a training come to; null where it has none of cells.
 * @param {any} result Of a job `train`. @returns {Outcome|null}
 */
export function outcomeOf({ before, after }) {
  if (!after?.length || after[0].f1 === undefined || after[0].f1 === null) return null;
  const [was, is] = [before && sumOf(before), sumOf(after)];
  const gain = was ? is.quality - was.quality : 0;
  const better = (before ?? []).filter(
    (/** @type {any} */ row, /** @type {number} */ k) => qualityOf(after[k]) > qualityOf(row),
  );
  const verdict = !was ? "new" : gain > SAME ? "better" : gain < -SAME ? "worse" : "same";
  const cells = after.reduce((/** @type {number} */ all, /** @type {any} */ row) => all + row.objects, 0);
  return {
    names: after.map((/** @type {any} */ row) => row.name),
    cells,
    before: was,
    after: is,
    better: better.length,
    verdict,
  };
}

/** @param {any} row */
const qualityOf = ({ ap50, ap75 }) => (ap50 + (ap75 ?? ap50)) / 2;

/** @param {any[]} rows @returns {Sum} */
function sumOf(rows) {
  const sum = (/** @type {(row: any) => number} */ of) => rows.reduce((all, row) => all + of(row), 0);
  const mean = (/** @type {(row: any) => number} */ of) => (100 * sum(of)) / rows.length;
  const right = sum(({ f1, objects, found }) => Math.round((f1 * (objects + found)) / 2));
  const [found, objects] = [sum((row) => row.found), sum((row) => row.objects)];
  const measured = rows.every((row) => (row.ap75 ?? null) !== null);
  return {
    right,
    extra: found - right,
    missed: objects - right,
    quality: mean(qualityOf),
    f1: found + objects ? (200 * right) / (found + objects) : null,
    ap50: mean((row) => row.ap50),
    ap75: measured ? mean((row) => row.ap75) : null,
  };
}

/** @type {Record<Outcome["verdict"], string>} */
export const VERDICTS = {
  better: "The new model is better.",
  same: "The new model is about as good as the one before.",
  worse: "The new model is not better.",
  new: "The model is trained.",
};

/** @type {Record<Outcome["verdict"], string>} */
const ADVICE = {
  better: "Activate it, then segment again: your corrections stay.",
  same: "Correct more fields, or train longer. Discard it if you see nothing better in the pictures.",
  worse: "Discard it. Correct more fields, or make sure that all cells of the chosen ones are right, and train again.",
  new: "Look at the pictures before you activate it.",
};

/**
 * Return what an outcome means, as sentences.
 * @param {Outcome} outcome
 */
export function sentencesOf({ names, cells, before, after, better, verdict }) {
  const where = `On ${counted(names.length, "image")} that did not teach it`;
  const is = `${after.right} of ${counted(cells, "cell")} are found right`;
  if (!before) return `${where}, ${is}. ${ADVICE[verdict]}`;
  const of = names.length > 1 ? ` It is better on ${better} of ${names.length} images.` : "";
  return `${where}, ${is}, instead of ${before.right}.${of} ${ADVICE[verdict]}`;
}

/**
 * Return what is to be kept in mind of an outcome.
 * @param {Outcome} outcome
 * @param {any} details Of the result of the training.
 * @param {(id: string) => ImageView|undefined} find
 * @returns {string[]}
 */
export function cautionsOf({ names }, details, find) {
  const only = `Only ${counted(names.length, "image")} could be held out, so the numbers may differ by chance.`;
  const few = names.length < FEW_HELD_OUT && `${only} Correct more images to be surer.`;
  const held = new Set(names);
  const images = Object.entries(details.images ?? {}).map(([id, { items }]) => ({
    image: find(id),
    held: items.some((/** @type {string} */ item) => held.has(item)),
  }));
  const replicateOf = (/** @type {any} */ each) => each.image?.said.replicate ?? null;
  const taught = new Set(images.filter((each) => !each.held).map(replicateOf));
  const shared = images.filter((each) => each.held && replicateOf(each) !== null && taught.has(replicateOf(each)));
  const same = shared.length > 0 && SAME_REPLICATES;
  const failed = Object.keys(details.failed ?? {}).length;
  const left = failed > 0 && `${counted(failed, "image")} could not be used; the log of the job says why.`;
  return [few, same, left].filter((each) => each !== false);
}

/**
 * Return why a training with these images cannot begin, or what is to be known before; empty if all is well.
 * @param {{chosen: number, unsure: number}} said `unsure`: chosen ones of which nobody said that all cells are right.
 * @returns {{text: string, stops: boolean}[]}
 */
export function warningsOf({ chosen, unsure }) {
  if (chosen < 2) {
    return [
      { stops: true, text: "Choose at least two corrected images: one teaches, another one judges what was learnt." },
    ];
  }
  const few = chosen < 4 && {
    stops: false,
    text: "Few images: one is held out, so the judgement may be chance. 4 to 10 are a good start.",
  };
  const partly = unsure > 0 && {
    stops: false,
    text: `Of ${counted(unsure, "image")} nobody said that all cells are right. What is wrong there teaches errors.`,
  };
  return [few, partly].filter((each) => each !== false);
}

/** @type {[string, string][]} */
const ENDS = [
  ["agreed", "are as the new model has them"],
  ["kept", "were kept as you set them"],
  ["question", "wait for your answer"],
  ["overwritten", "were replaced by later ones of yours"],
];

/**
 * Return what became of the corrections when images were segmented again; null where there were none.
 * @param {any} result Of a job `segment`. @returns {{total: number, questions: number, lines: string[]}|null}
 */
export function rebasedOf({ rebased = {} }) {
  const all = Object.values(rebased)
    .flatMap((each) => Object.values(each))
    .filter((each) => each.edits);
  if (!all.length) return null;
  const count = (/** @type {string} */ end) => all.reduce((sum, each) => sum + (each.edits[end] ?? 0), 0);
  const lines = ENDS.map(([end, text]) => ({ n: count(end), text }))
    .filter(({ n }) => n > 0)
    .map(({ n, text }) => `${n.toLocaleString("en")} ${text}`);
  const questions = all.reduce((sum, each) => sum + each.questions.length, 0);
  return { total: ENDS.reduce((sum, [end]) => sum + count(end), 0), questions, lines };
}
