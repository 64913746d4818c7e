/** A name that is cut in its middle where it has no room: its end tells images apart. @module */
import { h } from "../kernel/dom.js";

const END = 12;

/** @param {string} name What is shown. @param {string} [title] The whole. */
export function cutName(name, title = name) {
  const at = Math.max(0, name.length - END);
  return h("span.cut-name", { title }, h("span.cut", {}, name.slice(0, at)), h("span.cut-end", {}, name.slice(at)));
}
