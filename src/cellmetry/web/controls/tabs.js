/** Tabs: one of several panels. @module */
import { fill, h } from "../kernel/dom.js";

/**
 * Return tabs above panels; a panel is made when it is first shown.
 * @param {string} label
 * @param {{name: string, title: string, make: () => any}[]} tabs
 * @param {{chosen?: string, onchange?: (name: string) => void}} [more]
 * @returns {{element: HTMLElement, choose: (name: string) => void}}
 */
export function tabs(label, tabs, { chosen = tabs[0].name, onchange = () => {} } = {}) {
  const panel = h("div.tab-panel", { role: "tabpanel" });
  const buttons = tabs.map(({ name, title }) =>
    h("button.tab", { type: "button", role: "tab", dataset: { name }, onclick: () => choose(name) }, title),
  );
  const list = h("div.tab-list", { role: "tablist", "aria-label": label }, buttons);
  /** @type {Map<string, any>} */
  const made = new Map();
  const show = (/** @type {string} */ name) => {
    const tab = tabs.find((each) => each.name === name) ?? tabs[0];
    if (!made.has(tab.name)) made.set(tab.name, tab.make());
    fill(panel, made.get(tab.name));
    for (const button of buttons) {
      const here = button.dataset.name === tab.name;
      button.setAttribute("aria-selected", String(here));
      button.tabIndex = here ? 0 : -1;
    }
  };
  const choose = (/** @type {string} */ name) => {
    show(name);
    onchange(name);
  };
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const at = buttons.findIndex((button) => button.tabIndex === 0);
    const next = buttons[(at + by + buttons.length) % buttons.length];
    choose(next.dataset.name);
    next.focus();
  });
  show(chosen);
  return { element: h("div.tabs", {}, list, panel), choose };
}
