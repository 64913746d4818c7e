/** The section of one channel in the form of the step Two channels: its mask and its background. @module */
import { usesMethod } from "./values.js";

/** @typedef {import("./values.js").Values} Values */
/** @typedef {import("./sections.js").Case} Case */
/** @typedef {import("./sections.js").Section} Section */

const METHODS = { percentile: "a percentile", otsu: "Otsu", triangle: "triangle", li: "Li", mean_sd: "mean + SD" };
const COMPAT = ["none", "global_percentile", "global_otsu", "per_cell_percentile", "per_cell_otsu"];

/** @param {string} mode */
function maskText(mode) {
  const method = METHODS[/** @type {"otsu"} */ (mode.replace(/^(global|per_cell)_/, ""))];
  if (mode === "none") return "None: all unsaturated pixels";
  return mode === "value" ? "Above a value" : `${mode.startsWith("global") ? "Image" : "Each cell"}: ${method}`;
}

/** @param {string} description @param {any} more */
export const number = (description, more) => ({ type: "number", description, ...more });

const BACKGROUND = {
  background: {
    enum: ["none", "rolling-ball", "dark", "manual", "local"],
    default: "none",
    description: "What is taken off before masks and measurements.",
  },
  radius_px: number("Radius of the ball; larger than the cells' details.", { default: 50, minimum: 1, maximum: 1000 }),
  variant: {
    enum: ["imagej", "native", "unit"],
    default: "imagej",
    description: "ImageJ's way, or scikit-image's on stored values (native) or on values scaled to 0–1 (unit).",
  },
  dark_percent: number("The mean of so many per cent of the image's darkest pixels is taken off.", {
    default: 5,
    minimum: 0,
    maximum: 50,
  }),
  subtract: number("This value is taken off every pixel.", { default: 0, minimum: -1e9, maximum: 1e9 }),
  gap: number("Distance of the ring from the cell.", { default: 2, minimum: 0 }),
  width: number("Width of the ring.", { default: 8, exclusiveMinimum: 0 }),
  ring_unit: { enum: ["px", "um"], default: "px", description: "Unit of gap and width." },
};
/** @type {Record<string, string[]>} */
const OF_BACKGROUND = {
  "rolling-ball": ["radius_px", "variant"],
  dark: ["dark_percent"],
  manual: ["subtract"],
  local: ["gap", "width", "ring_unit"],
};
const TITLES = {
  mask: "Masking mode",
  percentile: "Percentile (keeps what is brighter)",
  sd: "SD above the mean",
  value: "Threshold",
  saturation: "Saturation limit",
  min_object: "Remove small objects (px)",
  radius_px: "Rolling radius",
  variant: "Rolling ball of",
  dark_percent: "Darkest pixels",
  subtract: "Background value",
  gap: "Gap to the cell",
  width: "Width of the ring",
  ring_unit: "Unit",
};
const CHOICES = {
  background: [
    ["none", "None"],
    ["rolling-ball", "Rolling ball"],
    ["dark", "Darkest pixels"],
    ["manual", "A value"],
    ["local", "Ring round each cell"],
  ],
  variant: [
    ["imagej", "ImageJ"],
    ["native", "scikit-image"],
    ["unit", "scikit-image, scaled to 0–1"],
  ],
  ring_unit: [
    ["px", "px"],
    ["um", "µm"],
  ],
};

/** @param {string[][]} pairs */
export const choices = (pairs) => pairs.map(([value, text]) => ({ value, text }));

/** @param {any} schema @param {string[]} names */
export const some = (schema, names) => Object.fromEntries(names.map((name) => [name, schema.properties[name]]));

/** @param {string} text @param {boolean} [on] */
export const flag = (text, on = false) => ({ type: "boolean", default: on, description: text });

/** @param {"target"|"reference"} name @param {any} job @param {boolean} compat @returns {Section} */
export function channelSection(name, job, compat) {
  const role = job.$defs.RolePlan;
  /** @type {Record<string, any>} */
  const properties = {
    ...some(role, ["mask", "percentile", "sd", "value", "saturation", "min_object"]),
    ...BACKGROUND,
  };
  const modes = properties.mask.enum.filter((/** @type {string} */ mode) => !compat || COMPAT.includes(mode));
  const masks = modes.map((/** @type {string} */ value) => ({ value, text: maskText(value) }));
  const known = { ...CHOICES, background: CHOICES.background.filter(([method]) => !compat || method !== "local") };
  const texts = Object.fromEntries(Object.entries(known).map(([key, pairs]) => [key, choices(pairs)]));
  return {
    name,
    title: () => (name === "target" ? "Target" : "Reference"),
    open: name === "target",
    schema: { type: "object", properties },
    wishes: { titles: TITLES, choices: { ...texts, mask: masks } },
    shown: (values, seen) => shownOfChannel(name, values, seen),
  };
}

/** @param {string} name @param {Values} values @param {Case} seen */
function shownOfChannel(name, { mask, background }, { pair, compat }) {
  if (name === "reference" && !pair) return [];
  const own = !(compat && name === "reference");
  return [
    "mask",
    "saturation",
    ...["percentile", "sd", "value"].filter((each) => usesMethod(mask, each === "sd" ? "mean_sd" : each)),
    ...(mask === "none" ? [] : ["min_object"]),
    ...(own ? ["background", ...(OF_BACKGROUND[background] ?? [])] : []),
    ...(compat && !own ? ["subtract"] : []),
  ];
}
