/** What is known of the images that are chosen, and what people say of them. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { lengthOf } from "../../app/images.js";
import { pixelFields, sizeField } from "../../app/pixel_fields.js";
import { sayFromNames } from "./names.js";
import { readAgain } from "./again.js";
import { counted, sayOf, shared, valuesOf } from "../../app/said.js";
import { qualityNotice } from "./quality.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

let made = 0;

/**
 * Show one image or many in the right pane.
 * @param {App} app
 * @param {HTMLElement} pane
 * @param {ImageView[]} chosen
 */
export function showDetails(app, pane, chosen) {
  if (!chosen.length) return void fill(pane, app.openStudy.images.all.length > 0 && chooseHint());
  const one = chosen.length === 1 ? chosen[0] : null;
  const failed = one?.state === "failed" && reasonOf(one);
  fill(
    pane,
    h(
      "section.details",
      {},
      h("h2.wrap", {}, one ? one.name : `${counted(chosen.length, "image")} chosen`),
      failed,
      one && [warnings(one), qualityNotice(one)],
      fields(app, chosen),
      one?.state === "ready" && facts(one),
      actions(app, chosen),
    ),
  );
}

/**
 * Show what is said now in all fields but the one in which somebody types, which may have been said by somebody else.
 * @param {App} app
 * @param {HTMLElement} pane
 * @param {ImageView[]} chosen Those whose details are shown.
 */
export function refreshFields(app, pane, chosen) {
  const shown = pane.querySelector(".details > .form");
  if (!shown) return;
  const now = [...fields(app, chosen).children];
  [...shown.children].forEach((field, k) => {
    if (field.contains(document.activeElement)) return;
    if (now[k]) field.replaceWith(now[k]);
    else field.remove();
  });
  shown.append(...now.slice(shown.children.length));
}

/** Stands where details will be, so that the cards do not move when one is chosen. */
function chooseHint() {
  return h(
    "section.details",
    {},
    h("h2", {}, "No image chosen"),
    h(
      "p.quiet-text",
      {},
      "Choose images to say their condition, replicate and pixel size. Ctrl+A chooses all, Shift a row of them; ",
      "a double click opens one.",
    ),
  );
}

/** Why an image cannot be read, and what to do. @param {ImageView} image */
function reasonOf({ reason }) {
  return h("p.notice.notice-bad", {}, icon("warning"), h("span", {}, reason));
}

/** @param {ImageView} image */
function warnings(image) {
  return image.warnings.map((text) => h("p.notice", {}, icon("warning"), h("span", {}, text)));
}

/** @param {App} app @param {ImageView[]} chosen */
function fields(app, chosen) {
  const all = app.openStudy.images.all;
  const say = (/** @type {string} */ name, /** @type {string} */ title) =>
    textField(app, {
      title,
      value: shared(chosen, (image) => image.said[name] ?? ""),
      known: valuesOf(all, name),
      save: (text) =>
        sayOf(
          app,
          chosen,
          { values: { [name]: text || null } },
          text ? `${title} of ${counted(chosen.length, "image")}: ${text}` : `${title} taken back`,
        ),
    });
  return h(
    "div.form",
    {},
    say("condition", "Condition"),
    say("replicate", "Replicate"),
    pixelField(app, chosen),
    depthField(app, chosen),
    channelField(app, chosen),
    excludedField(app, chosen),
    chosen.every((image) => image.said.excluded) && say("reason", "Why left out"),
  );
}

/**
 * @param {App} app
 * @param {{title: string, value: any, known?: string[], help?: string,
 *   save: (text: string) => any}} said
 *   `value` undefined: several.
 */
function textField(app, { title, value, known = [], help = "", save }) {
  const id = `said-${++made}`;
  const several = value === undefined;
  const list = h(
    "datalist",
    { id: `${id}-known` },
    known.map((each) => h("option", { value: each })),
  );
  const input = h("input", {
    id,
    type: "text",
    maxlength: 200,
    value: several ? "" : String(value),
    placeholder: several ? "Several" : "",
    list: known.length ? `${id}-known` : null,
    autocomplete: "off",
    disabled: Boolean(app.openStudy.readOnly),
  });
  input.addEventListener("change", () => save(input.value.trim()));
  return h("div.field", { title: help }, h("label.field-name", { for: id }, title), input, list);
}

/** @param {App} app @param {ImageView[]} chosen */
function pixelField(app, chosen) {
  const ruler = h(
    "button",
    {
      type: "button",
      class: "square",
      "aria-label": "Measure the pixel size with a ruler",
      title: "Measure it with a ruler on a scale bar",
      disabled: chosen[0].state !== "ready" || Boolean(app.openStudy.readOnly),
      onclick: () => app.goStep("segment", { image: chosen[0].id, ruler: "scale" }),
    },
    icon("ruler"),
  );
  return pixelFields(app, chosen, ruler);
}

/** @param {App} app @param {ImageView[]} chosen */
function depthField(app, chosen) {
  if (!chosen.some((image) => image.state === "ready" && lengthOf(image, "Z") > 1)) return null;
  const value = shared(chosen, (image) => image.said.pixel_size_z_um ?? image.header.pixel_size_um?.z ?? "");
  const title = "Distance of planes";
  const save = (/** @type {number|null} */ size) =>
    sayOf(
      app,
      chosen,
      { pixel_size_z_um: size },
      `${title} of ${counted(chosen.length, "image")}: ${size ?? "as the files say"}`,
    );
  return sizeField(app, { title, value: value ?? "", several: value === undefined, save });
}

