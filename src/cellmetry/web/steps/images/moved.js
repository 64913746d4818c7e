/** Originals that are not where they were: that is said, and a folder is asked in which they are looked for. @module */
import { fill, h } from "../../kernel/dom.js";
import { openDialog } from "../../controls/dialog.js";
import { icon } from "../../controls/icons.js";
import { counted } from "../../app/said.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {{id: string, name: string, images: string[]}} Missing */

const SHOWN = 3;

/** A notice above the images; empty while all originals are there. */
export class Moved {
  element = h("div", { role: "status" });
  #app;
  #turn = 0;
  #asked = "";
  #offs;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    const { openStudy: study } = app;
    this.#offs = [
      study.images.on("change", () => this.#askOfOthers()),
      study.on("act", (act) => ["relink", "undo", "redo"].includes(act.verb) && this.#ask()),
    ];
    this.#askOfOthers();
  }

  close() {
    this.#turn++;
    for (const off of this.#offs) off();
  }

  /** Ask the server where other images are there than it was asked for. */
  #askOfOthers() {
    const { all } = this.#app.openStudy.images;
    const ids = all.map((image) => image.id).join();
    if (ids === this.#asked) return;
    this.#asked = ids;
    void this.#ask();
  }

  async #ask() {
    const turn = ++this.#turn;
    try {
      /** @type {Missing[]} */
      const missing = await this.#app.openStudy.get("originals/missing");
      if (turn === this.#turn) this.#show(missing);
    } catch (error) {
      if (turn === this.#turn) this.#app.error(error);
    }
  }

  /** @param {Missing[]} missing */
  #show(missing) {
    const names = missing.slice(0, SHOWN).map(({ name }) => name);
    const some = `${names.join(", ")}${missing.length > SHOWN ? ", …" : ""}`;
    const one = missing.length === 1;
    const they = one ? "it was" : "they were";
    const text =
      `${counted(missing.length, "original file is", "original files are")} not where ${they} (${some}): ` +
      `images without ${one ? "it" : "them"} can be looked at and corrected, not segmented or measured.`;
    const say = h(
      "button",
      { type: "button", disabled: Boolean(this.#app.openStudy.readOnly), onclick: () => this.#look(missing) },
      one ? "Say where it is" : "Say where they are",
    );
    fill(
      this.element,
      missing.length > 0 && h("p.notice.images-hint", {}, icon("folder"), h("span.grow.wrap", {}, text), say),
    );
  }

  /** @param {Missing[]} missing */
  async #look(missing) {
    const path = await this.#app.askText({
      title: "Where are the original files now?",
      label: "Folder on the computer where the server runs",
      yes: "Look there",
      most: 4096,
      help: "Folders in it are looked through too. Files are known by their content; their names do not matter.",
    });
    if (path === null) return;
    try {
      /** @type {string[]} */
      const ids = await this.#app.openStudy.post("originals/relink", { path });
      await this.#ask();
      tell(path, missing, new Set(ids));
    } catch (error) {
      this.#app.error(error);
    }
  }
}

/** Say what was found and what is still missing. @param {string} path @param {Missing[]} missing @param {Set<string>} found */
function tell(path, missing, found) {
  const there = missing.filter(({ id }) => found.has(id));
  const left = missing.filter(({ id }) => !found.has(id));
  const list = (/** @type {string} */ title, /** @type {Missing[]} */ files) =>
    files.length > 0 && [
      h("h3", {}, title),
      h(
        "ul.images-found",
        {},
        files.map(({ name }) => h("li.wrap", {}, name)),
      ),
    ];
  openDialog(
    `Found ${there.length} of ${missing.length}`,
    h(
      "div.stack",
      {},
      h("p.quiet-text.wrap", {}, `Looked for in ${path} and the folders in it.`),
      list("Found", there),
      list("Still missing", left),
    ),
  );
}
