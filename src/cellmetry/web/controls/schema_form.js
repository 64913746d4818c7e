/** Forms made from the JSON schemas of steps, engines and jobs, so that a new parameter needs no new page. @module */
import { fill, h } from "../kernel/dom.js";
import { Emitter } from "../kernel/emitter.js";
import { controlOf } from "./fields.js";
import { fieldsOf, inWords, isSame } from "./schema.js";

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./fields.js").Control} Control */
/**
 * @typedef {object} Wishes
 * @property {Record<string, any>} [values] What differs from the schema's defaults at the beginning.
 * @property {string[]} [first] Names that are shown at once, in this order; the rest is folded under "More".
 *   All are if left out.
 * @property {string[]} [hidden] Names that are not shown; their values are kept as they were given.
 * @property {Record<string, string>} [titles] Better names than the schema's; those within objects as `style.dpi`.
 * @property {Record<string, (string|{value: any, text: string})[]>} [choices] What may be chosen where
 *   the schema says only text.
 * @property {string} [more] Title of the fold.
 */

/** A form of the parameters of an object. Tells `change` with itself when somebody changes something. */
export class SchemaForm extends Emitter {
  element = h("div.form");
  /** @type {Map<string, Control|SchemaForm>} */
  #controls = new Map();
  /** @type {Field[]} */
  #fields;
  #wishes;
  #path;

