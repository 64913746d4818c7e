/** Dark, light, or as the computer has it. @module */
import { noteTaste, taste } from "./tastes.js";

/** @typedef {"dark"|"light"|"system"} Theme */

/** @returns {Theme} */
export const theme = () => taste("theme", "system");

/** Show the page in the theme that was chosen. */
export function applyTheme() {
  const chosen = theme();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

/** @param {Theme} chosen */
export function chooseTheme(chosen) {
  noteTaste("theme", chosen);
  applyTheme();
}
