/** The sections of the form of the step Two channels: their fields, from the schemas of job and steps. @module */
import { channelSection, choices, flag, number, some } from "./channel.js";

/** @typedef {import("../../controls/schema_form.js").Wishes} Wishes */
/** @typedef {import("./values.js").Values} Values */
/** @typedef {{pair: boolean, compat: boolean}} Case Whether there is a reference, and whose rules hold. */
/**
 * @typedef {object} Section
 * @property {string} name
 * @property {(seen: Case) => string} title
 * @property {any} schema
 * @property {Wishes} wishes
 * @property {(values: Values, seen: Case) => string[]} shown Names of the fields that matter now.
 * @property {boolean} [open] Whether it is unfolded at first.
 */
/** @typedef {{job: any, radial: any, profile: any, peaks: any}} Schemas */

const UNITS = [
  { value: "percent", text: "% of the way to the edge" },
  { value: "um", text: "µm from the edge" },
  { value: "px", text: "pixels from the edge" },
];
const BITS = [0, 8, 16, 32];
const JUDGED = ["slope", "least_rise", "highest", "least_prominence", "least_range", "most_noise", "least_run"];

/** @param {Schemas} schemas @returns {Section} */
function radialSection({ radial }) {
  const names = ["inner", "outer", "unit", "clip", "min_object_px"];
  const restricts = {
    type: "array",
    items: { type: "string" },
    default: ["and"],
    description: "Which masks the part restricts. None: it is measured beside them.",
  };
  return {
    name: "radial",
    title: () => "Part of the cell",
    schema: {
      type: "object",
      properties: {
        on: flag("Measure in a range between centre and edge, or a ring round the cell."),
        ...some(radial, names),
        restricts,
      },
    },
    wishes: {
      titles: {
        on: "Use a radial mask",
        inner: "Inner",
        outer: "Outer",
        unit: "In",
        clip: "End at the edge of the cell",
        min_object_px: "Remove small objects",
        restricts: "Restricts",
      },
      choices: {
        unit: UNITS,
        restricts: choices([
          ["and", "Both (AND mask)"],
          ["target", "Target mask"],
          ["reference", "Reference mask"],
        ]),
      },
    },
    shown: ({ on }, { compat }) => [
      "on",
      ...(on ? names.filter((name) => !(compat && ["clip", "unit"].includes(name))).concat("restricts") : []),
    ],
  };
}

/** @param {Schemas} schemas @returns {Section} */
function profileSection({ profile }) {
  const names = ["unit", "start", "end", "window", "stride", "smooth_window", "smooth_order"];
  return {
    name: "profile",
    title: () => "Radial profile",
    schema: {
      type: "object",
      properties: { on: flag("Brightness in windows from the centre of each cell outwards."), ...some(profile, names) },
    },
    wishes: {
      titles: {
        on: "Make a radial profile",
        unit: "In",
        start: "Start",
        end: "End",
        window: "Window size",
        stride: "Step",
        smooth_window: "Smoothing: windows",
        smooth_order: "Smoothing: order",
      },
      choices: { unit: UNITS },
    },
    shown: ({ on }, { compat }) => ["on", ...(on ? names.filter((name) => !(compat && name === "unit")) : [])],
  };
}

/** @param {Schemas} schemas @returns {Section} */
function peaksSection({ peaks }) {
  const names = ["algorithm", "lowest", "uppermost"];
  const judged = { type: "object", properties: some(peaks, JUDGED) };
  return {
    name: "peaks",
    title: () => "Peak difference",
    schema: {
      type: "object",
      properties: {
        on: flag("Where each channel is brightest along the profile, and how far apart."),
        ...some(peaks, names),
        judged,
      },
    },
    wishes: {
      titles: {
        on: "Find peaks of the profile",
        algorithm: "Algorithm",
        lowest: "Least centre",
        uppermost: "Largest centre",
        judged: "When a peak is accepted",
        "judged.slope": "Slope (share)",
        "judged.least_rise": "Least rise (share)",
        "judged.highest": "At this position at most",
        "judged.least_prominence": "Prominence (standard errors)",
        "judged.least_range": "Range (share)",
        "judged.most_noise": "Most noise (share)",
        "judged.least_run": "Falling windows",
      },
      choices: {
        algorithm: choices([
          ["first_local_top", "Outermost local top"],
          ["global_max", "Highest window"],
        ]),
      },
    },
    shown: ({ on }, { compat }) => ["on", ...(on ? [...names, "judged", ...(compat ? ["slope"] : JUDGED)] : [])],
  };
}

