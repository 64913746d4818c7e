/**
 * Small tastes of a person, kept in this browser: theme, widths of panes, colours of channels.
 * Whatever matters is in the study or in the address instead.
 * @module
 */

const PREFIX = "cellmetry.";

/**
 * Return a taste, or `otherwise` where none was noted (or the browser keeps nothing).
 * @template T
 * @param {string} name
 * @param {T} otherwise
 * @returns {T}
 */
export function taste(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/**
 * Note a taste; null forgets it.
 * @param {string} name
 * @param {any} value
 */
export function noteTaste(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing, or has no room: the taste holds until the page is left.
  }
}
