/**
 * Elements made in code. Text of users and files only ever becomes text nodes, never HTML.
 * @module
 */

/**
 * Return a new element.
 *
 * @param {string} tag Name of the tag; `"svg:path"` makes one of SVG. `"button.primary.small"` adds classes.
 * @param {Record<string, any>} [props] Attributes; a function under `onclick` and the like is listened with; `class`,
 *   `dataset`, `style` (an object) as expected; true and false set and leave out attributes; null leaves out.
 * @param {...(Node|string|number|null|undefined|false|Array<any>)} children Nodes; strings and numbers become text.
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  if (classes.length) element.classList.add(...classes);
  setProps(element, props);
  element.append(...nodesOf(children));
  return element;
}

/**
 * Set attributes, listeners, classes and styles of an element, as `h` does.
 * @param {any} element
 * @param {Record<string, any>} props
 */
function setProps(element, props) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined) element.removeAttribute(key);
    else if (key === "class") element.classList.add(...String(value).split(" ").filter(Boolean));
    else if (key === "style") for (const [rule, set] of Object.entries(value)) element.style.setProperty(rule, set);
    else if (key === "dataset") Object.assign(element.dataset, value);
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "selected") element[key] = value;
    else if (value === true) element.setAttribute(key, "");
    else if (value === false) element.removeAttribute(key);
    else element.setAttribute(key, String(value));
  }
}

/**
 * Put these children into an element in the place of those that it has.
 * @template {Element} E
 * @param {E} element
 * @param {...any} children
 * @returns {E}
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodesOf(children));
  return element;
}

/** @param {any[]} children @returns {(Node|string)[]} */
function nodesOf(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