/** @param {App} app @param {ImageView[]} chosen */
function channelField(app, chosen) {
  const names = shared(chosen, (image) => channelNames(image));
  if (!names?.length) return null;
  /** Names that were typed here; the others are as they are by then. @type {Map<number, string>} */
  const typed = new Map();
  const save = (/** @type {number} */ k, /** @type {string} */ text) => {
    typed.set(k, text);
    const now = shared(chosen, (image) => channelNames(app.openStudy.images.find(image.id) ?? image)) ?? names;
    const said = now.map((/** @type {string} */ name, /** @type {number} */ at) => typed.get(at) || name);
    return sayOf(app, chosen, { channel_names: said }, `Channel ${k + 1}: ${text}`);
  };
  return h(
    "fieldset.plain",
    {},
    h("legend.field-name", {}, "Channels"),
    names.map((/** @type {string} */ name, /** @type {number} */ k) => {
      const input = h("input", {
        type: "text",
        maxlength: 200,
        value: name,
        "aria-label": `Name of channel ${k + 1}`,
        disabled: Boolean(app.openStudy.readOnly),
      });
      input.addEventListener("change", () => save(k, input.value.trim()));
      return input;
    }),
  );
}

/** @param {App} app @param {ImageView[]} chosen */
function excludedField(app, chosen) {
  const value = shared(chosen, (image) => Boolean(image.said.excluded));
  const input = h("input", { type: "checkbox", checked: value === true, disabled: Boolean(app.openStudy.readOnly) });
  input.indeterminate = value === undefined;
  input.addEventListener("change", () =>
    sayOf(
      app,
      chosen,
      { values: { excluded: input.checked || null } },
      input.checked ? "Left out of results" : "Part of results again",
    ),
  );
  return h("label.check", { title: "Jobs and results leave these images out" }, input, "Leave out of results");
}

/** What the values of pixels may be, in words. @param {Record<string, any>} header */
function valuesOfPixels({ dtype, bit_depth: depth }) {
  const [, kind, bits] = /^(u?int|float)(\d+)$/.exec(dtype) ?? [];
  if (!kind) return dtype;
  const numbers = kind === "float" ? "numbers with decimals" : "whole numbers";
  const used = depth && depth !== Number(bits) ? `, from a camera of ${depth} bits` : "";
  return `${bits}-bit ${numbers}${used}`;
}

/** @param {ImageView} image */
function facts(image) {
  const { header } = image;
  const rows = [
    ["Size", `${lengthOf(image, "X")} × ${lengthOf(image, "Y")} px`],
    ["Planes", lengthOf(image, "Z") > 1 && lengthOf(image, "Z")],
    ["Frames", lengthOf(image, "T") > 1 && lengthOf(image, "T")],
    ["Values", valuesOfPixels(header)],
    ["Pixel size in the file", sizeText(header.pixel_size_um)],
    ["Taken", header.acquired],
  ];
  return h(
    "dl.facts",
    {},
    rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

/** @param {App} app @param {ImageView[]} chosen */
function actions(app, chosen) {
  const look = () => app.goStep("segment", { image: chosen[0].id, t: null, z: null });
  return h(
    "div.row.wrap-row",
    {},
    chosen.length > 1 &&
      h(
        "button",
        { type: "button", disabled: Boolean(app.openStudy.readOnly), onclick: () => sayFromNames(app, chosen) },
        icon("table"),
        "From names…",
      ),
    chosen.length === 1 &&
      chosen[0].state === "ready" &&
      h("button", { type: "button", onclick: look }, icon("eye"), "Look at it"),
    chosen.some((image) => image.state !== "new") &&
      h(
        "button",
        { type: "button", disabled: Boolean(app.openStudy.readOnly), onclick: () => readAgain(app, chosen) },
        icon("redo"),
        "Read again as…",
      ),
    h(
      "button.quiet.danger-text",
      { type: "button", disabled: Boolean(app.openStudy.readOnly), onclick: () => removeImages(app, chosen) },
      icon("trash"),
      "Remove",
    ),
  );
}

/** @param {App} app @param {ImageView[]} chosen */
export async function removeImages(app, chosen) {
  const study = app.openStudy;
  try {
    const many = `${counted(chosen.length, "image")} were removed.`;
    const text = chosen.length === 1 ? `${chosen[0].name} was removed.` : many;
    await app.undoable(study.post("images/remove", { images: chosen.map((image) => image.id) }), text);
    await study.images.load();
  } catch (error) {
    app.error(error);
  }
}

/** @param {ImageView} image @returns {string[]} */
export function channelNames(image) {
  return image.said.channel_names ?? (image.header.channels ?? []).map((/** @type {any} */ channel) => channel.name);
}

/** @param {{x: number|null, y: number|null}|undefined} size */
function sizeText(size) {
  if (!size?.x) return "not said";
  return size.y && size.y !== size.x
    ? `${shortNumber(size.x)} × ${shortNumber(size.y)} µm (width × height)`
    : `${shortNumber(size.x)} µm`;
}

/** @param {any} value */
const shortNumber = (value) => (typeof value === "number" ? String(Number(value.toPrecision(5))) : value);
