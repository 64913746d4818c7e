/** What the statistics of a comparison are called in the form. @module */

/** @type {Pick<import("../../controls/schema_form.js").Wishes, "titles"|"choices">} */
export const STATISTICS = {
  titles: {
    summary: "A replicate is the",
    method: "Test",
    adjust: "Correction for several contrasts",
    scale: "Differences are",
    confidence: "Coverage of intervals",
    power: "Power, for advice on replicates",
    detect: "Smallest difference worth finding",
  },
  choices: {
    summary: [
      { value: "mean", text: "Mean of its cells" },
      { value: "median", text: "Median of its cells" },
    ],
    pairing: [
      { value: "auto", text: "Pairs where they are shared" },
      { value: "paired", text: "Pairs" },
      { value: "unpaired", text: "No pairs" },
    ],
    method: [
      { value: "auto", text: "As fits (t or Welch)" },
      { value: "t", text: "Student’s t of replicates" },
      { value: "welch", text: "Welch’s t of replicates" },
      { value: "rank", text: "Ranks of replicates" },
      { value: "mixed", text: "Linear mixed model of cells" },
      { value: "gee", text: "Estimating equations (GEE), of shares" },
    ],
    adjust: [
      { value: "auto", text: "As fits the contrasts" },
      { value: "dunnett", text: "Dunnett, against the control" },
      { value: "tukey", text: "Tukey, each with each" },
      { value: "holm", text: "Holm" },
      { value: "bonferroni", text: "Bonferroni" },
      { value: "fdr_bh", text: "Benjamini–Hochberg (false discoveries)" },
      { value: "none", text: "None" },
    ],
    scale: [
      { value: "linear", text: "Differences of means" },
      { value: "log", text: "Ratios (log scale)" },
    ],
  },
};

const SPOKEN = { summary: "replicates are", pairing: "", method: "test:", adjust: "correction:", scale: "" };

/**
 * Return what was chosen of the statistics, in words, of that which is not as the app has it at first.
 * @param {Record<string, any>} asked
 * @returns {string[]}
 */
export function statisticsIn(asked) {
  return Object.entries(SPOKEN).flatMap(([name, before]) => {
    const choices = /** @type {{value: any, text: string}[]} */ (STATISTICS.choices?.[name]);
    const chosen = choices.slice(1).find((each) => each.value === asked[name]);
    return chosen ? [`${before} ${chosen.text}`.trim()] : [];
  });
}
