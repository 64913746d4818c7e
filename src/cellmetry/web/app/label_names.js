/** A choice of one of the study's labels by name, hidden where there are not several. @module */
import { fill, h } from "../kernel/dom.js";

/** @typedef {import("./labels.js").LabelsList} LabelsList */

/**
 * Show the names that there are; what is chosen stays chosen while it is among them.
 * @param {HTMLSelectElement} select @param {HTMLElement} field What is hidden. @param {LabelsList} labels
 * @param {string|null} [chosen]
 */
export function showLabelNames(select, field, labels, chosen = select.value) {
  const { names, name } = labels;
  fill(
    select,
    names.map((each) => h("option", { value: each }, each)),
  );
  select.value = (names.includes(chosen ?? "") ? chosen : name) ?? "";
  field.hidden = names.length < 2;
}
