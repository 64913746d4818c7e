/** Reading images once more, as somebody says: where files do not say what their axes are, or say it wrongly. @module */
import { h } from "../../kernel/dom.js";
import { openDialog } from "../../controls/dialog.js";
import { labelled } from "../../controls/labelled.js";
import { counted, sayOf } from "../../app/said.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

const WORDS = /** @type {Record<string, string>} */ ({ T: "time", C: "channels", Z: "depth", S: "colours" });
const AS_FILES = "files";
const USUAL = ["YX", "ZYX", "CYX", "TYX", "CZYX", "TCYX", "TZYX", "TCZYX"];

/**
 * Ask what images are, and have them read again.
 * @param {App} app @param {ImageView[]} chosen
 */
export function readAgain(app, chosen) {
  const images = chosen.filter((image) => image.state !== "new");
  const axes = select(axesOf(images));
  const rgb = select([
    ["", "As now"],
    ["colour", "Colour pictures"],
    ["channels", "Three channels"],
  ]);
  const size = h("input", { type: "number", min: 0, max: 1e6, step: "any", placeholder: "As now" });
  const sure = h("button.primary", { type: "submit" }, "Read again");
  const labelsGo = images.some((image) => image.labels.length);
  const form = h(
    "form.stack",
    {},
    labelled("Axes", axes),
    labelled("Pictures in red, green and blue", rgb),
    labelled(["Pixel size ", h("span.field-unit", {}, "µm")], size),
    labelsGo &&
      h("p.notice", {}, "With other axes or colours, their labels go with the former reading. Undo brings both back."),
    h("div.row.end", {}, sure),
  );
  const title =
    images.length === 1 ? `Read “${images[0].name}” again` : `Read ${counted(images.length, "image")} again`;
  const dialog = openDialog(title, form);
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const said = {
      ...(axes.value && { axes: axes.value === AS_FILES ? null : axes.value }),
      ...(rgb.value && { rgb: rgb.value }),
      ...(size.value && { pixel_size_um: size.valueAsNumber }),
    };
    const stay = !axes.value && !rgb.value && images.every((image) => image.state === "ready");
    if (stay && !size.value)
      return void app.toast("Nothing was read again: choose other axes, colours or another pixel size.", {
        kind: "error",
      });
    dialog.close();
    if (stay) void sayOf(app, images, { ...said, pixel_size_y_um: null }, "The pixel size is another");
    else run(app, images, said).catch((error) => app.error(error));
  });
}

/** @param {App} app @param {ImageView[]} images @param {Record<string, any>} said */
async function run(app, images, said) {
  const { openStudy: study } = app;
  const done = study.post("images/read-again", { images: images.map((image) => image.id), ...said });
  await app.undoable(done, images.length === 1 ? `${images[0].name} is read again` : "The images are read again");
  await Promise.all([study.images.load(), study.jobs.load()]);
  study.images.select((await done).images[0]);
}

/** Axes that fit: those that the server names, of the lengths that are known, else the usual. @param {ImageView[]} images */
function axesOf(images) {
  const named = images.flatMap(({ reason }) => reason.match(/\b(?=[TCZ]{0,3}YXS?\b)[TCZYXS]+/g) ?? []);
  const lengths = new Set(images.map((image) => (image.header.axes ?? "").replace("S", "").length));
  const fitting = lengths.size === 1 && !lengths.has(0) ? arrangements([...lengths][0] - 2) : USUAL;
  const offered = [...new Set(named.length ? named : fitting)];
  return [["", "As now"], [AS_FILES, "As the files say"], ...offered.map((axes) => [axes, inWords(axes)])];
}

/** All orders of so many of T, C and Z, before Y and X. @param {number} count @returns {string[]} */
function arrangements(count) {
  let found = [""];
  for (let k = 0; k < Math.min(count, 3); k++)
    found = found.flatMap((axes) => [..."ZCT"].filter((axis) => !axes.includes(axis)).map((axis) => axes + axis));
  return found.map((axes) => `${axes}YX`);
}

/** @param {string} axes */
function inWords(axes) {
  const words = [...axes].flatMap((axis) => WORDS[axis] ?? []);
  return `${axes} (${words.length ? words.join(", ") : "one plane"})`;
}

/** @param {string[][]} options */
const select = (options) =>
  h(
    "select",
    {},
    options.map(([value, text]) => h("option", { value }, text)),
  );
