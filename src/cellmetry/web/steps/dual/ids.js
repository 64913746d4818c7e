/** Cells of an image that get the ids they have in earlier labels, and the table of which id became which. @module */
import { at, request } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { labelled } from "../../controls/labelled.js";
import { slider } from "../../controls/range.js";
import { JobProgress } from "../../app/job_progress.js";
import { counted } from "../../app/said.js";
import { saveExport } from "../../table/downloads.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/labels.js").LabelsView} LabelsView */

const KIND = "relabel";
const REPLACED = "";
const FILE = "file";
const USUAL_IOU = 0.2;
const MOST = 500;
const WHAT =
  "The cells of the image that is seen get the IDs of the earlier cells that they overlap most. Nothing is overwritten: " +
  "the labels get a new version, and Undo brings the former back.";

/** The section "Maintain IDs" of the step Two channels. */
export class MaintainIds {
  #app;
  #rules;
  #previous = h("select");
  #file = h("input", { type: "file", accept: ".tif,.tiff,.png,.npy,.zip,.geojson,.json" });
  #fileField = labelled("Label file", this.#file, { hidden: true });
  #version = h("input", { type: "number", min: 0, step: 1, placeholder: "newest" });
  #versionField = labelled("Version (number of edits)", this.#version, { hidden: true });
  #iou = USUAL_IOU;
  #run = h("button", { type: "button", onclick: () => this.#relabel() }, "Relabel to previous IDs");
  #progress;
  #mapping = h("div.stack", { "aria-live": "polite" });
  /** Labels whose mapping is shown. */
  #shown = "";
  #offs;

  /** @param {App} app @param {() => string} rules By whose rules cells are paired. */
  constructor(app, rules) {
    this.#app = app;
    this.#rules = rules;
    this.#progress = new JobProgress(app, KIND, "Relabelling", { shares: false, buttons: [this.#run] });
    const oninput = (/** @type {number} */ value) => (this.#iou = value);
    const show = (/** @type {number} */ value) => value.toFixed(2);
    const iou = slider({ label: "IoU threshold", min: 0, max: 1, step: 0.05, value: USUAL_IOU, show, oninput });
    this.element = h(
      "details.dual-section",
      { dataset: { section: "ids" } },
      h("summary", {}, "Maintain IDs"),
      h(
        "div.stack.dual-ids",
        {},
        h("p.quiet-text", {}, WHAT),
        labelled("Previous labels", this.#previous),
        this.#fileField,
        this.#versionField,
        iou.element,
        this.#run,
        this.#progress.element,
        this.#mapping,
      ),
    );
    this.#previous.addEventListener("change", () => this.#follow());
    this.#file.addEventListener("change", () => this.#follow());
    const { images, labels, jobs } = app.openStudy;
    this.#offs = [
      ...[images, labels].map((each) => each.on("change", () => this.#show())),
      jobs.on("ended", (job) => job.kind === KIND && this.#show()),
    ];
    this.#show();
  }

  close() {
    this.#progress.close();
    for (const off of this.#offs) off();
  }

  /** Labels of the image that is seen. @returns {LabelsView|null} */
  get #current() {
    const { images, labels } = this.#app.openStudy;
    return images.current && labels.of(images.current.id);
  }

  /** Those whose ids are to be taken over, where they are of the study. */
  get #source() {
    return this.#app.openStudy.labels.find(this.#previous.value) ?? null;
  }

  #show() {
    this.#showChoices();
    this.#follow();
    this.#showMapping().catch((error) => this.#app.error(error));
  }

  #showChoices() {
    const { images, labels } = this.#app.openStudy;
    const before = this.#previous.value;
    const of = (/** @type {LabelsView} */ each) => {
      const image = images.find(each.image);
      return image && h("option", { value: each.id }, `${images.shortName(image)}: ${each.name}`);
    };
    fill(
      this.#previous,
      h("option", { value: REPLACED }, "Those that the present ones replaced"),
      h("option", { value: FILE }, "A label file of your own…"),
      h("optgroup", { label: "Labels of the study" }, labels.all.map(of)),
    );
    this.#previous.value = [...this.#previous.options].some((each) => each.value === before) ? before : REPLACED;
  }

  /** Show the fields that matter, and whether it can be done. */
  #follow() {
    const wanted = this.#previous.value;
    this.#fileField.hidden = wanted !== FILE;
    const edits = this.#source?.version ?? 0;
    this.#versionField.hidden = !edits;
    this.#version.max = String(edits);
    const there = this.#current !== null && (wanted !== FILE || Boolean(this.#file.files?.length));
    this.#progress.allow(there && !this.#app.openStudy.readOnly);
  }

  async #relabel() {
    const current = this.#current;
    if (!current) return;
    try {
      const rules = this.#rules();
      const { image, name: labels } = current;
      await this.#progress.submit({ image, labels, least_iou: this.#iou, rules, ...(await this.#asked()) });
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** Whose ids are asked for; a file is sent first. @returns {Promise<Record<string, any>>} */
  async #asked() {
    if (this.#previous.value === FILE)
      return { upload: await this.#sent(/** @type {FileList} */ (this.#file.files)[0]) };
    const source = this.#source;
    if (!source) return {};
    const version = source.version && this.#version.value !== "" ? { version: Number(this.#version.value) } : {};
    return { previous: source.id, ...version };
  }

  /** @param {File} file @returns {Promise<string>} */
  async #sent(file) {
    const form = new FormData();
    form.append("file", file, file.name);
    const answer = await request("POST", `${this.#app.openStudy.path}uploads`, { form });
    return (await answer.json()).id;
  }

  /** The table of ids of the labels that are seen, if a job gave them theirs. */
  async #showMapping() {
    const labels = this.#current;
    const found = labels?.origin.relabelled?.found ?? null;
    const key = found ? `${labels?.id}` : "";
    if (key === this.#shown) return;
    this.#shown = key;
    if (!found) return fill(this.#mapping);
    const asked = { columns: ["label_before", "label", "iou"], where: [], most: MOST };
    const { values, total } = await this.#app.openStudy.post(at`tables/${found.table}/values`, asked);
    if (key === this.#shown) fill(this.#mapping, this.#mappingNodes(found, values, total));
  }

  /** @param {any} found @param {Record<string, (number|null)[]>} values @param {number} total */
  #mappingNodes({ kept, new: made, lost, table }, { label_before: before, label: after, iou }, total) {
    const csv = () =>
      saveExport(this.#app, { tables: [table], table_forms: ["csv"], name_of_result: "IDs as csv" }, "Table of IDs");
    const said = `${counted(kept, "cell")} kept an ID, ${made} are new, ${lost} of the earlier ones are gone.`;
    const rows = before.map((id, k) =>
      h(
        "tr",
        {},
        [id, after[k], iou[k] === null ? "new" : Number(iou[k]).toFixed(2)].map((each) =>
          h("td.number", {}, String(each)),
        ),
      ),
    );
    return [
      h("p", {}, said),
      h(
        "div.dual-mapping",
        { tabindex: 0, role: "region", "aria-label": "Which ID became which" },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ["ID before", "ID now", "IoU"].map((name) => h("th", { scope: "col" }, name)),
            ),
          ),
          h("tbody", {}, rows),
        ),
      ),
      before.length < total && h("p.quiet-text", {}, `The first ${before.length} of ${total}; all are in the file.`),
      h(
        "button",
        { type: "button", disabled: Boolean(this.#app.openStudy.readOnly), onclick: csv },
        icon("download"),
        "IDs as CSV",
      ),
    ];
  }
}
