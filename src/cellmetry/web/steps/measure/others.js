/** Says that the cells that are seen are not those of a table, whose rows and values are of none of them then. @module */
import { h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { labelsOf } from "../../table/tables.js";

/** @typedef {import("../../app/app.js").App} App */

const OTHERS = "The cells that are seen are others than those of this table, so they have no values here.";

/**
 * Return the notice, null where the cells of the table are seen, or none, or others are on their way.
 * @param {App} app @param {import("../../table/source.js").TableView} table
 */
export function othersNotice(app, table) {
  const {
    viewer,
    openStudy: { labels },
  } = app;
  const seen = viewer.image && labels.of(viewer.image.id);
  if (!seen || seen.id !== viewer.labels || !table.details.images?.[seen.image]) return null;
  const its = labelsOf(table, seen.image, labels);
  if (its?.id === seen.id) return null;
  const name = its?.name ?? table.details.labels;
  if (name === undefined || name === seen.name || !labels.of(seen.image, name)) return notice(OTHERS);
  const show = h("button.quiet", { type: "button", onclick: () => labels.select(name) }, `Show ${name}`);
  return notice(`This table is of ${name}, but ${seen.name} are seen.`, show);
}

/** @param {string} text @param {HTMLElement} [button] */
const notice = (text, button) =>
  h("p.notice", { role: "status" }, icon("warning"), h("span.grow.wrap", {}, text), button);
