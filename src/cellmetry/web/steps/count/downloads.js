/** What may be saved of a count that is seen: its maps as pictures and as values, and its numbers. @module */
import { address } from "../../kernel/api.js";
import { h } from "../../kernel/dom.js";
import { pixelSizeOf } from "../../app/images.js";
import { save } from "../../table/downloads.js";
import { nameOfMap, pictureOf } from "../field_maps.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./card.js").CountRow} CountRow */
/** @typedef {import("../field_maps.js").FieldMap} FieldMap */

const COLUMNS = /** @type {const} */ ([
  "region",
  "area_px",
  "n_instances",
  "n_density",
  "n",
  "n_low",
  "n_high",
  "coverage",
  "disagreement",
]);

/**
 * Return the items of the menu "Download".
 * @param {App} app @param {readonly CountRow[]} counts @param {readonly FieldMap[]} maps
 * @returns {import("../../controls/menu.js").Item[]}
 */
export function downloadsOf(app, counts, maps) {
  const image = app.viewer.image;
  const name = fileName(image.name);
  const pixelUm = pixelSizeOf(image);
  const ofMap = (/** @type {FieldMap} */ map) => {
    const file = `${name}_${map.kind}`;
    const side = pixelUm === null ? null : pixelUm * map.block;
    const tiff = address(`${app.openStudy.path}${map.path}/tiff`, { name: `${file}.tif`, pixel_um: side });
    return [
      { text: `${nameOfMap(map.kind)} (TIFF)`, run: () => save(tiff) },
      { text: `${nameOfMap(map.kind)} (PNG)`, run: () => savePicture(app, map, `${file}.png`) },
    ];
  };
  const csv = () => saveBlob(new Blob([csvOf(image.name, counts)], { type: "text/csv" }), `${name}_counts.csv`);
  return [{ text: "Counts (CSV)", run: csv }, ...maps.flatMap(ofMap)];
}

/** @param {App} app @param {FieldMap} map @param {string} name */
const savePicture = (app, map, name) =>
  pictureOf(map).then(
    (blob) => saveBlob(blob, name),
    (error) => app.error(error),
  );

/** @param {Blob} blob @param {string} name */
function saveBlob(blob, name) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** @param {string} image @param {readonly CountRow[]} counts */
function csvOf(image, counts) {
  const cells = counts.map((row) => [image, ...COLUMNS.map((name) => row[name] ?? "")]);
  return [["image", ...COLUMNS], ...cells].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

/** A value of CSV; one that a spreadsheet would take for a formula is a text. @param {string|number} value */
function quoted(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {string} name */
const fileName = (name) =>
  name
    .split("/")
    .at(-1)
    ?.replace(/[\\:*?"<>|]/g, "_") || "image";
