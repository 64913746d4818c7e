/** What is out of order with a quantification: channels, cells that changed since, images that failed. @module */
import { h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { counted } from "../app/said.js";

const OTHER_CHANNEL = "Choose one that it has, or look at an image that has this one.";

/**
 * @param {string[]} missing Channels that the image that is seen lacks. @param {number} old Images whose cells changed.
 * @param {string[]} failed Why images could not be quantified.
 */
export function noticesOf(missing, old, failed) {
  const without = [...new Set(missing)].join(" and no ");
  return [
    missing.length > 0 && notice("warning", `This image has no channel ${without}. ${OTHER_CHANNEL}`),
    old > 0 && notice("info", `Cells of ${counted(old, "image")} changed since. Quantify again.`),
    failed.length > 0 && notice("warning", `${counted(failed.length, "image")} could not be quantified: ${failed[0]}`),
  ];
}

/** @param {string} picture @param {string} text */
const notice = (picture, text) => h("p.notice", {}, icon(picture), h("span.grow", {}, text));
