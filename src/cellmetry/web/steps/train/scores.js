/** Scores of a model before and after a training, and pictures of what changed. @module */
import { h } from "../../kernel/dom.js";
import { openDialog } from "../../controls/dialog.js";
import { counted } from "../../app/said.js";
import { resultAddress } from "../../table/downloads.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./words.js").Outcome} Outcome */
/** @typedef {import("./words.js").Sum} Sum */
/**
 * @typedef {object} Change A held-out image, by the findings `before` and `after`.
 * @property {string} item
 * @property {Record<string, {right: number, extra: number, missed: number}>} counts
 * @property {Record<string, string>} files
 */

/** @typedef {[keyof Sum, string, string, 1|-1, string]} Row Title, unit, whether more is better, what it is. */

/** @type {Row[]} */
const ROWS = [
  ["right", "Found right", "", 1, "Cells that overlap a true one by half or more"],
  ["missed", "Missed", "", -1, "True cells that were not found"],
  ["extra", "Wrong or extra", "", -1, "Found cells that are none, or not as they should be"],
  ["f1", "Right in all (F1)", " %", 1, "Of the cells found and of the true ones, in all images together"],
  ["ap50", "Right in each image (AP 0.5)", " %", 1, "Of all cells found or missed, as the mean of the images"],
  [
    "ap75",
    "With close outlines (AP 0.75)",
    " %",
    1,
    "The same, where a cell must overlap a true one by three quarters",
  ],
];
const PANELS = { before: "Before", after: "After", truth: "Yours" };
const COLOURS = [
  ["right", "Right"],
  ["extra", "Wrong or extra"],
  ["missed", "Missed"],
  ["truth", "Your outline"],
];

/** A whole number; a share that is all but 100 % keeps the digit that says so. @param {number} value @param {string} unit */
const wholeText = (value, unit) =>
  unit && value < 100 && Math.round(value) === 100 ? String(Math.floor(value * 10) / 10) : String(Math.round(value));

/**
 * Return a table of the scores.
 * @param {Outcome} outcome
 */
export function scoresTable({ before, after, names, cells }) {
  const row = (/** @type {Row} */ [key, title, unit, better, about]) => {
    const [was, is] = [before?.[key] ?? null, after[key]];
    const change = was === null || is === null ? null : Math.round(is) - Math.round(was);
    const gain = (change ?? 0) * better;
    const kind = gain > 0 ? "train-up" : gain < 0 ? "train-down" : "";
    const sign = change === null ? "–" : change > 0 ? `+${change}` : change < 0 ? `−${-change}` : "0";
    const shown = (/** @type {number|null} */ value) => (value === null ? "–" : `${wholeText(value, unit)}${unit}`);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, title, h("p.quiet-text", {}, about)),
      before && h("td.number", {}, shown(was)),
      h("td.number", {}, shown(is)),
      before && h("td.number", { class: kind }, sign),
    );
  };
  const heads = ["", ...(before ? ["Before"] : []), "After", ...(before ? ["Change"] : [])];
  return h(
    "section.card",
    {},
    h(
      "div.row",
      {},
      h("h3.grow", {}, "Held-out images"),
      h("span.quiet-text", {}, `${counted(names.length, "image")}, ${counted(cells, "cell")}`),
    ),
    h(
      "table.compare-table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h("tbody", {}, ROWS.map(row)),
    ),
  );
}

/**
 * Return the pictures of what changed, side by side; nothing where there are none.
 * @param {App} app @param {string} result Id of the result of the training. @param {Change[]} changes
 */
export function changePictures(app, result, changes) {
  if (!changes.length) return null;
  const key = (/** @type {string[]} */ [kind, text]) =>
    h("span.plot-key", {}, h("span.train-line", { class: `train-${kind}` }), text);
  return h(
    "section.card",
    {},
    h("div.row.wrap-row", {}, h("h3.grow", {}, "What changed"), h("p.plot-legend", {}, COLOURS.map(key))),
    h(
      "ul.train-changes",
      {},
      changes.map((change) => changeRow(app, result, change)),
    ),
  );
}

/** @param {App} app @param {string} result @param {Change} change */
function changeRow(app, result, { item, counts, files }) {
  const shown = Object.entries(PANELS).filter(([name]) => files[name]);
  const said = (/** @type {string} */ name) => {
    const found = counts[name];
    return found ? `${found.right} right, ${found.extra} wrong, ${found.missed} missed` : "";
  };
  const panel = (/** @type {[string, string]} */ [name, title]) => {
    const src = resultAddress(app, result, files[name]);
    const alt = `${title}: ${item}${said(name) && `, ${said(name)}`}`;
    const open = () => openDialog(`${item}: ${title}`, h("img.train-large", { src, alt }), { wide: true });
    return h(
      "figure.train-panel",
      {},
      h(
        "button.train-picture",
        { type: "button", "aria-label": `Enlarge ${alt}`, onclick: open },
        h("img", { src, alt: "", loading: "lazy" }),
      ),
      h("figcaption", {}, h("strong", {}, title), h("span.quiet-text.number", {}, said(name))),
    );
  };
  return h("li", {}, h("p.train-item.cut", { title: item }, item), h("div.train-panels", {}, shown.map(panel)));
}
