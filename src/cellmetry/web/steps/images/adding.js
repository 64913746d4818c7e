/** How images come into a study: files, folders, folders of the server's computer; how far that is. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { openDialog } from "../../controls/dialog.js";
import { progressBar } from "../../controls/progress.js";
import { SchemaForm } from "../../controls/schema_form.js";
import { chooseFiles } from "../../app/drops.js";
import { counted } from "../../app/said.js";
import { removeImages } from "./details.js";

/** @typedef {import("../../app/app.js").App} App */

/** What the files may not say; with a pattern several files make one image. */
const READING = {
  type: "object",
  properties: {
    pattern: {
      anyOf: [{ type: "string", maxLength: 200 }, { type: "null" }],
      default: null,
      description: "Several files make one image, by their names: {well}_w{channel}.tif",
    },
    rgb: {
      type: "string",
      enum: ["colour", "channels"],
      default: "colour",
      description: "What pictures in red, green and blue are.",
    },
    axes: {
      anyOf: [{ type: "string", maxLength: 10 }, { type: "null" }],
      default: null,
      description: "Only where the files do not say, as ZYX.",
    },
    pixel_size_um: {
      anyOf: [{ type: "number", exclusiveMinimum: 0, maximum: 1e6 }, { type: "null" }],
      default: null,
      description: "Side of a pixel. Leave it empty if the files say it.",
    },
  },
};
const TITLES = { pattern: "File names", rgb: "Colour pictures", axes: "Axes", pixel_size_um: "Pixel size" };

/** Buttons to add images, with what the files do not say. */
export class Adding {
  #app;
  #form = new SchemaForm(READING, { titles: TITLES });

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    const disabled = Boolean(app.openStudy.readOnly);
    this.buttons = (/** @type {boolean} */ first) => [
      h(
        "button",
        { type: "button", class: first ? "primary" : "", disabled, onclick: () => this.choose(false) },
        icon("file"),
        "Choose files",
      ),
      h("button", { type: "button", disabled, onclick: () => this.choose(true) }, icon("folder"), "Choose folder"),
    ];
    this.element = h(
      "section.stack",
      {},
      h("h2", {}, "Add images"),
      h("div.images-add", {}, this.buttons(false)),
      app.session.mode !== "demo" &&
        h(
          "button.quiet.link",
          { type: "button", disabled, onclick: () => this.#askFolder() },
          "A folder of the server's computer…",
        ),
      h("details.fold-fields", {}, h("summary", {}, "How files are read"), this.#form.element),
    );
  }

  /** @param {boolean} folder */
  async choose(folder) {
    const files = await chooseFiles({ folder });
    if (files.length) this.send(files);
  }

  /** @param {import("../../app/uploads.js").Sent[]} files */
  send(files) {
    try {
      void this.#app.openStudy.uploads.add(files, this.#form.values);
    } catch (error) {
      this.#app.toast(`How files are read: ${/** @type {Error} */ (error).message}`, { kind: "error" });
    }
  }

  async #askFolder() {
    const path = await this.#app.askText({
      title: "Add a folder",
      label: "Folder or file on the computer where the server runs",
      yes: "Add",
      most: 4096,
      help: "Nothing is copied: the images are read where they are, and never changed.",
    });
    if (path === null) return;
    try {
      const found = await this.#app.openStudy.post("images/register", { paths: [path], reading: this.#form.values });
      const text = found.length ? `Added ${counted(found.length, "image")}.` : "All of these are there already.";
      this.#app.toast(text, { kind: "done" });
      await this.#app.openStudy.images.load();
    } catch (error) {
      this.#app.error(error);
    }
  }
}

/**
 * Return what shows how far uploads are, and what was refused.
 * @param {App} app
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function uploadProgress(app) {
  const { uploads } = app.openStudy;
  const bar = progressBar("Upload");
  const stop = h("button.quiet", { type: "button", onclick: () => uploads.stop() }, "Stop");
  const refused = h("div.stack");
  const copies = h("div");
  const element = h(
    "section.stack.upload",
    { hidden: true },
    h("div.row", {}, h("h3.grow", {}, "Uploading"), stop),
    bar.element,
    refused,
    copies,
  );
  const show = () => {
    element.hidden = !uploads.busy && !uploads.refused.length && !uploads.skipped.length && !uploads.copies.length;
    bar.element.hidden = stop.hidden = !uploads.busy;
    element.querySelector("h3").textContent = uploads.busy ? `Uploading ${counted(uploads.files, "file")}` : "Upload";
    bar.show({ done: megabytes(uploads.sent), total: megabytes(uploads.total) || 0.1, text: "MB" });
    fill(
      refused,
      uploads.refused.length > 0 && refusalsButton(uploads),
      uploads.skipped.length > 0 && skippedNotice(uploads),
    );
    fill(copies, uploads.copies.length > 0 && copiesNotice(app));
  };
  const off = uploads.on("change", show);
  show();
  return { element, close: off };
}

/** Which files were no images. @param {string[]} names */
function noImages(names) {
  const some = names.slice(0, 3).map((name) => name.split("/").pop());
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `${counted(names.length, "file is no image", "files are no images")}: ${some.join(", ")}${more}.`;
}

/** @param {import("../../app/uploads.js").Uploads} uploads */
function skippedNotice(uploads) {
  const forget = () => {
    uploads.skipped = [];
    uploads.tell("change", uploads);
  };
  return h(
    "p.notice",
    { role: "status" },
    icon("info"),
    h("span.grow.wrap", {}, noImages(uploads.skipped)),
    h("button.quiet.square", { type: "button", "aria-label": "Forget these", onclick: forget }, icon("close")),
  );
}

/** Images that came though they were there already: keep them, or take them away again. @param {App} app */
function copiesNotice(app) {
  const { uploads, images } = app.openStudy;
  const { copies } = uploads;
  const forget = () => {
    uploads.copies = [];
    uploads.tell("change", uploads);
  };
  const leave = () => {
    const ids = new Set(copies.map(({ image }) => image.id));
    forget();
    const some = images.all.filter((image) => ids.has(image.id));
    if (some.length) void removeImages(app, some);
  };
  const [{ image, twin }] = copies;
  const some = `${counted(copies.length, "image")} came that were there already (as ${image.name} = ${twin.name})`;
  const text = copies.length === 1 ? `${image.name} is there already, as ${twin.name}` : some;
  return h(
    "div.notice.copies",
    { role: "status" },
    icon("warning"),
    h("span.grow.wrap", {}, `${text}: its cells would count twice.`),
    h("button", { type: "button", onclick: leave }, copies.length === 1 ? "Remove it" : "Remove them"),
    h("button.quiet", { type: "button", onclick: forget }, "Keep"),
  );
}

/** @param {import("../../app/uploads.js").Uploads} uploads */
function refusalsButton(uploads) {
  const rows = () =>
    uploads.refused.map(({ name, reason }) => h("li", {}, h("strong", {}, name), h("p.quiet-text", {}, reason)));
  const show = () => void openDialog("Files that were not taken", h("ul.refusals", {}, rows()), { wide: true });
  const forget = () => {
    uploads.refused = [];
    uploads.tell("change", uploads);
  };
  return h(
    "p.notice",
    { role: "status" },
    icon("warning"),
    h("span.grow", {}, `${counted(uploads.refused.length, "file was", "files were")} not taken.`),
    h("button.quiet", { type: "button", onclick: show }, "Why?"),
    h("button.quiet.square", { type: "button", "aria-label": "Forget these", onclick: forget }, icon("close")),
  );
}

/** @param {number} bytes */
const megabytes = (bytes) => Math.round(bytes / 1e5) / 10;
