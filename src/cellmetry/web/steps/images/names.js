/** Conditions and replicates that stand in the names of images, said for all of them at once. @module */
import { fill, h } from "../../kernel/dom.js";
import { openDialog } from "../../controls/dialog.js";
import { counted } from "../../app/said.js";
import { withoutFolder } from "../../app/images.js";
import { partsOf, proposedRoles, summaryOf, usualLength } from "./name_parts.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */
/** @typedef {{values: Record<string, string>, images: ImageView[]}} Group */

const ROLES = [
  ["", "–"],
  ["condition", "Condition"],
  ["replicate", "Replicate"],
  ["well", "Well"],
  ["field", "Field"],
];
const SHOWN = 500;
const SAID = 4;

/**
 * Return which images say what, by the parts of their names.
 * @param {ImageView[]} images
 * @param {string[][]} parts Of the name of each.
 * @param {string[]} roles What each part is; empty: nothing.
 * @returns {Group[]}
 */
function groupsOf(images, parts, roles) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  images.forEach((image, at) => {
    const said = roles.map((role, k) => [role, parts[at][k]]).filter(([role, part]) => role && part);
    if (!said.length) return;
    const values = Object.fromEntries(said);
    const key = JSON.stringify(values);
    groups.set(key, { values, images: [...(groups.get(key)?.images ?? []), image] });
  });
  return [...groups.values()];
}

/**
 * Return the images whose names are alike, their parts, and a sentence on those that are not, or cannot be read.
 * @param {ImageView[]} chosen
 */
function alikeOf(chosen) {
  const readable = chosen.filter((image) => image.state !== "failed");
  const all = withoutFolder(readable.map((image) => image.name)).map(partsOf);
  const usual = usualLength(all);
  const isAlike = (/** @type {number} */ k) => usual === null || all[k].length === usual;
  const odd = [
    ...readable.filter((_, k) => !isAlike(k)).map((image) => `${image.name} (another number of parts)`),
    ...chosen.filter((image) => image.state === "failed").map((image) => `${image.name} (not readable)`),
  ];
  const named = `${odd.slice(0, SAID).join(", ")}${odd.length > SAID ? `, and ${odd.length - SAID} more` : ""}`;
  return {
    images: readable.filter((_, k) => isAlike(k)),
    parts: all.filter((_, k) => isAlike(k)),
    left: odd.length ? `Nothing is said of ${named}.` : "",
  };
}

/** Ask what the parts of the names are, with a proposal, and say it. @param {App} app @param {ImageView[]} chosen */
export function sayFromNames(app, chosen) {
  const { images, parts, left } = alikeOf(chosen);
  const proposed = proposedRoles(parts);
  const selects = proposed.map((role, k) => roleSelect(role, k));
  const said = h("p.quiet-text", { role: "status" });
  const sure = h("button.primary", { type: "button", disabled: true }, "Apply");
  const dialog = openDialog(
    "Conditions from names",
    h(
      "div.stack",
      {},
      h("p", {}, "Say what each part of the names is; what is proposed may be wrong."),
      tableOf(selects, parts),
      parts.length > SHOWN && h("p.quiet-text", {}, `… and ${counted(parts.length - SHOWN, "more image")}`),
      said,
      left && h("p.quiet-text", {}, left),
    ),
    { wide: true, buttons: [sure] },
  );
  const groups = () =>
    groupsOf(
      images,
      parts,
      selects.map((select) => select.value),
    );
  const show = () => {
    const found = groups();
    sure.disabled = !found.length;
    fill(said, found.length > 0 && summaryOf(found));
  };
  selects.forEach((select) => select.addEventListener("change", show));
  show();
  sure.addEventListener("click", async () => {
    sure.disabled = true;
    await sayGroups(app, groups());
    dialog.close();
  });
}

/** @param {string} role @param {number} k @returns {HTMLSelectElement} */
function roleSelect(role, k) {
  const options = ROLES.map(([value, text]) => h("option", { value }, text));
  const select = h("select", { "aria-label": `What part ${k + 1} of the names is` }, options);
  select.value = role;
  return select;
}

/** @param {HTMLSelectElement[]} selects @param {string[][]} parts */
function tableOf(selects, parts) {
  const rows = parts.slice(0, SHOWN).map((each) =>
    h(
      "tr",
      {},
      selects.map((_, k) => h("td", {}, each[k] ?? "")),
    ),
  );
  const head = selects.map((select) => h("th", { scope: "col" }, select));
  return h(
    "div.names-scroll",
    { tabindex: 0, role: "region", "aria-label": "Parts of the names" },
    h("table.names-table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}

/** @param {App} app @param {Group[]} groups */
async function sayGroups(app, groups) {
  const study = app.openStudy;
  /** @type {number[]} */
  const acts = [];
  try {
    for (const { values, images } of groups) {
      const done = await study.patch("images", { images: images.map((image) => image.id), values });
      acts.push(done.act);
    }
  } catch (error) {
    app.error(error);
  }
  const undo = async () => {
    for (const act of acts.reverse()) await study.undo(act);
    await study.images.load();
  };
  const many = groups.reduce((sum, { images }) => sum + images.length, 0);
  if (acts.length)
    app.toast(`Said of ${counted(many, "image")} by their names.`, {
      kind: "done",
      action: { text: "Undo", run: undo },
    });
  await study.images.load();
}
