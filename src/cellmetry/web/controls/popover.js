/** Panels that open at a button and stay until one clicks elsewhere. @module */
import { fill, h } from "../kernel/dom.js";
import { showAt } from "./placing.js";

/**
 * Return a button and its panel.
 * @param {{label: string, content: any, align?: "left"|"right"}} said `label` is the button's name and the panel's.
 * @param {(close: () => void) => {element: any, close?: () => void}} make Called each time it opens.
 * @returns {{element: HTMLElement, button: HTMLButtonElement, open: () => void, close: () => void}}
 */
export function popover({ label, content, align = "right" }, make) {
  const button = h(
    "button.quiet",
    { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": label, title: label },
    content,
  );
  const panel = h("div.popover-panel", { role: "dialog", "aria-label": label, hidden: true, tabindex: -1 });
  const element = h("div.popover", {}, button, panel);
  /** @type {(() => void)|undefined} */
  let end;
  let hide = () => {};
  const outside = (/** @type {Event} */ event) => {
    const at = /** @type {Element} */ (event.target);
    if (!element.contains(at) && !at.closest?.("dialog, .toasts")) close();
  };
  const close = () => {
    end?.();
    end = undefined;
    hide();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
  };
  const open = () => {
    const made = make(close);
    end = made.close ?? (() => {});
    fill(panel, made.element);
    hide = showAt(panel, button, align);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    panel.focus();
  };
  button.addEventListener("click", () => (panel.hidden ? open() : close()));
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.stopPropagation();
    close();
    button.focus();
  });
  return { element, button, open, close };
}
