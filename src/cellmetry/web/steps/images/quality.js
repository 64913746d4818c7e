/** Whether images can be used, as a look at their middles tells: a mark on each card, and what the marks mean. @module */
import { h } from "../../kernel/dom.js";

/** @typedef {import("../../app/images.js").ImageView} ImageView */

/** @type {Record<string, string>} */
const FAULTS = { empty: "Empty", saturated: "Saturated", blurred: "Blurred" };
const LEGEND = { good: "Good", doubtful: "Doubtful" };

/** @param {ImageView} image */
export const isDoubtful = ({ quality }) => quality?.state === "doubtful";

/** The mark of an image: a colour and a word; none where nothing is known. @param {ImageView} image */
export function qualityMark({ quality }) {
  if (!quality) return null;
  const words = quality.faults.map((/** @type {string} */ each) => FAULTS[each]);
  const said = quality.reasons.join(" ") || "Sharp, not saturated, not empty.";
  return mark(quality.state, words.join(", ") || LEGEND.good, [said, placeOf(quality)].filter(Boolean).join(" "));
}

/** What the marks mean, with how many images have each; nothing where none has one. @param {ImageView[]} all */
export function qualityLegend(all) {
  const known = Object.entries(LEGEND).map(([state, word]) => {
    const count = all.filter((image) => image.quality?.state === state).length;
    return (
      count > 0 &&
      mark(
        state,
        `${word} ${count}`,
        state === "good" ? "Nothing is wrong where they were looked at: in the middle" : "Look at these first",
      )
    );
  });
  return known.some(Boolean) ? h("span.quality-legend", { role: "group", "aria-label": "Quality" }, known) : null;
}

/** Why an image is doubtful, as a notice. @param {ImageView} image */
export function qualityNotice(image) {
  const { quality } = image;
  return quality && isDoubtful(image)
    ? h("p.notice", {}, qualityMark(image), h("span.grow", {}, [...quality.reasons, placeOf(quality)].join(" ")))
    : null;
}

/** What of a large image was looked at, as a sentence; empty if all was. @param {NonNullable<ImageView["quality"]>} quality */
const placeOf = ({ middle }) => (middle ? `Only its middle was looked at (${middle[1]} × ${middle[0]} px).` : "");

/** @param {string} state @param {string} word @param {string} title */
const mark = (state, word, title) => h(`span.quality.quality-${state}`, { title }, h("span.quality-dot"), word);
