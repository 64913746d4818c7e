/** The size of a pixel as people say it: one number where pixels are squares, width and height where they are not. @module */
import { fill, h } from "../kernel/dom.js";
import { pixelSidesOf } from "./images.js";
import { counted, sayOf, shared } from "./said.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./images.js").ImageView} ImageView */

let made = 0;

/**
 * Return the fields of some images.
 * @param {App} app @param {ImageView[]} chosen @param {HTMLElement|false} [beside] A button beside the first.
 * @returns {HTMLElement}
 */
export function pixelFields(app, chosen, beside = false) {
  const sides = shared(chosen, pixelSidesOf);
  const own = { width: sides?.x ?? "", height: sides?.y ?? "" };
  const same = !sides || sides.x === sides.y;
  const say = (/** @type {Record<string, number|null>} */ said, /** @type {string} */ text) =>
    sayOf(app, chosen, said, `${text} of ${counted(chosen.length, "image")}`);
  const element = h("div.stack.tight-stack");
  const unlink = h("input", { type: "checkbox", checked: !same, disabled: Boolean(app.openStudy.readOnly) });
  const several = sides === undefined && chosen.length > 1;
  const field = (
    /** @type {string} */ title,
    /** @type {number|string} */ value,
    /** @type {(size: number|null) => any} */ save,
  ) => sizeField(app, { title, value, several, save });

  const lay = () => {
    const width = unlink.checked
      ? field("Pixel width", own.width, (x) =>
          say(
            { pixel_size_um: x, ...(own.height === "" ? {} : { pixel_size_y_um: Number(own.height) }) },
            "Pixel width",
          ),
        )
      : field("Pixel size", own.width, (x) => say({ pixel_size_um: x, pixel_size_y_um: null }, "Pixel size"));
    const height =
      unlink.checked && field("Pixel height", own.height, (y) => say({ pixel_size_y_um: y }, "Pixel height"));
    fill(
      element,
      h("div.row.bottom", {}, width, height, beside),
      h("label.check", { title: "Pixels are no squares" }, unlink, "Height differs from width"),
    );
  };
  unlink.addEventListener("change", () => {
    lay();
    unlink.focus();
    if (!unlink.checked && !same)
      void say({ pixel_size_um: Number(own.width), pixel_size_y_um: null }, "Square pixels");
  });
  lay();
  return element;
}

/**
 * Return the field of a size; what is no size is refused in a note that goes when the field is corrected.
 * @param {App} app
 * @param {{title: string, value: number|string, several: boolean, save: (size: number|null) => any}} said
 */
export function sizeField(app, { title, value, several, save }) {
  const id = `pixel-${++made}`;
  const shown = typeof value === "number" ? String(Number(value.toPrecision(5))) : value;
  const placeholder = several ? "Several" : "";
  const readOnly = Boolean(app.openStudy.readOnly);
  const input = h("input", { id, type: "text", maxlength: 20, value: shown, placeholder, disabled: readOnly });
  let leave = () => {};
  input.addEventListener("change", () => {
    leave();
    const text = input.value.trim();
    const size = text ? Number(text.replace(",", ".")) : null;
    const good = size === null || size > 0;
    input.setAttribute("aria-invalid", String(!good));
    if (good) return save(size);
    leave = app.toast(`${title}: ${text} is not a number above 0.`, { kind: "error" });
  });
  const name = h("label.field-name", { for: id }, `${title} `, h("span.field-unit", {}, "µm"));
  return h("div.field.grow", {}, name, input);
}
