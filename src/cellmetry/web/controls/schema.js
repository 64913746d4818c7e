/** What a JSON schema of parameters says of each of them, in the words of a form. @module */

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} title
 * @property {string} help
 * @property {string} unit
 * @property {"choice"|"choices"|"flag"|"number"|"text"|"list"|"object"|"json"} kind
 * @property {boolean} nullable Whether it may be left empty.
 * @property {boolean} whole Whether numbers are whole.
 * @property {number|undefined} min
 * @property {number|undefined} max
 * @property {number|undefined} longest
 * @property {{value: any, text: string}[]} options
 * @property {any} default
 * @property {boolean} required
 * @property {Field[]} fields Those of an object.
 * @property {boolean} numbers Whether the items of a list are numbers.
 */

/** @type {[RegExp, string][]} */
const UNITS = [
  [/_um2$/, "µm²"],
  [/_um3$/, "µm³"],
  [/_um$/, "µm"],
  [/_px2?$/, "px"],
  [/_percent$/, "%"],
  [/_mm$/, "mm"],
  [/_pt$/, "pt"],
  [/_seconds$|_s$/, "s"],
  [/_deg$/, "°"],
  [/^minutes$/, "min"],
  [/^dpi$/, "dpi"],
];

/**
 * Return the fields of a schema of an object.
 * @param {any} schema
 * @param {any} [root] What `$ref` looks into.
 * @returns {Field[]}
 */
export function fieldsOf(schema, root = schema) {
  const { properties = {}, required = [] } = resolved(schema, root);
  return Object.entries(properties).map(([name, each]) => fieldOf(name, each, root, required.includes(name)));
}

/**
 * @param {string} name @param {any} schema @param {any} root @param {boolean} required
 * @returns {Field}
 */
function fieldOf(name, schema, root, required) {
  const said = resolved(schema, root);
  const kinds = (said.anyOf ?? said.oneOf ?? [said]).map((/** @type {any} */ each) => resolved(each, root));
  const some = kinds.filter((/** @type {any} */ each) => each.type !== "null");
  const one = some.length === 1 ? { ...said, ...some[0] } : said;
  const unit = UNITS.find(([ending]) => ending.test(name))?.[1] ?? "";
  return {
    name,
    unit,
    title: inWords(unit ? name.replace(/_(um2|um3|um|px2?|percent|mm|pt|seconds|s|deg)$/, "") : name),
    help: (said.description ?? "").replace(/`+/g, "").replace(/\s*\n\s*/g, " "),
    kind: kindOf(one, some),
    nullable: some.length < kinds.length,
    whole: one.type === "integer",
    min: one.minimum ?? one.exclusiveMinimum,
    max: one.maximum ?? one.exclusiveMaximum,
    longest: one.maxLength,
    options: optionsOf(one, root),
    default: said.default ?? (one.properties ? {} : null),
    required,
    fields: one.properties ? fieldsOf(one, root) : [],
    numbers: ["number", "integer"].includes(one.items?.type ?? one.prefixItems?.[0]?.type),
  };
}

/** @param {any} one @param {any[]} some @returns {Field["kind"]} */
function kindOf(one, some) {
  if (some.length > 1)
    return some.every((each) => ["string", "integer", "number"].includes(each.type)) ? "text" : "json";
  if (one.enum || one.const !== undefined) return "choice";
  if (one.type === "boolean") return "flag";
  if (one.type === "number" || one.type === "integer") return "number";
  if (one.type === "string") return "text";
  if (one.type === "array") return listKind(one);
  return one.properties ? "object" : "json";
}

/** @param {any} one @returns {Field["kind"]} */
function listKind(one) {
  if (one.items?.enum) return "choices";
  const item = one.items ?? one.prefixItems?.[0] ?? {};
  const plain = (item.anyOf ?? [item]).every((/** @type {any} */ each) =>
    ["string", "number", "integer"].includes(each.type),
  );
  return plain ? "list" : "json";
}

/** @param {any} one @param {any} root */
function optionsOf(one, root) {
  const item = one.items ? resolved(one.items, root) : {};
  const values = one.enum ?? item.enum ?? (one.const !== undefined ? [one.const] : []);
  return values.map((/** @type {any} */ value) => ({ value, text: inWords(String(value)) }));
}

/** @param {any} schema @param {any} root @returns {any} */
function resolved(schema, root) {
  let found = schema;
  while (found?.$ref) {
    const { $ref, ...more } = found;
    found = {
      ...$ref
        .slice(2)
        .split("/")
        .reduce((/** @type {any} */ at, /** @type {string} */ part) => at[part], root),
      ...more,
    };
  }
  if (found?.allOf?.length === 1) {
    const { allOf, ...more } = found;
    return { ...resolved(allOf[0], root), ...more };
  }
  return found;
}

/**
 * Return a name of code as words: `max_flow_error` is "Max flow error".
 * @param {string} name
 */
export function inWords(name) {
  const words = name
    .replaceAll("_", " ")
    .replace(/\bum\b/g, "µm")
    .replace(/\bpx\b/g, "px")
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Say whether two values of a form are the same.
 * @param {any} a @param {any} b
 */
export const isSame = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
