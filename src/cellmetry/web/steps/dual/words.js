/** What the step Two channels says of the choice of channels and backgrounds, and which channels it begins with. @module */
import { isNuclear } from "../../app/images.js";

/** @typedef {import("./values.js").All} All */
/** @typedef {{value: string, text: string}} Choice */

/**
 * The channels that are likely meant: what stains nuclei is what others are compared with, seldom what is asked about.
 * @param {Choice[]} channels At least one. @returns {{target: Choice, reference: Choice|undefined}}
 */
export function usualRoles(channels) {
  const target = channels.find(({ text }) => !isNuclear(text)) ?? channels[0];
  const others = channels.filter((each) => each !== target);
  return { target, reference: others.find(({ text }) => isNuclear(text)) ?? others[0] };
}

/** Why two channels cannot be compared, and what to do; empty if they can. @param {string|null} target @param {string|null} reference */
export function sameChannelText(target, reference) {
  if (!reference || target?.toLowerCase() !== reference.toLowerCase()) return "";
  return (
    `Target and reference are the same channel, ${reference}: their ratio is 1 everywhere. ` +
    "Choose another reference, or None to measure the target alone."
  );
}

/** What is taken off each channel before it is measured. @param {All} all @returns {{text: string, raw: boolean}} `raw`: a channel is as it was taken. */
export function backgroundSaid({ channels, target, reference }) {
  const pair = Boolean(channels.reference);
  const own = channels.rules === "dualcellquant" ? target : reference;
  const roles = [["target", target.background], ...(pair ? [["reference", own.background]] : [])];
  const raw = roles.filter(([, background]) => background === "none").map(([name]) => name);
  if (!raw.length) return { text: "The background is taken off before anything is measured.", raw: false };
  const what = pair ? "means and ratios" : "means";
  return {
    text: `No background is taken off the ${raw.join(" and the ")}: the camera's offset stays in ${what}. Choose one below.`,
    raw: true,
  };
}
