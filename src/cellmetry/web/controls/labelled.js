/** Controls with their names above them. @module */
import { h } from "../kernel/dom.js";

let made = 0;

/**
 * Return a control below its name.
 * @param {any} name Text, or nodes.
 * @param {HTMLElement} control An input or select.
 * @param {{hidden?: boolean, grow?: boolean}} [more]
 * @returns {HTMLElement}
 */
export function labelled(name, control, { hidden = false, grow = false } = {}) {
  control.id ||= `control-${++made}`;
  return h(
    "div.field",
    { hidden, class: grow ? "grow" : "" },
    h("label.field-name", { for: control.id }, name),
    control,
  );
}
