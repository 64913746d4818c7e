/** What can be done with the cells that are selected, and with a whole plane. @module */
import { at } from "../../kernel/api.js";
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { counted } from "../../app/said.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../viewer/tools/bench.js").Bench} Bench */

const MOST_ASKED = 20;

/** Follows what is picked in the viewer while no tool is chosen. */
export class Selection {
  #app;
  #desk;
  #bench;
  #offs;
  #planes = h("div.correct-planes");
  /** What can be done with the cells. */
  cells = h("div.correct-cells");

  /** @param {App} app @param {Desk} desk @param {Bench} bench */
  constructor(app, desk, bench) {
    this.#app = app;
    this.#desk = desk;
    this.#bench = bench;
    this.element = this.#planes;
    const { viewer, shortcuts } = app;
    const some = () => viewer.selected.size > 0 && !app.openStudy.readOnly;
    const deep = (/** @type {"z"|"t"} */ axis) => () => viewer.sizes[axis] > 1 && !app.openStudy.readOnly;
    this.#offs = [
      viewer.on("pick", (/** @type {any} */ said) => this.#pick(said)),
      viewer.on("select", () => this.#show()),
      viewer.on("shown", () => this.#showPlanes()),
      desk.session.on("saved", ({ item, answer }) => this.#follow(item, answer)),
      desk.session.on("refused", ({ item: { labels } }) => this.#missing({ labels, ids: this.#ids })),
      app.openStudy.on("act", ({ edit }) => edit?.version && this.#missing(edit)),
      shortcuts.bind("Delete", "Delete the selected cells", () => this.#delete(), { when: some }),
      shortcuts.bind("Backspace", "Delete the selected cells", () => this.#delete(), { when: some }),
      shortcuts.bind("k", "Copy to the next plane", () => this.#copy("Z"), { when: deep("z") }),
      shortcuts.bind("Shift+k", "Copy to the next frame", () => this.#copy("T"), { when: deep("t") }),
    ];
    this.#show();
    this.#showPlanes();
  }

  close() {
    for (const off of this.#offs) off();
  }

  /** @param {{id: number|null, event: PointerEvent}} said */
  #pick({ id, event }) {
    const { viewer } = this.#app;
    const chosen = new Set(event.shiftKey || event.ctrlKey || event.metaKey ? viewer.selected : []);
    if (id && !chosen.delete(id)) chosen.add(id);
    viewer.select(chosen);
  }

  /** Leave out what is there no more. @param {any} item @param {any} answer */
  #follow({ operation, labels, parameters }, { ids }) {
    const { viewer } = this.#app;
    if (labels !== viewer.labels || !["delete", "delete_inside", "merge", "merge_along"].includes(operation)) return;
    const stays = operation === "merge" ? parameters.ids[0] : null;
    const kept = [...viewer.selected].filter((id) => id === stays || !ids.includes(id));
    if (kept.length < viewer.selected.size) viewer.select(kept);
  }

  /** Leave out what an undo or somebody else took away. @param {any} edit */
  async #missing({ labels, ids }) {
    const { viewer, openStudy: study } = this.#app;
    if (labels !== viewer.labels) return;
    const { t, z } = this.#desk.plane;
    const asked = [...viewer.selected].filter((id) => ids.includes(id)).slice(0, MOST_ASKED);
    const read = (/** @type {number} */ id) =>
      study.get(at`labels/${labels}/objects`, { t, z, after: id - 1, limit: 1 }).catch(() => [{ id }]);
    const found = await Promise.all(asked.map(read));
    const gone = asked.filter((id, k) => found[k][0]?.id !== id);
    if (gone.length) viewer.select([...viewer.selected].filter((id) => !gone.includes(id)));
  }

  get #ids() {
    return [.../** @type {Set<number>} */ (this.#app.viewer.selected)];
  }

  /** @param {string} operation @param {Record<string, any>} parameters */
  #edit(operation, parameters) {
    this.#desk.edit({ operation, parameters });
  }

  #delete() {
    this.#edit("delete", { ids: this.#ids });
  }

  /** Copy the selected cells, or all, and go to where they are now. @param {"Z"|"T"} axis */
  #copy(axis) {
    const { viewer, look } = this.#app;
    const name = axis === "Z" ? "z" : "t";
    const last = viewer[name] + 1 >= viewer.sizes[name];
    if (last) return this.#desk.hint(axis === "Z" ? "This is the last plane." : "This is the last frame.");
    this.#edit("copy_plane", { axis, ids: this.#ids });
    look.go({ [name]: viewer[name] + 1 });
  }

  #show() {
    const ids = this.#ids;
    const locked = Boolean(this.#app.openStudy.readOnly);
    if (!ids.length || locked) return void fill(this.cells);
    const { pixels } = this.#bench.choices;
    const button = (/** @type {string} */ text, /** @type {() => void} */ run, more = {}) =>
      h("button.small", { type: "button", onclick: run, ...more }, text);
    const each = (/** @type {string} */ operation) => () => ids.forEach((id) => this.#edit(operation, { id }));
    const name = ids.length === 1 ? `Cell ${ids[0]}` : `${counted(ids.length, "cell")} selected`;
    fill(
      this.cells,
      h(
        "div.look-head",
        {},
        h("h3.number", {}, name),
        h("button.quiet.small", { type: "button", onclick: () => this.#app.viewer.select([]) }, "Clear"),
      ),
      h(
        "div.correct-actions",
        {},
        ids.length > 1 && button("Merge", () => this.#edit("merge", { ids })),
        button("Auto split", each("watershed")),
        button("Fill holes", () => this.#edit("fill_holes", { ids })),
        button("Separate parts", each("part_apart")),
        button("Grow", () => this.#edit("grow", { ids, pixels }), { title: `By ${pixels} px` }),
        button("Shrink", () => this.#edit("shrink", { ids, pixels }), { title: `By ${pixels} px` }),
        button("Delete", () => this.#delete(), { class: "danger-text" }),
      ),
    );
  }

  #showPlanes() {
    const { viewer, openStudy } = this.#app;
    const { sizes } = viewer;
    const deep = viewer.labels && !openStudy.readOnly;
    const title = "Copies the selected cells, or all of this plane if none is selected";
    const button = (/** @type {string} */ text, /** @type {"Z"|"T"} */ axis) =>
      h("button.grow", { type: "button", onclick: () => this.#copy(axis), title }, text, icon("forward"));
    const [plane, frame] = [button("Copy to next plane", "Z"), button("Copy to next frame", "T")];
    fill(this.#planes, deep && [sizes.z > 1 && plane, sizes.t > 1 && frame]);
  }
}
