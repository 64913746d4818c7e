/** What a design can and cannot answer, in words. @module */
import { counted, valuesOf } from "../../app/said.js";

/** @typedef {import("../../app/images.js").ImageView} ImageView */
/** @typedef {{kind: "good"|"info"|"bad", text: string}} Finding */

/** What is said of an image, as text. @param {ImageView} image @param {string} name */
export const textOf = (image, name) =>
  image.said[name] === null || image.said[name] === undefined ? "" : String(image.said[name]);

/** Whether it takes part. @param {ImageView} image */
export const isUsed = (image) => !image.said.excluded;

const SAID_HERE = new Set(["condition", "replicates", "control"]);
const KINDS = /** @type {const} */ ({ error: "bad", warning: "bad", note: "info" });

/**
 * Return what the server finds besides: names that look like slips, batches that go with conditions, doubles, edges.
 * @param {import("../../app/study.js").Study} study
 * @returns {Promise<Finding[]>}
 */
export async function serverFindingsOf(study) {
  /** @type {{severity: keyof typeof KINDS, kind: string, text: string}[]} */
  const found = await study.get("design/check");
  return found
    .filter(({ kind }) => !SAID_HERE.has(kind))
    .map(({ severity, text }) => ({ kind: KINDS[severity], text }));
}

/**
 * Return what is to be said of the design of images.
 * @param {ImageView[]} images
 * @returns {Finding[]}
 */
export function findingsOf(images) {
  const used = images.filter(isUsed);
  const conditions = valuesOf(used, "condition");
  const silent = used.filter((image) => !textOf(image, "condition"));
  if (conditions.length < 2)
    return [
      {
        kind: "bad",
        text: conditions.length
          ? `All images are of the condition ${conditions[0]}; a comparison needs at least two.`
          : "Say below of which condition each image is: at least two are compared.",
      },
    ];
  const replicates = new Map(
    conditions.map((name) => [
      name,
      new Set(
        used
          .filter((image) => textOf(image, "condition") === name)
          .map((image) => textOf(image, "replicate"))
          .filter(Boolean),
      ),
    ]),
  );
  const found = [
    silent.length &&
      /** @type {Finding} */ ({ kind: "info", text: `${counted(silent.length, "image")} of no condition: left out.` }),
    ...replicateFindings(used, conditions, replicates),
  ];
  const told = /** @type {Finding[]} */ (found.filter(Boolean));
  return told.some((each) => each.kind === "bad") ? told : [...told, fine(conditions, replicates)];
}

/** @param {ImageView[]} used @param {string[]} conditions @param {Map<string, Set<string>>} replicates @returns {(Finding|false)[]} */
function replicateFindings(used, conditions, replicates) {
  const without = used.filter((image) => textOf(image, "condition") && !textOf(image, "replicate"));
  const few = conditions.filter((name) => (replicates.get(name)?.size ?? 0) < 3);
  const sizes = conditions.map((name) => `${name} ${replicates.get(name)?.size}`).join(", ");
  if (without.length === used.filter((image) => textOf(image, "condition")).length)
    return [
      {
        kind: "bad",
        text: "Say below which images are of one replicate (another day, animal or culture). Images and cells of one replicate are not independent, so the number of replicates is what counts.",
      },
    ];
  return [
    without.length > 0 && {
      kind: "bad",
      text: `${counted(without.length, "image")} of no replicate: say which day, animal or culture.`,
    },
    few.length > 0 && {
      kind: "info",
      text: `Fewer than three replicates (${sizes}): the difference is estimated, but its interval is wide or cannot be given.`,
    },
    eachItsOwn(used) && {
      kind: "info",
      text: "Each image is a replicate of its own. That is right if each is from another day, animal or culture; fields of one well belong to one replicate.",
    },
  ];
}

/** @param {ImageView[]} used */
function eachItsOwn(used) {
  const pairs = used
    .filter((image) => textOf(image, "replicate"))
    .map((image) => `${textOf(image, "condition")}\n${textOf(image, "replicate")}`);
  return pairs.length > 12 && new Set(pairs).size === pairs.length;
}

/** @param {string[]} conditions @param {Map<string, Set<string>>} replicates @returns {Finding} */
function fine(conditions, replicates) {
  const sizes = conditions.map((name) => replicates.get(name)?.size ?? 0);
  const same = sizes.every((size) => size === sizes[0]);
  const each = same ? `${sizes[0]} each` : conditions.map((name, k) => `${name} ${sizes[k]}`).join(", ");
  return {
    kind: "good",
    text: `${conditions.length} conditions with ${counted(
      sizes.reduce((sum, size) => sum + size, 0),
      "replicate",
    )} (${each}).`,
  };
}
