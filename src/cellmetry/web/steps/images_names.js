/** Conditions and replicates that stand in the names of images, said for all of them at once. @module */
import { fill, h } from "../kernel/dom.js";
import { openDialog } from "../controls/dialog.js";
import { counted } from "../app/said.js";

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("../app/images.js").ImageView} ImageView */

const ROLES = [
  ["", "–"],
  ["condition", "Condition"],
  ["replicate", "Replicate"],
  ["well", "Well"],
  ["field", "Field"],
];
const SHOWN = 6;

/** The parts of a name, as "A01_control_day1" has three. @param {string} name */
const partsOf = (name) => name.split(/[_\s.,;]+|-(?=\D)/).filter(Boolean);

/**
 * Return which images say what, by the parts of their names.
 * @param {ImageView[]} images
 * @param {string[]} roles What each part is; empty: nothing.
 * @returns {{values: Record<string, string>, images: ImageView[]}[]}
 */
function groupsOf(images, roles) {
  /** @type {Map<string, {values: Record<string, string>, images: ImageView[]}>} */
  const groups = new Map();
  for (const image of images) {
    const parts = partsOf(image.name);
    const values = Object.fromEntries(roles.map((role, k) => [role, parts[k]]).filter(([role, part]) => role && part));
    if (!Object.keys(values).length) continue;
    const key = JSON.stringify(values);
    groups.set(key, { values, images: [...(groups.get(key)?.images ?? []), image] });
  }
  return [...groups.values()];
}

/** Ask what the parts of the names are, and say it. @param {App} app @param {ImageView[]} images */
export function sayFromNames(app, images) {
  const columns = Math.max(...images.map((image) => partsOf(image.name).length));
  const selects = Array.from({ length: columns }, (_, k) =>
    h(
      "select",
      { "aria-label": `What part ${k + 1} of the names is` },
      ROLES.map(([value, text]) => h("option", { value }, text)),
    ),
  );
  const said = h("p.quiet-text", { role: "status" });
  const sure = h("button.primary", { type: "button", disabled: true }, "Say it");
  const rows = images.slice(0, SHOWN).map((image) =>
    h(
      "tr",
      {},
      Array.from({ length: columns }, (_, k) => h("td", {}, partsOf(image.name)[k] ?? "")),
    ),
  );
  const table = h(
    "div.names-scroll",
    {},
    h(
      "table.names-table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          selects.map((select) => h("th", { scope: "col" }, select)),
        ),
      ),
      h("tbody", {}, rows),
    ),
  );
  const dialog = openDialog(
    "Conditions from names",
    h(
      "div.stack",
      {},
      h("p", {}, "Say what each part of the names is."),
      table,
      images.length > SHOWN && h("p.quiet-text", {}, `… and ${counted(images.length - SHOWN, "more image")}`),
      said,
    ),
    { wide: true, buttons: [sure] },
  );
  const roles = () => selects.map((select) => select.value);
  const show = () => {
    const groups = groupsOf(images, roles());
    sure.disabled = !groups.length;
    fill(said, groups.length > 0 && inShort(groups));
  };
  selects.forEach((select) => select.addEventListener("change", show));
  sure.addEventListener("click", async () => {
    sure.disabled = true;
    await sayGroups(app, groupsOf(images, roles()));
    dialog.close();
  });
}

/** @param {ReturnType<typeof groupsOf>} groups */
function inShort(groups) {
  const some = groups.slice(0, 8).map(({ values, images }) => `${Object.values(values).join(" ")} (${images.length})`);
  return `${counted(groups.length, "group")}: ${some.join(", ")}${groups.length > 8 ? ", …" : ""}`;
}

/** @param {App} app @param {ReturnType<typeof groupsOf>} groups */
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
  if (acts.length)
    app.toast(
      `Said of ${counted(
        groups.reduce((sum, { images }) => sum + images.length, 0),
        "image",
      )} by their names.`,
      { kind: "done", action: { text: "Undo", run: undo } },
    );
  await study.images.load();
}
