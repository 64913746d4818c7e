/** Files and folders that are dropped onto the window or chosen in a dialog. @module */
import { h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";

/** @typedef {import("./uploads.js").Sent} Sent */

/**
 * Take files that are dropped anywhere on the page; a veil says so while they hover above it.
 * @param {(files: Sent[]) => any} take
 * @param {() => string} text What the veil says; empty where nothing can be dropped.
 */
export function takeDrops(take, text) {
  const said = h("p");
  const veil = h("div.drop-veil", { hidden: true }, icon("upload"), said);
  document.body.append(veil);
  let depth = 0;
  const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth += 1;
    said.textContent = text();
    veil.hidden = !said.textContent;
  });
  addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    veil.hidden = veil.hidden || depth === 0;
  });
  addEventListener("drop", async (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    if (text()) take(await filesOf(/** @type {DataTransfer} */ (event.dataTransfer)));
  });
}

/**
 * Let somebody choose files, or a folder with all that is in it.
 * @param {{folder?: boolean}} [more]
 * @returns {Promise<Sent[]>} Empty where nothing was chosen.
 */
export function chooseFiles({ folder = false } = {}) {
  const input = h("input", {
    type: "file",
    multiple: true,
    webkitdirectory: folder,
    hidden: true,
    "aria-label": folder ? "Folder" : "Files",
  });
  document.body.append(input);
  return new Promise((answer) => {
    const done = () => {
      input.remove();
      answer([...(input.files ?? [])].map((file) => ({ file, name: file.webkitRelativePath || file.name })));
    };
    input.addEventListener("change", done);
    input.addEventListener("cancel", done);
    input.click();
  });
}

/** @param {DataTransfer} dropped @returns {Promise<Sent[]>} */
async function filesOf(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...dropped.files].map((file) => ({ file, name: file.name }));
  const found = await Promise.all(entries.map((entry) => filesBelow(entry)));
  return found.flat();
}

/** @param {any} entry @returns {Promise<Sent[]>} */
async function filesBelow(entry) {
  if (entry.isFile) {
    const file = await new Promise((answer, refuse) => entry.file(answer, refuse));
    return [{ file, name: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  /** @type {Sent[]} */
  const all = [];
  for (;;) {
    const some = await new Promise((answer, refuse) => reader.readEntries(answer, refuse));
    if (!some.length) return all;
    for (const each of some) all.push(...(await filesBelow(each)));
  }
}
