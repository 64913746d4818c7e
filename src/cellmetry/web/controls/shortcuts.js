/** Keys that do something, and the overlay of all of them ("?"). @module */
import { h } from "../kernel/dom.js";
import { openDialog } from "./dialog.js";

/**
 * @typedef {{keys: string, title: string, run: (event: KeyboardEvent) => any, when: () => boolean,
 *   group: string}} Shortcut
 */

const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys that work now. Those bound last go first, and one that answers `false` leaves the key to the next. */
export class Shortcuts {
  /** @type {Shortcut[]} */
  #all = [];

  constructor() {
    addEventListener("keydown", (event) => this.#press(event));
    this.bind("?", "All keys", () => this.show(), { group: "Everywhere" });
  }

  /**
   * Let a key do something; return what ends that.
   * @param {string} keys As "b", "[", "Delete", "Ctrl+z", "Ctrl+Shift+Z", "Alt+ArrowUp"; Ctrl is Cmd on a Mac.
   * @param {string} title What it does, for the overlay.
   * @param {(event: KeyboardEvent) => any} run
   * @param {{when?: () => boolean, group?: string}} [more]
   * @returns {() => void}
   */
  bind(keys, title, run, { when = () => true, group = "This step" } = {}) {
    const shortcut = { keys, title, run, when, group };
    this.#all.unshift(shortcut);
    return () => {
      this.#all = this.#all.filter((each) => each !== shortcut);
    };
  }

  /** Show what keys do. */
  show() {
    if (document.querySelector("dialog[open]")) return;
    openDialog(
      "Keys",
      h(
        "div.keys",
        { tabindex: 0, role: "group", "aria-label": "Keys" },
        this.#groups().map(([name, list]) => keysOf(name, list)),
      ),
      { wide: true },
    );
  }

  /** @returns {[string, Shortcut[]][]} */
  #groups() {
    /** @type {Map<string, Shortcut[]>} */
    const groups = new Map();
    for (const each of [...this.#all].reverse()) {
      if (each.when()) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
    }
    return [...groups].sort(([a], [b]) => Number(a === "Everywhere") - Number(b === "Everywhere"));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]") || types(event)) return;
    for (const each of this.#all) {
      if (!pressed(each.keys, event) || !each.when()) continue;
      if (each.run(event) === false) continue;
      event.preventDefault();
      return;
    }
  }
}

/**
 * Say whether these keys were pressed.
 * @param {string} keys @param {KeyboardEvent} event
 */
export function pressed(keys, event) {
  const parts = keys === "+" ? ["+"] : keys.split("+");
  const key = keys.endsWith("++") ? "+" : /** @type {string} */ (parts.pop());
  const command = APPLE ? event.metaKey : event.ctrlKey;
  if (parts.includes("Ctrl") !== command || parts.includes("Alt") !== event.altKey) return false;
  if (key.length > 1 && parts.includes("Shift") !== event.shiftKey) return false;
  if (/^[a-z]$/i.test(key) && parts.includes("Shift") !== event.shiftKey) return false;
  return event.key.toLowerCase() === key.toLowerCase();
}

/**
 * Say whether somebody is writing, so that letters belong to what is written.
 * @param {KeyboardEvent} event
 */
function types(event) {
  const at = /** @type {HTMLElement} */ (event.target);
  if (!(at instanceof HTMLElement)) return false;
  if (at.isContentEditable || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement) return true;
  if (!(at instanceof HTMLInputElement)) return false;
  if (["checkbox", "radio", "color", "button"].includes(at.type)) return event.key === " ";
  return at.type !== "range" || /^(Arrow|Page|Home|End)/.test(event.key);
}

/** @param {string} name @param {Shortcut[]} list */
function keysOf(name, list) {
  const rows = list.map((each) => [h("dt", {}, ...keyCaps(each.keys)), h("dd", {}, each.title)]);
  return h("section", {}, h("h3", {}, name), h("dl.keys-list", {}, rows));
}

/** @type {Record<string, string>} */
const CAPS = {
  Ctrl: APPLE ? "⌘" : "Ctrl",
  Alt: APPLE ? "⌥" : "Alt",
  Shift: "⇧",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  " ": "Space",
  Delete: "Del",
  Escape: "Esc",
};

/** @param {string} keys */
function keyCaps(keys) {
  const parts =
    keys === "+" ? ["+"] : keys.split("+").map((part, k, all) => (part === "" && k === all.length - 1 ? "+" : part));
  return parts
    .filter(Boolean)
    .map((part) => h("kbd", {}, CAPS[part] ?? (part.length === 1 ? part.toUpperCase() : part)));
}
