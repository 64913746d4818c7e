/** What is saved on this computer: files of results, and tables and labels in the formats of other programs. @module */
import { address, at } from "../kernel/api.js";
import { h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { menuButton } from "../controls/menu.js";

/** @typedef {import("../app/app.js").App} App */

/** How long what was made in the browser can be fetched by whatever saves it. */
const LASTS_MS = 60_000;

/** Save what an address gives; the server says its name where none is given. @param {URL|string} url @param {string} [name] */
export function save(url, name = "") {
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Save what was made in the browser. @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  save(url, name);
  setTimeout(() => URL.revokeObjectURL(url), LASTS_MS);
}

/** Address of a result, or of one file of it. @param {App} app @param {string} id @param {string} [file] */
export const resultAddress = (app, id, file) => address(app.openStudy.path + at`results/${id}/download`, { file });

/**
 * Have tables or labels written in other formats, and save them when they are there.
 * @param {App} app @param {Record<string, any>} parameters Of the job `export`. @param {string} what In words.
 */
export async function saveExport(app, parameters, what) {
  const { jobs } = app.openStudy;
  try {
    const job = await jobs.submit("export", parameters);
    const ended = await jobs.follow(job.id);
    if (ended.state === "done") save(resultAddress(app, ended.result.export));
    else if (ended.state !== "failed") app.toast(`${what}: not written.`);
  } catch (error) {
    app.error(error);
  }
}

/** @param {App} app @param {import("./source.js").TableView} table */
export function downloadsMenu(app, table) {
  const exported = (/** @type {string} */ form) => () =>
    saveExport(
      app,
      { tables: [table.id], table_forms: [form], name_of_result: `${table.name} as ${form}` },
      `Table ${table.name}`,
    );
  const readOnly = Boolean(app.openStudy.readOnly);
  return menuButton(
    { label: "Download the table", content: [icon("download"), "Download"], align: "right", class: "quiet" },
    () => [
      { text: "CSV", run: () => save(address(app.openStudy.path + at`tables/${table.id}/download`)) },
      { text: "Excel", disabled: readOnly, run: exported("xlsx") },
      { text: "Parquet", run: () => save(resultAddress(app, table.id)) },
    ],
  );
}