  /**
   * @param {any} schema As `parameters` of `GET steps/NAME`, `engines/NAME`, `job-kinds/NAME`.
   * @param {Wishes} [wishes]
   * @param {{root?: any, path?: string}} [within] For forms within forms.
   */
  constructor(schema, wishes = {}, { root = schema, path = "" } = {}) {
    super();
    this.#wishes = wishes;
    this.#path = path;
    this.#fields = fieldsOf(schema, root)
      .filter((field) => !wishes.hidden?.includes(path + field.name))
      .map((field) => this.#wished(field));
    for (const field of this.#fields) this.#controls.set(field.name, this.#control(field, schema, root));
    this.#lay();
    this.set(wishes.values ?? {});
  }

  /**
   * What differs from the defaults.
   * @returns {Record<string, any>}
   * @throws {Error} Where something is no value of its field; it is said beside that too.
   */
  get values() {
    return { ...this.#hiddenValues(), ...this.#read(true) };
  }

  /** Everything, also what is as the schema has it. @returns {Record<string, any>} */
  get all() {
    return { ...this.#hiddenValues(), ...this.#read(false) };
  }

  /** Whether everything that stands there is right. @returns {boolean} */
  get isValid() {
    try {
      this.#read(false);
      return true;
    } catch {
      return false;
    }
  }

  /** Fill the form: what is not named goes back to its default. @param {Record<string, any>} values */
  set(values) {
    this.#wishes = { ...this.#wishes, values };
    for (const field of this.#fields) this.setOne(field.name, values[field.name]);
  }

  /** Fill one field; undefined is its default. @param {string} name @param {any} value */
  setOne(name, value) {
    const field = this.#fields.find((each) => each.name === name);
    const control = this.#controls.get(name);
    if (!field || !control) return;
    control.set(value === undefined ? field.default : value);
    if (!(control instanceof SchemaForm)) control.complain("");
  }

  /**
   * Show what the server said no to beside the field that it names.
   * @param {any} error An ApiError.
   * @returns {boolean} Whether a field is named; if not, the error is to be shown elsewhere.
   */
  showError(error) {
    const [, named = "", text = ""] = /^([\w.[\]]+): (.+)$/s.exec(error?.message ?? "") ?? [];
    const names = named.split(/[.[\]]+/).filter(Boolean);
    const at = names.findIndex((name) => this.#controls.has(name));
    if (at < 0) return false;
    const control = /** @type {Control|SchemaForm} */ (this.#controls.get(names[at]));
    if (control instanceof SchemaForm)
      return control.showError({ message: `${names.slice(at + 1).join(".") || "_"}: ${text}` });
    control.complain(text);
    unfold(control.element);
    return true;
  }

  /** @param {Field} field @returns {Field} */
  #wished(field) {
    const path = this.#path + field.name;
    const choices = this.#wishes.choices?.[path]?.map((each) =>
      typeof each === "string" ? { value: each, text: each } : each,
    );
    const title = this.#wishes.titles?.[path] ?? field.title;
    if (!choices) return { ...field, title };
    return { ...field, title, options: choices, kind: field.kind === "list" ? "choices" : "choice" };
  }

  /** @param {Field} field @param {any} schema @param {any} root */
  #control(field, schema, root) {
    const change = () => this.#changed(field.name);
    if (field.kind !== "object") return controlOf(field, change);
    const properties = { type: "object", properties: propertiesOf(schema, root, field.name) };
    const form = new SchemaForm(
      properties,
      { ...this.#wishes, first: undefined, values: {} },
      { root, path: `${this.#path}${field.name}.` },
    );
    form.on("change", change);
    return form;
  }

  #lay() {
    const { first = null, more = "More" } = this.#wishes;
    const shown = first
      ? first.map((name) => this.#fields.find((field) => field.name === name)).filter(Boolean)
      : this.#fields.filter((field) => field.kind !== "object");
    const rest = this.#fields.filter((field) => !shown.includes(field));
    const plain = rest.filter((field) => field.kind !== "object");
    const nested = rest.filter((field) => field.kind === "object");
    fill(
      this.element,
      shown.map((field) => this.#node(/** @type {Field} */ (field))),
      plain.length
        ? fold(
            more,
            plain.map((field) => this.#node(field)),
          )
        : null,
      nested.map((field) => fold(field.title, this.#node(field))),
    );
  }

  /** @param {Field} field */
  #node(field) {
    return /** @type {Control|SchemaForm} */ (this.#controls.get(field.name)).element;
  }

  /** @param {boolean} changedOnly */
  #read(changedOnly) {
    /** @type {Record<string, any>} */
    const values = {};
    /** @type {Error|null} */
    let wrong = null;
    for (const field of this.#fields) {
      try {
        const value = this.#valueOf(field, changedOnly);
        if (value !== undefined) values[field.name] = value;
      } catch (error) {
        wrong ??= /** @type {Error} */ (error);
      }
    }
    if (wrong) throw wrong;
    return values;
  }

  /** @param {Field} field @param {boolean} changedOnly */
  #valueOf(field, changedOnly) {
    const control = /** @type {Control|SchemaForm} */ (this.#controls.get(field.name));
    if (control instanceof SchemaForm) {
      const inner = changedOnly ? control.values : control.all;
      return changedOnly && !Object.keys(inner).length ? undefined : inner;
    }
    try {
      const value = control.get();
      control.complain("");
      return changedOnly && !field.required && isSame(value, field.default) ? undefined : value;
    } catch (error) {
      control.complain(/** @type {Error} */ (error).message);
      throw error;
    }
  }

  #hiddenValues() {
    const { hidden = [], values = {} } = this.#wishes;
    return Object.fromEntries(Object.entries(values).filter(([name]) => hidden.includes(this.#path + name)));
  }

  /** @param {string} name */
  #changed(name) {
    void this.isValid;
    this.tell("change", { form: this, name });
  }
}

/** @param {any} schema @param {any} root @param {string} name */
function propertiesOf(schema, root, name) {
  let found = (schema.$ref ? find(root, schema.$ref) : schema).properties[name];
  found = found.anyOf?.find((/** @type {any} */ each) => each.type !== "null") ?? found.allOf?.[0] ?? found;
  return (found.$ref ? find(root, found.$ref) : found).properties;
}

/** @param {any} root @param {string} ref */
const find = (root, ref) =>
  ref
    .slice(2)
    .split("/")
    .reduce((at, part) => at[part], root);

/** @param {string} title @param {any} content */
const fold = (title, content) =>
  h("details.fold-fields", {}, h("summary", {}, inWords(title)), h("div.form", {}, content));

/** Open what an element is folded in, and show it. @param {HTMLElement} element */
function unfold(element) {
  for (let at = element.closest("details"); at; at = at.parentElement?.closest("details") ?? null) at.open = true;
  element.scrollIntoView({ block: "nearest" });
}
