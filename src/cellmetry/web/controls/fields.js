/** The controls of a form, one a kind of parameter. @module */
import { fill, h } from "../kernel/dom.js";
import { isSame } from "./schema.js";

/** @typedef {import("./schema.js").Field} Field */
/**
 * @typedef {object} Control
 * @property {HTMLElement} element
 * @property {() => any} get The value; throws an Error in words where what stands there is none.
 * @property {(value: any) => void} set
 * @property {(text: string) => void} complain Show what is wrong beside it; an empty text: nothing.
 */

let made = 0;

/**
 * Return the control of a field; `change` is called when somebody changes it.
 * @param {Field} field @param {() => void} change
 * @returns {Control}
 */
export function controlOf(field, change) {
  const id = `field-${++made}`;
  const part = KINDS[field.kind === "choice" && field.options.length > 40 ? "text" : field.kind](field, id, change);
  const wrong = h("p.field-wrong", { id: `${id}-wrong`, role: "alert", hidden: true });
  const help = field.help ? h("p.field-help", { id: `${id}-help` }, field.help) : null;
  part.input?.setAttribute("aria-describedby", `${id}-wrong${help ? ` ${id}-help` : ""}`);
  const element = h(
    `div.field.field-${field.kind}`,
    { dataset: { field: field.name }, title: field.help },
    part.nodes,
    wrong,
    help,
  );
  const complain = (/** @type {string} */ text) => {
    fill(wrong, text);
    wrong.hidden = !text;
    part.input?.setAttribute("aria-invalid", text ? "true" : "false");
  };
  return { element, get: part.get, set: part.set, complain };
}

/** @typedef {{nodes: any, input?: HTMLElement, get: () => any, set: (value: any) => void}} Part */

/** @param {Field} field @param {string} id */
const nameOf = (field, id) =>
  h(
    "label.field-name",
    { for: id },
    field.title,
    field.unit && " ",
    field.unit && h("span.field-unit", {}, field.unit),
  );

/** @type {Record<string, (field: Field, id: string, change: () => void) => Part>} */
const KINDS = {
  choice(field, id, change) {
    const options = field.nullable ? [{ value: null, text: "Automatic" }, ...field.options] : field.options;
    const input = h(
      "select",
      { id, onchange: change },
      options.map((each, k) => h("option", { value: String(k) }, each.text)),
    );
    return {
      nodes: [nameOf(field, id), input],
      input,
      get: () => options[Number(input.value)]?.value ?? null,
      set: (value) =>
        (input.value = String(
          Math.max(
            0,
            options.findIndex((each) => isSame(each.value, value)),
          ),
        )),
    };
  },

  choices(field, id, change) {
    const boxes = field.options.map((each) => h("input", { type: "checkbox", onchange: change }));
    const rows = field.options.map((each, k) => h("label.check", {}, boxes[k], each.text));
    return {
      nodes: h("fieldset.field-checks", { id }, h("legend.field-name", {}, field.title), rows),
      get: () => {
        const chosen = field.options.filter((each, k) => boxes[k].checked).map((each) => each.value);
        return field.nullable && !chosen.length ? null : chosen;
      },
      set: (value) => boxes.forEach((box, k) => (box.checked = (value ?? []).includes(field.options[k].value))),
    };
  },

  flag(field, id, change) {
    if (field.nullable) {
      const options = [
        { value: true, text: "Yes" },
        { value: false, text: "No" },
      ];
      return KINDS.choice({ ...field, options }, id, change);
    }
    const input = h("input", { type: "checkbox", id, onchange: change });
    return {
      nodes: h("label.check", { for: id }, input, field.title),
      input,
      get: () => input.checked,
      set: (value) => (input.checked = Boolean(value)),
    };
  },

  number(field, id, change) {
    const input = h("input", {
      type: "text",
      inputmode: "decimal",
      id,
      class: "number",
      oninput: change,
      autocomplete: "off",
      placeholder: field.nullable ? "Automatic" : null,
    });
    return {
      nodes: [nameOf(field, id), input],
      input,
      get: () => numberIn(input.value, field),
      set: (value) => (input.value = value ?? ""),
    };
  },

  text(field, id, change) {
    const long = (field.longest ?? 0) > 2000;
    const input = h(long ? "textarea" : "input", {
      id,
      oninput: change,
      type: long ? null : "text",
      rows: long ? 4 : null,
      maxlength: field.longest,
      autocomplete: "off",
      spellcheck: "false",
      placeholder: field.nullable ? "Automatic" : null,
    });
    return {
      nodes: [nameOf(field, id), input],
      input,
      get: () => input.value.trim() || (field.nullable ? null : ""),
      set: (value) => (input.value = value ?? ""),
    };
  },

  list(field, id, change) {
    const input = h("input", {
      type: "text",
      id,
      oninput: change,
      autocomplete: "off",
      placeholder: field.nullable ? "All" : "One, two, …",
    });
    return {
      nodes: [nameOf(field, id), input],
      input,
      get: () => listIn(input.value, field),
      set: (value) => (input.value = (value ?? []).join(", ")),
    };
  },

  json(field, id, change) {
    const input = h("textarea", { id, rows: 3, oninput: change, spellcheck: "false", class: "code" });
    return {
      nodes: [nameOf(field, id), input],
      input,
      get: () => jsonIn(input.value, field),
      set: (value) => (input.value = value === null || value === undefined ? "" : JSON.stringify(value, null, 1)),
    };
  },
};

/** @param {string} text @param {Field} field */
function numberIn(text, field) {
  const trimmed = text.trim().replace(",", ".");
  if (!trimmed) {
    if (field.nullable) return null;
    throw new Error(`${field.title} needs a number.`);
  }
  const number = Number(trimmed);
  if (!Number.isFinite(number)) throw new Error(`${text} is not a number.`);
  if (field.whole && !Number.isInteger(number)) throw new Error(`${field.title} is a whole number.`);
  if (field.min !== undefined && number < field.min) throw new Error(`At least ${field.min}.`);
  if (field.max !== undefined && number > field.max) throw new Error(`At most ${field.max}.`);
  return number;
}

/** @param {string} text @param {Field} field */
function listIn(text, field) {
  const items = text
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);
  if (!items.length && field.nullable) return null;
  return field.numbers ? items.map((each) => numberIn(each, { ...field, nullable: false })) : items;
}

/** @param {string} text @param {Field} field */
function jsonIn(text, field) {
  if (!text.trim()) return Array.isArray(field.default) ? [] : field.nullable ? null : field.default;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${field.title} is not JSON: ${error instanceof Error ? error.message : error}.`);
  }
}
