/** Menus that open at a button. @module */
import { fill, h } from "../kernel/dom.js";
import { icon } from "./icons.js";
import { showAt } from "./placing.js";

/**
 * @typedef {object} Item
 * @property {string} [title] A heading, in the place of all else; a line if it is empty.
 * @property {string} [text]
 * @property {string} [icon]
 * @property {string} [hint] Its key.
 * @property {boolean} [checked]
 * @property {boolean} [disabled]
 * @property {boolean} [danger]
 * @property {() => any} [run]
 */

/**
 * Return a button that opens a menu.
 * @param {{label: string, content?: any, align?: "left"|"right", class?: string}} said `label` is its
 *   name where `content` is a picture.
 * @param {() => Item[]} items Asked each time it opens.
 * @returns {HTMLElement}
 */
export function menuButton({ label, content = label, align = "left", class: more = "" }, items) {
  const button = h(
    "button",
    {
      type: "button",
      class: more || "quiet square",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": content === label ? null : label,
      title: content === label ? null : label,
    },
    content,
  );
  const list = h("div.menu-list", { role: "menu", hidden: true, "aria-label": label });
  const host = h("div.menu", {}, button, list);
  let hide = () => {};
  const close = () => {
    hide();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
  };
  const outside = (/** @type {Event} */ event) => host.contains(event.target) || close();
  const open = () => {
    fill(
      list,
      items().map((item) =>
        row(item, () => {
          close();
          button.focus();
        }),
      ),
    );
    hide = showAt(list, button, align);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    list.querySelector("button:not(:disabled)")?.focus();
  };
  button.addEventListener("click", () => (list.hidden ? open() : close()));
  host.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => moveInMenu(event, list, button, close));
  return host;
}

/** @param {Item} item @param {() => void} close */
function row(item, close) {
  if (item.title !== undefined) return item.title ? h("div.menu-title", {}, item.title) : h("hr");
  const run = () => {
    close();
    item.run?.();
  };
  const checks = item.checked !== undefined;
  return h(
    "button.menu-item",
    {
      type: "button",
      role: checks ? "menuitemradio" : "menuitem",
      "aria-checked": checks ? String(item.checked) : null,
      disabled: item.disabled ?? false,
      class: item.danger ? "danger-text" : "",
      onclick: run,
    },
    h("span.menu-icon", {}, checks ? item.checked && icon("check") : item.icon && icon(item.icon)),
    h("span.menu-text", {}, item.text),
    item.hint && h("kbd", {}, item.hint),
  );
}

/** @param {KeyboardEvent} event @param {HTMLElement} list @param {HTMLElement} button @param {() => void} close */
function moveInMenu(event, list, button, close) {
  if (list.hidden) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    close();
    button.focus();
    return;
  }
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const all = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("button:not(:disabled)")]);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  all[(at + by + all.length) % all.length]?.focus();
}
