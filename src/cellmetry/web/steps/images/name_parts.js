/** The parts of images' names, and what they likely are: conditions, replicates, wells, fields. @module */
import { counted } from "../../app/said.js";

const WELL = /^[A-P](0?[1-9]|1\d|2[0-4])$/;
const REPLICATE =
  /^(rep|repl|replicate|n|r|day|d|exp|experiment|run|batch|mouse|animal|donor|patient|culture|dish|plate)-?\d+$/i;
const FIELD = /^(field|fov|fld|f|site|s|pos|position|image|img|tile|view|frame)-?\d+$/i;
const PLANE = /^(t|z|c|ch|w|channel)\d+$/i;
const NUMBER = /^\d+$/;
const TITLES = { condition: "condition", replicate: "replicate", well: "well", field: "field" };

/** The parts of a name, as "day1/A01_control" has three; folders are parts too. @param {string} name */
export const partsOf = (name) => name.split(/[_\s.,;/\\]+|-(?=\D)/).filter(Boolean);

/**
 * Return the number of parts that most names have, if more than half of them have it; else null: they are named in many
 * ways. Names with more or fewer parts would shift what the parts mean.
 * @param {string[][]} names The parts of each name.
 */
export function usualLength(names) {
  const lengths = names.map((parts) => parts.length);
  return lengths.find((length) => lengths.filter((each) => each === length).length > names.length / 2) ?? null;
}

/**
 * Return what each part likely is, "" where nobody knows; a part that all names share says nothing.
 * @param {string[][]} names The parts of each name.
 * @returns {string[]}
 */
export function proposedRoles(names) {
  const columns = Math.max(0, ...names.map((parts) => parts.length));
  const values = Array.from({ length: columns }, (_, k) => names.map((parts) => parts[k]).filter(Boolean));
  const differ = values.map((some) => new Set(some).size > 1);
  /** @type {string[]} */
  const roles = values.map(() => "");
  const first = (/** @type {string} */ role, /** @type {(some: string[], k: number) => boolean} */ fits) => {
    const at = values.findIndex((some, k) => !roles[k] && differ[k] && fits(some, k));
    if (at >= 0 && !roles.includes(role)) roles[at] = role;
  };
  const all = (/** @type {RegExp} */ pattern) => (/** @type {string[]} */ some) =>
    some.every((value) => pattern.test(value));
  for (const [role, pattern] of /** @type {const} */ ([
    ["well", WELL],
    ["replicate", REPLICATE],
    ["field", FIELD],
  ]))
    first(role, all(pattern));
  const plain = (/** @type {string[]} */ some) =>
    ![WELL, REPLICATE, FIELD, PLANE, NUMBER].some((each) => all(each)(some));
  first("condition", (some) => plain(some) && new Set(some).size < names.length);
  first("condition", (some) => plain(some) && names.length < 3);
  const numbers = values.map((_, k) => k).filter((k) => !roles[k] && differ[k] && all(NUMBER)(values[k]));
  if (!roles.includes("replicate") && (numbers.length > 1 || roles.includes("field")))
    setRole(roles, numbers, "replicate");
  if (!roles.includes("field")) setRole(roles, numbers.reverse(), "field");
  return roles;
}

/** @param {string[]} roles @param {number[]} places The first free one of them becomes it. @param {string} role */
function setRole(roles, places, role) {
  const at = places.find((k) => !roles[k]);
  if (at !== undefined) roles[at] = role;
}

/**
 * Return what would be said, in short: conditions × replicates, and which of these have no image.
 * @param {{values: Record<string, string>, images: any[]}[]} groups
 */
export function summaryOf(groups) {
  const kinds = Object.entries(TITLES)
    .map(([role, title]) => ({ role, title, counts: countsOf(groups, role) }))
    .filter(({ counts }) => counts.size);
  const text = kinds.map(({ title, counts }) => `${counted(counts.size, title)} (${listed(counts)})`).join(" × ");
  const gaps = gapsOf(groups);
  return `${text}.${gaps.length ? ` No image of ${gaps.slice(0, 3).join(", ")}${gaps.length > 3 ? ", …" : "."}` : ""}`;
}

/** @param {{values: Record<string, string>, images: any[]}[]} groups @param {string} role */
function countsOf(groups, role) {
  /** @type {Map<string, number>} Images of each value. */
  const counts = new Map();
  for (const { values, images } of groups)
    if (values[role]) counts.set(values[role], (counts.get(values[role]) ?? 0) + images.length);
  return counts;
}

/** @param {Map<string, number>} counts */
function listed(counts) {
  const some = [...counts].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
  const shown = some.slice(0, 6).map(([value, count]) => `${value}: ${count}`);
  return shown.join(", ") + (some.length > 6 ? ", …" : "");
}

/** Conditions with replicates of which there is no image. @param {{values: Record<string, string>}[]} groups */
function gapsOf(groups) {
  const pair = (/** @type {string} */ condition, /** @type {string} */ replicate) => `${condition} ${replicate}`;
  const there = new Set(groups.map(({ values: { condition, replicate } }) => pair(condition, replicate)));
  const each = (/** @type {string} */ role) => [...new Set(groups.map(({ values }) => values[role]).filter(Boolean))];
  const all = each("condition").flatMap((condition) =>
    each("replicate").map((replicate) => pair(condition, replicate)),
  );
  return all.filter((name) => !there.has(name));
}
