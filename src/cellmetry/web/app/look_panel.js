/** What the viewer shows, in the left pane of every step that has it: image, channels, planes, labels. @module */
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { slider } from "../controls/range.js";
import { CellIds } from "./cell_ids.js";
import { ChannelRow } from "./channel_row.js";
import { lengthOf } from "./images.js";

/** @typedef {import("./app.js").App} App */

/** @type {["Z"|"T", "z"|"t", string][]} */
const AXES = [
  ["Z", "z", "Plane"],
  ["T", "t", "Frame"],
];

/** The panel; it follows the viewer. */
export class LookPanel {
  #app;
  #picker = h("select.cut", { "aria-label": "Image" });
  #place = h("span.quiet-text.number");
  #channels = h("section.look-part");
  #planes = h("section.look-part.look-planes");
  #labels = h("section.look-part");
  /** @type {ChannelRow[]} */
  #rows = [];
  #image = "";
  #plane = "";
  #labelled = "";
  #ids;
  #offs;

  /** @param {App} app @param {HTMLElement} pane */
  constructor(app, pane) {
    this.#app = app;
    this.#ids = new CellIds(app);
    const { images, labels } = app.openStudy;
    fill(pane, this.#pickerPart(), this.#channels, this.#planes, this.#labels);
    this.#picker.addEventListener("change", () => images.select(this.#picker.value));
    this.#offs = [
      images.on("change", () => this.#showImages()),
      labels.on("change", () => this.#showLabels()),
      app.viewer.on("shown", () => this.#show()),
      app.viewer.on("labels", () => this.#followLabels()),
      app.viewer.on("channels", () => this.#rows.forEach((row) => row.show())),
      ...this.#keys(),
    ];
    this.#showImages();
    this.#show();
  }

  close() {
    this.#ids.close();
    for (const off of this.#offs) off();
  }

  #keys() {
    const {
      shortcuts,
      viewer,
      openStudy: { images },
    } = this.#app;
    /** @type {[string, string, () => any][]} */
    const keys = [
      [".", "Next image", () => images.step(1)],
      [",", "Image before", () => images.step(-1)],
      ["l", "Show or hide the labels", () => this.#turnLabels()],
      ["+", "Zoom in", () => viewer.zoomBy(1.5)],
      ["-", "Zoom out", () => viewer.zoomBy(1 / 1.5)],
      ["0", "Show the whole image", () => viewer.fit()],
      ["PageUp", "Plane before", () => viewer.stepPlane("z", -1)],
      ["PageDown", "Next plane", () => viewer.stepPlane("z", 1)],
      ["Shift+PageUp", "Frame before", () => viewer.stepPlane("t", -1)],
      ["Shift+PageDown", "Next frame", () => viewer.stepPlane("t", 1)],
    ];
    return keys.map(([key, title, run]) =>
      shortcuts.bind(key, title, run, { group: "Viewer", when: () => this.#app.viewing }),
    );
  }

  #pickerPart() {
    const { images } = this.#app.openStudy;
    const button = (/** @type {string} */ name, /** @type {string} */ picture, /** @type {number} */ by) =>
      h(
        "button.quiet.square",
        { type: "button", "aria-label": name, title: name, onclick: () => images.step(by) },
        icon(picture),
      );
    return h(
      "section.look-part.look-image",
      {},
      h("div.look-head", {}, h("h3", {}, "Image"), this.#place),
      h("div.row.tight", {}, button("Image before", "back", -1), this.#picker, button("Next image", "forward", 1)),
    );
  }

  #showImages() {
    const { images } = this.#app.openStudy;
    const { ready } = images;
    const key = ready.map((image) => image.id + images.shortName(image)).join();
    if (key !== this.#image) {
      this.#image = key;
      fill(
        this.#picker,
        ready.map((image) => h("option", { value: image.id, title: image.name }, images.shortName(image))),
      );
    }
    this.#picker.value = images.current?.id ?? "";
    const at = ready.findIndex((image) => image.id === images.current?.id);
    this.#place.textContent = ready.length ? `${at + 1} of ${ready.length}` : "";
  }

  #show() {
    const { viewer } = this.#app;
    const key = `${viewer.image?.id} ${viewer.channels.map((/** @type {any} */ channel) => channel.name).join()}`;
    if (key !== this.#plane) {
      this.#plane = key;
      this.#showChannels();
      this.#showPlanes();
    }
    this.#showLabels();
  }

  #showChannels() {
    const { viewer } = this.#app;
    this.#rows = viewer.channels.map((/** @type {any} */ _, /** @type {number} */ k) => new ChannelRow(viewer, k));
    const all = h(
      "button.quiet.small",
      {
        type: "button",
        title: "Choose the contrast of all channels by what there is in the image",
        onclick: () => viewer.autoContrast(),
      },
      icon("auto"),
      "Auto",
    );
    fill(
      this.#channels,
      this.#rows.length > 0 && [
        h("div.look-head", {}, h("h3", {}, this.#rows.length > 1 ? "Channels" : "Contrast"), all),
        this.#rows.map((row) => row.element),
      ],
    );
  }

  #showPlanes() {
    const { viewer, look } = this.#app;
    const { image } = viewer;
    const nodes = [];
    for (const [axis, name, title] of AXES) {
      const length = image ? lengthOf(image, axis) : 1;
      if (length < 2) continue;
      const part = slider({
        label: title,
        min: 1,
        max: length,
        value: look[name] + 1,
        show: (value) => `${value}/${length}`,
        oninput: (value) => look.go({ [name]: value - 1 }),
      });
      this.#offs.push(look.on("change", () => part.set(look[name] + 1)));
      nodes.push(part.element);
      if (axis === "Z") nodes.push(this.#projection());
    }
    fill(this.#planes, nodes.length > 0 && [h("div.look-head", {}, h("h3", {}, "Planes")), nodes]);
  }

  #projection() {
    const { viewer } = this.#app;
    const kinds = [
      ["none", "One plane"],
      ["max", "Brightest of all planes"],
      ["mean", "Mean of all planes"],
    ];
    const select = h(
      "select",
      { "aria-label": "Projection", onchange: () => viewer.setProjection(select.value) },
      kinds.map(([value, text]) => h("option", { value }, text)),
    );
    const follow = () => (select.value = viewer.projection ?? "none");
    this.#offs.push(this.#app.look.on("change", follow));
    follow();
    return select;
  }

  #showLabels() {
    const {
      viewer,
      openStudy: { labels, images },
    } = this.#app;
    const current = images.current && labels.of(images.current.id);
    const key = `${current?.id} ${labels.name} ${labels.names.join()}`;
    if (key === this.#labelled) return;
    this.#labelled = key;
    if (!current) return void fill(this.#labels);
    const shown = h("input", {
      type: "checkbox",
      checked: viewer.look.visible,
      onchange: () => viewer.setLabels({ visible: shown.checked }),
    });
    const outline = h("input", {
      type: "checkbox",
      checked: viewer.look.outline,
      onchange: () => viewer.setLabels({ outline: outline.checked }),
    });
    const filled = slider({
      label: "Fill",
      min: 0,
      max: 100,
      value: Math.round(viewer.look.fill * 100),
      show: (value) => `${value} %`,
      oninput: (value) => viewer.setLabels({ fill: value / 100 }),
    });
    fill(
      this.#labels,
      h("div.look-head", {}, h("h3", {}, "Labels"), h("label.check", {}, shown, "Show")),
      labels.names.length > 1 && this.#names(),
      h("label.check", {}, outline, "Outlines"),
      filled.element,
      this.#ids.element,
    );
  }

  /** Others may change how labels are drawn, as when cells are coloured by a value; not while somebody drags here. */
  #followLabels() {
    if (this.#labels.contains(document.activeElement)) return;
    this.#labelled = "";
    this.#showLabels();
  }

  #names() {
    const { labels } = this.#app.openStudy;
    const select = h(
      "select",
      { "aria-label": "Which labels", onchange: () => labels.select(select.value) },
      labels.names.map((name) => h("option", { value: name }, name)),
    );
    select.value = labels.name ?? "";
    return select;
  }

  #turnLabels() {
    const { viewer } = this.#app;
    viewer.setLabels({ visible: !viewer.look.visible });
    this.#labelled = "";
    this.#showLabels();
  }
}
