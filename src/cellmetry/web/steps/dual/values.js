/** Between what stands in the form of the step Two channels and what a job `quantify` is asked. @module */

/** @typedef {Record<string, any>} Values Of one section of the form. */
/** @typedef {Record<string, Values>} All Values by section. */

const MARK = { percent: "", px: "px", um: "um" };
const EPSILON = "epsilon_smoothed";
const BORDER = "not flag_edge";

/** @param {string} mode @param {string} method */
export const usesMethod = (mode, method) => mode === method || mode.endsWith(`_${method}`);

/**
 * Return the parameters of a job, without images and labels.
 * @param {All} all @returns {Record<string, any>}
 */
export function parametersOf(all) {
  const { target, reference, rules } = all.channels;
  const compat = rules === "dualcellquant";
  const plan = {
    target: rolePlan(all.target),
    ...(reference ? { reference: rolePlan({ ...all.reference, ...(compat ? sameBackground(all) : {}) }) } : {}),
    ...bothPlan(all.both),
    ...(all.radial.on ? radialPlan(all.radial, { compat, pair: Boolean(reference) }) : {}),
    ...(reference && !compat ? { ratio: all.ratio.rule } : {}),
    ...(reference && (compat || all.ratio.rule === EPSILON) ? { epsilon: all.ratio.epsilon } : {}),
    ...(all.profile.on ? profilePlan(all.profile) : {}),
    ...(all.profile.on && all.peaks.on && (reference || !compat) ? peaksPlan(all.peaks) : {}),
    ...(compat ? {} : cellsPlan(all.cells)),
  };
  const set = compat ? compatSet(all) : all.profile.on && all.peaks.on ? judgedSet(all.peaks) : [];
  return {
    target,
    ...(reference ? { reference } : {}),
    plan,
    ...(compat ? { rules } : {}),
    ...(set.length ? { set } : {}),
    ...(all.cells.track ? { follow: all.cells.least_iou } : {}),
    ...(all.cells.pictures ? { pictures: true } : {}),
  };
}

/** DualCellQuant has one background for both channels, with a number for each where they are given. @param {All} all */
function sameBackground({ target, reference }) {
  const { background, radius_px, variant, dark_percent } = target;
  return { background, radius_px, variant, dark_percent, subtract: reference.subtract };
}

/** @param {Values} role */
function rolePlan(role) {
  const { mask } = role;
  return {
    mask,
    ...(usesMethod(mask, "percentile") ? { percentile: role.percentile } : {}),
    ...(usesMethod(mask, "mean_sd") ? { sd: role.sd } : {}),
    ...(mask === "value" ? { value: role.value } : {}),
    ...(role.saturation === "100%" ? {} : { saturation: role.saturation }),
    ...(mask === "none" ? {} : { min_object: role.min_object }),
    ...(role.background === "none" ? {} : { background: backgroundText(role) }),
  };
}

/** @param {Values} role */
function backgroundText(role) {
  if (role.background === "rolling-ball") return `rolling-ball:${role.radius_px}:${role.variant}`;
  if (role.background === "dark") return `dark:${role.dark_percent}`;
  if (role.background === "manual") return `manual:${role.subtract}`;
  return `local:${role.gap}:${role.width}${role.ring_unit}`;
}

/** @param {Values} both */
function bothPlan({ normalise, save_corrected: bits }) {
  return { ...(normalise === "none" ? {} : { normalise }), ...(bits ? { save_corrected: bits } : {}) };
}

/** @param {Values} radial @param {{compat: boolean, pair: boolean}} how */
function radialPlan({ inner, outer, unit, restricts, clip, min_object_px: least }, { compat, pair }) {
  const on = restricts.filter((/** @type {string} */ name) => pair || name !== "reference");
  const ours = { ...(clip ? { radial_clip: true } : {}), ...(least ? { radial_min_object: least } : {}) };
  return { radial: `${inner}:${outer}${MARK[/** @type {"px"} */ (unit)]}`, radial_on: on, ...(compat ? {} : ours) };
}

/** @param {Values} profile */
function profilePlan({ window, stride, unit, start, end, smooth_window: points, smooth_order: order }) {
  const profile = `${window}:${stride}${MARK[/** @type {"px"} */ (unit)]}`;
  return { profile, profile_range: [start, end], smooth: [points, order] };
}

/** @param {Values} peaks */
const peaksPlan = ({ algorithm, lowest, uppermost }) => ({ peaks: algorithm, peak_range: [lowest, uppermost] });

/** @param {Values} cells */
function cellsPlan({ border, keep, passport }) {
  const all = [...(border ? [] : [BORDER]), ...(keep ?? [])];
  return { ...(passport ? {} : { passport: false }), ...(all.length ? { keep: all } : {}) };
}