/** @param {any} job @returns {Section[]} */
function otherSections(job) {
  const plan = job.$defs.QuantificationPlan;
  const {
    ratio,
    epsilon,
    save_corrected: { description },
  } = plan.properties;
  const bits = { enum: BITS, default: 0, description };
  const rules = choices([
    ["ratio_of_means", "Ratio of the means"],
    ["mean_of_ratios", "Mean of the pixels' ratios"],
    ["epsilon_smoothed", "With epsilon added to both"],
  ]);
  return [
    {
      name: "both",
      title: ({ pair }) => (pair ? "Both channels" : "Pixels"),
      schema: { type: "object", properties: { ...some(plan, ["normalise"]), save_corrected: bits } },
      wishes: {
        titles: { normalise: "Normalization", save_corrected: "Keep the corrected image" },
        choices: {
          normalise: choices([
            ["none", "None"],
            ["z", "z-score"],
            ["robust", "Robust z-score"],
            ["minmax", "Min–max"],
            ["percentile", "Percentiles 1–99"],
          ]),
          save_corrected: BITS.map((value) => ({ value, text: value ? `${value} bit` : "No" })),
        },
      },
      shown: (_, { compat }) => ["normalise", ...(compat ? [] : ["save_corrected"])],
    },
    {
      name: "ratio",
      title: () => "Ratio",
      schema: { type: "object", properties: { rule: ratio, epsilon } },
      wishes: { titles: { rule: "Target over reference", epsilon: "Ratio epsilon" }, choices: { rule: rules } },
      shown: ({ rule }, { pair, compat }) =>
        pair ? [...(compat ? [] : ["rule"]), ...(compat || rule === "epsilon_smoothed" ? ["epsilon"] : [])] : [],
    },
  ];
}

/** @param {any} job @returns {Section} */
function cellsSection(job) {
  const { keep, passport } = job.$defs.QuantificationPlan.properties;
  const { pictures, follow } = job.properties;
  const properties = {
    border: flag("Cells that touch the border of the image are in the table too.", true),
    keep,
    passport,
    track: flag(follow.description),
    least_iou: number("Least overlap of two outlines of one cell.", { default: 0.2, exclusiveMinimum: 0, maximum: 1 }),
    pictures,
  };
  return {
    name: "cells",
    title: () => "Cells and files",
    schema: { type: "object", properties },
    wishes: {
      titles: {
        border: "Keep cells at the border",
        keep: "Keep only cells with",
        passport: "Judge each cell (flags)",
        track: "Follow cells from image to image",
        least_iou: "Least IoU",
        pictures: "Pictures and plots as files",
      },
    },
    shown: ({ track }, { compat }) => [
      ...(compat ? [] : ["border", "keep", "passport"]),
      "track",
      ...(track ? ["least_iou"] : []),
      "pictures",
    ],
  };
}

/** All sections in their order. @param {Schemas} schemas @param {boolean} compat @returns {Section[]} */
export function sectionsOf(schemas, compat) {
  const { job } = schemas;
  const [both, ratio] = otherSections(job);
  return [
    channelSection("target", job, compat),
    channelSection("reference", job, compat),
    both,
    radialSection(schemas),
    ratio,
    profileSection(schemas),
    peaksSection(schemas),
    cellsSection(job),
  ];
}
