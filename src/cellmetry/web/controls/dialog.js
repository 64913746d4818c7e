/** Dialogs above the page: the browser keeps the keyboard inside, Escape closes. @module */
import { h } from "../kernel/dom.js";
import { icon } from "./icons.js";

/**
 * Open a dialog and return it; it leaves the page when it is closed.
 * @param {string} title
 * @param {any} content Nodes or text.
 * @param {{wide?: boolean, buttons?: any, onclose?: () => void}} [more]
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, content, { wide = false, buttons = null, onclose } = {}) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const close = h("button.quiet.square", { type: "button", "aria-label": "Close" }, icon("close"));
  const dialog = h(
    "dialog.dialog",
    { "aria-labelledby": id, class: wide ? "wide" : "" },
    h("header.dialog-head", {}, h("h2", { id }, title), close),
    h("div.dialog-body", {}, content),
    buttons && h("footer.dialog-foot", {}, buttons),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Ask something that is answered with yes or no.
 * @param {{title: string, text?: any, yes?: string, no?: string, danger?: boolean}} asked
 * @returns {Promise<boolean>}
 */
export function ask({ title, text = "", yes = "Yes", no = "Cancel", danger = false }) {
  return new Promise((answer) => {
    let said = false;
    const sure = h("button.primary", { type: "button", class: danger ? "danger" : "" }, yes);
    const not = h("button", { type: "button" }, no);
    const dialog = openDialog(title, typeof text === "string" ? h("p", {}, text) : text, {
      buttons: [not, sure],
      onclose: () => answer(said),
    });
    not.addEventListener("click", () => dialog.close());
    sure.addEventListener("click", () => {
      said = true;
      dialog.close();
    });
    sure.focus();
  });
}

/**
 * Ask for a line of text; null where it was left.
 * @param {{title: string, label: string, value?: string, yes?: string, help?: string, most?: number}} asked
 *   `most`: letters.
 * @returns {Promise<string|null>}
 */
export function askText({ title, label, value = "", yes = "Save", help = "", most = 200 }) {
  return new Promise((answer) => {
    /** @type {string|null} */
    let said = null;
    const input = h("input", { type: "text", value, maxlength: most, required: true, autocomplete: "off" });
    const sure = h("button.primary", { type: "submit" }, yes);
    const form = h(
      "form.stack",
      {},
      h("label.field", {}, h("span.field-name", {}, label), input),
      help && h("p.quiet-text", {}, help),
      h("div.row.end", {}, sure),
    );
    const dialog = openDialog(title, form, { onclose: () => answer(said) });
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      said = input.value.trim() || null;
      dialog.close();
    });
    input.select();
  });
}