/** When a peak is accepted, as changes of the step. @param {Values} peaks */
function judgedSet({ judged }) {
  return Object.entries(judged).map(
    ([name, value]) => `peaks.${name}=${Number.isFinite(Number(value)) ? value : JSON.stringify(value)}`,
  );
}

/** @param {All} all */
function compatSet({ radial, peaks, profile, channels }) {
  return [
    ...(radial.on ? [`dualcellquant.min_object_radial_px=${radial.min_object_px}`] : []),
    ...(profile.on && peaks.on && channels.reference && peaks.judged.slope !== undefined
      ? [`dualcellquant.peak_slope=${peaks.judged.slope}`]
      : []),
  ];
}

/**
 * Return what the form shows for the parameters of a job: what is not named is as the form has it at first.
 * @param {Record<string, any>} asked @returns {All}
 */
export function valuesOf({
  target,
  reference = "",
  plan = {},
  rules = "cellmetry",
  set = [],
  follow,
  pictures = false,
}) {
  const changes = Object.fromEntries(set.map((/** @type {string} */ change) => change.split(/=(.*)/s)));
  return {
    channels: { target, reference, rules },
    target: roleValues(plan.target ?? {}, 0),
    reference: roleValues(plan.reference ?? {}, 1),
    both: { normalise: plan.normalise, save_corrected: plan.save_corrected },
    radial: radialValues(plan, changes),
    ratio: { rule: plan.ratio, epsilon: plan.epsilon },
    profile: profileValues(plan),
    peaks: peaksValues(plan, changes),
    cells: { ...cellsValues(plan), track: follow !== undefined, least_iou: follow, pictures },
  };
}

/** @param {Values} plan @param {number} place Of the channel. */
function roleValues({ background = "none", ...role }, place) {
  const [method, first, second] = background.split(":");
  if (method === "rolling-ball") return { ...role, background: method, radius_px: Number(first), variant: second };
  if (method === "dark") return { ...role, background: method, dark_percent: Number(first) };
  if (method === "manual") return { ...role, background: method, subtract: Number(first.split(",")[place] ?? first) };
  if (method === "local") {
    const [, width, unit] = /^([\d.]+)(.*)$/.exec(second) ?? [];
    return { ...role, background: method, gap: Number(first), width: Number(width), ring_unit: unit || "px" };
  }
  return { ...role, background: "none" };
}

/** @param {string} text @returns {{first: number, second: number, unit: string}} */
function pairOf(text) {
  const [, first, second, unit] = /^(-?[\d.]+):(-?[\d.]+)(px|um|µm|%)?$/.exec(text) ?? [];
  const units = { px: "px", um: "um", µm: "um" };
  return { first: Number(first), second: Number(second), unit: units[/** @type {"px"} */ (unit)] ?? "percent" };
}

/** @param {Values} plan @param {Record<string, string>} changes */
function radialValues({ radial, radial_on: restricts, radial_clip: clip, radial_min_object: least }, changes) {
  if (!radial) return { on: false };
  const { first: inner, second: outer, unit } = pairOf(radial);
  const size = least ?? changes["dualcellquant.min_object_radial_px"];
  return {
    on: true,
    inner,
    outer,
    unit,
    restricts,
    clip,
    ...(size === undefined ? {} : { min_object_px: Number(size) }),
  };
}

/** @param {Values} plan */
function profileValues({ profile, profile_range: range, smooth }) {
  if (!profile) return { on: false };
  const { first: window, second: stride, unit } = pairOf(profile);
  return {
    on: true,
    window,
    stride,
    unit,
    start: range?.[0],
    end: range?.[1],
    smooth_window: smooth?.[0],
    smooth_order: smooth?.[1],
  };
}

/** @param {Values} plan @param {Record<string, string>} changes */
function peaksValues({ peaks, peak_range: range }, changes) {
  if (!peaks) return { on: false };
  const judged = Object.entries(changes).flatMap(([name, text]) => {
    const known = /^peaks\.(\w+)$/.exec(name)?.[1] ?? (name === "dualcellquant.peak_slope" ? "slope" : null);
    return known ? [[known, JSON.parse(text)]] : [];
  });
  return { on: true, algorithm: peaks, lowest: range?.[0], uppermost: range?.[1], judged: Object.fromEntries(judged) };
}

/** @param {Values} plan */
function cellsValues({ keep = [], passport }) {
  return {
    border: !keep.includes(BORDER),
    keep: keep.filter((/** @type {string} */ each) => each !== BORDER),
    passport,
  };
}
