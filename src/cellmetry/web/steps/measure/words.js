/** What the parameters of the flags are called in the form of the step Measure. @module */

/** @type {Record<string, string>} */
const FLAGS = {
  channels: "Channels that are judged",
  pixels: "Pixels that are judged",
  volume: "Stacks as volumes",
  project: "Projection of stacks",
  plane: "Plane of stacks",
  least_cells: "Cells an image needs to be compared with",
  saturation: "Saturated from",
  saturated_fraction: "Saturation: share of pixels allowed",
  focus_scale_px: "Focus: smoothing (px)",
  focus_margin_px: "Focus: background around a cell (px)",
  focus_z: "Out of focus: SD above the usual blur",
  focus_spread: "Focus: least spread of blur",
  most_blur_px: "Out of focus: most blur (px)",
  edge_px: "At the edge: pixels allowed",
  ring_gap_px: "Background: gap to its ring (px)",
  ring_width_px: "Background: width of its ring (px)",
  least_ring_px: "Background: pixels its ring needs",
  background_z: "Odd background: SD from the usual",
  background_spread: "Background: least spread",
  debris_z: "Debris: SD from the usual size or solidity",
  size_spread: "Debris: least spread of sizes",
  solidity_spread: "Debris: least spread of solidities",
  least_contrast: "Faint: least contrast",
  confidence_map: "Doubtful: map of confidence",
  least_confidence: "Doubtful: least confidence inside",
  least_outline_step: "Doubtful: least step at the outline",
  outline_px: "Doubtful: width of the outline (px)",
  report_share: "Warn of an image above this share of flags",
};

export const FORM_TITLES = {
  measure: "What is measured",
  passport: "When a cell gets a flag",
  ...Object.fromEntries(Object.entries(FLAGS).map(([name, title]) => [`passport.${name}`, title])),
};
