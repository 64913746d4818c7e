/**
 * Two views of one place: side by side, or split by a line that can be moved. The second shows the same image with
 * other labels, other channels, or none of them.
 * @module
 */
import { get } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {"one"|"side"|"split"} Mode */

const MODES = { one: "One view", side: "Side by side", split: "Split view" };
const KEY_STEP = 0.02;

/** Adds a second viewer to one, and the control for it. */
export class ViewerPair {
  /** @type {Viewer|null} */
  second = null;
  /** @type {Mode} */
  mode = "one";
  #host;
  #first;
  #study;
  #part = 0.5;
  /** Number of the last list of labels that was asked for, and the image of which one is shown. */
  #turn = 0;
  #offered = "";
  #closed = false;
  /** @type {(() => void)[]} */
  #ends = [];
  #labels = h("select", { "aria-label": "Labels of the second view", onchange: () => this.#show() });
  #channels = h("select", { "aria-label": "Channels of the second view", onchange: () => this.#showChannels() });
  #choice = h("div.viewer-second", { hidden: true }, this.#labels, this.#channels);
  #line = h("div.viewer-line", {
    role: "separator",
    tabindex: "0",
    "aria-label": "Divider",
    "aria-orientation": "vertical",
    "aria-valuenow": "50",
    hidden: true,
    onpointermove: (/** @type {PointerEvent} */ event) => this.#drag(event),
    onpointerdown: (/** @type {PointerEvent} */ event) => this.#line.setPointerCapture(event.pointerId),
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
  });

  /** @param {HTMLElement} host Of both. @param {Viewer} first @param {string} studyPath "studies/ID/" */
  constructor(host, first, studyPath) {
    this.#host = host;
    this.#first = first;
    this.#study = studyPath;
    this.control = h(
      "select.viewer-mode",
      { "aria-label": "Views", title: "Compare two views", onchange: () => this.setMode(this.control.value) },
      Object.entries(MODES).map(([value, text]) => h("option", { value }, text)),
    );
    first.on("shown", () => this.#follow());
    first.on("channels", () => this.#showChannels());
    first.on("labels", () => this.second?.setLabels(this.#look));
    first.on("tool", () => this.#turnAway());
    first.on("select", (ids) => this.second?.select(ids));
  }

  /** @param {Mode} mode */
  setMode(mode) {
    this.mode = this.control.value = mode;
    if (mode === "one") this.#close();
    else this.#open();
    this.#place();
    if (!this.#closed) this.#first.tell("views", mode);
  }

  close() {
    this.#closed = true;
    this.setMode("one");
    this.control.remove();
  }

  #open() {
    if (this.second) return;
    this.#host.append(this.#choice);
    const Kind = /** @type {typeof import("./viewer.js").Viewer} */ (this.#first.constructor);
    this.second = new Kind(this.#host, this.#study, { alone: true });
    this.second.element.classList.add("viewer-of-two");
    this.#host.append(this.#line, this.#choice);
    this.#ends = [
      this.second.on("pick", (said) => this.#first.tell("pick", said)),
      this.second.on("error", (error) => this.#first.tell("error", error)),
      this.second.on("shown", () => this.#showChannels()),
    ];
    this.#turnAway();
    this.#follow();
  }

  /** Tools work in the first view alone; who takes one to the second is told so. */
  #turnAway() {
    const down = () => this.#first.tell("elsewhere", this.mode);
    this.second?.setTool(this.#first.tool ? { name: "elsewhere", cursor: "not-allowed", down } : null);
  }

  #close() {
    this.#turn++;
    this.#ends.splice(0).forEach((end) => end());
    this.second?.close();
    this.second = null;
    this.#line.remove();
    this.#choice.remove();
  }

  /** Say where each view is. */
  #place() {
    const split = this.mode === "split";
    const share = `${this.mode === "side" ? 50 : 100 * this.#part}%`;
    this.#first.element.style.right = this.mode === "side" ? "50%" : "0";
    this.#first.element.classList.toggle("viewer-first", this.mode !== "one");
    this.#line.hidden = this.#choice.hidden = this.mode === "one";
    this.#line.style.left = this.#choice.style.left = share;
    this.#line.classList.toggle("viewer-line-fixed", !split);
    if (!this.second) return;
    this.second.element.style.left = split ? "0" : "50%";
    this.second.element.style.clipPath = split ? `inset(0 0 0 ${share})` : "none";
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!event.buttons || this.mode !== "split") return;
    const { left, width } = this.#host.getBoundingClientRect();
    this.#moveLine((event.clientX - left) / width);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const by = { ArrowLeft: -KEY_STEP, ArrowRight: KEY_STEP }[event.key];
    if (by && this.mode === "split") this.#moveLine(this.#part + by);
  }

  /** @param {number} part */
  #moveLine(part) {
    this.#part = Math.min(Math.max(part, 0.05), 0.95);
    this.#line.setAttribute("aria-valuenow", String(Math.round(100 * this.#part)));
    this.#place();
  }

  /** The first shows something else: so does the second. */
  async #follow() {
    if (!this.second || !this.#first.image) return;
    const turn = ++this.#turn;
    const { id } = this.#first.image;
    try {
      if (id === this.#offered) await this.#show();
      const labels = await get(`${this.#study}labels`, { image: id, limit: 1000 });
      if (turn !== this.#turn || this.#first.image?.id !== id) return;
      const shown = id === this.#offered ? this.#labels.value : null;
      this.#offer(id, labels);
      if (this.#labels.value !== shown) await this.#show();
    } catch (error) {
      if (turn === this.#turn) this.#first.tell("error", error);
    }
  }

  /** List what the second view can show. @param {string} id Of the image. @param {any[]} labels That it has. */
  #offer(id, labels) {
    this.#offered = id;
    const chosen = this.#labels.selectedOptions[0]?.textContent;
    const options = labels.map((each) => h("option", { value: each.id }, each.name));
    fill(this.#labels, h("option", { value: "" }, "No labels"), options);
    const same = [...this.#labels.options].find((each) => each.textContent === chosen);
    if (same) this.#labels.value = same.value;
    const channel = this.#channels.value;
    const names = this.#first.channels.map(({ name }, c) => h("option", { value: String(c) }, `Only ${name}`));
    fill(this.#channels, h("option", { value: "" }, "Same channels"), names);
    if (names.some((/** @type {any} */ each) => each.value === channel)) this.#channels.value = channel;
    this.#channels.hidden = names.length < 2;
  }

  async #show() {
    const { second } = this;
    if (!second || !this.#first.image) return;
    const { image, t, z, projection } = this.#first;
    second.setLabels(this.#look);
    const labels = image.id === this.#offered ? this.#labels.value : "";
    await second.show({ image, labels: labels || null, t, z, projection });
    if (second !== this.second || this.#ends.length > 3) return;
    this.#ends.push(this.#first.syncWith(second));
  }

  /** How the second view draws its labels: as the first, whose values are of other objects if it shows others. */
  get #look() {
    const { look, labels } = this.#first;
    return labels === this.#labels.value ? look : { ...look, colouring: /** @type {{kind: "id"}} */ ({ kind: "id" }) };
  }

  #showChannels() {
    const { second } = this;
    if (!second?.image) return;
    const only = this.#channels.value;
    const { channels } = this.#first;
    second.setChannels(only === "" ? channels : channels.map((each, c) => ({ ...each, visible: String(c) === only })));
  }
}
