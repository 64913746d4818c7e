/** What is out of order with a quantification: channels, images that failed. @module */
import { h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { counted } from "../../app/said.js";

const OTHER_CHANNEL = "Choose one that it has, or look at an image that has this one.";

/** @param {string[]} missing Channels that the image that is seen lacks. @param {string[]} failed Why images could not be quantified. */
export function noticesOf(missing, failed) {
  const without = [...new Set(missing)].join(" and no ");
  return [
    missing.length > 0 && notice(`This image has no channel ${without}. ${OTHER_CHANNEL}`),
    failed.length > 0 && notice(`${counted(failed.length, "image")} could not be quantified: ${failed[0]}`),
  ];
}

/** @param {string} text */
const notice = (text) => h("p.notice", {}, icon("warning"), h("span.grow", {}, text));
