/** Small line icons, drawn on a 16 x 16 grid in the colour of the text. @module */
import { h } from "../kernel/dom.js";

/** @type {Record<string, string>} */
const PATHS = {
  auto: "M8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3M3.5 3.5l2 2M10.5 10.5l2 2M12.5 3.5l-2 2M5.5 10.5l-2 2",
  back: "M10 3L5 8l5 5",
  check: "M3 8.5l3.5 3.5L13 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4 4-4",
  download: "M8 2.5v8M4.5 7L8 10.5 11.5 7M2.500 13.500h11",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 100-4 2 2 0 000 4z",
  "eye-off":
    "M2 2l12 12M6 4a6 6 0 012-.5c4 0 6.5 4.5 6.5 4.5a12 12 0 01-2 2.5M4 5A12 12 0 001.5 8S4 12.5 8 12.5a6 6 0 003-.8",
  file: "M4 1.5h5l3 3v10H4zM9 1.5v3h3",
  folder: "M1.5 4V13h13V5.5H8L6.5 3.5h-5z",
  forward: "M6 3l5 5-5 5",
  history: "M2.5 8a5.5 5.5 0 105.5-5.5A5.5 5.5 0 003 5.5M2.5 2.5v3h3M8 5v3.5l2.5 1.5",
  image: "M2 3h12v10H2zM2 11l3.5-3.5 3 3 2-2L14 11.5M10.5 6.5a1 1 0 100-.1",
  info: "M8 14.5a6.5 6.5 0 100-13 6.5 6.5 0 000 13zM8 7.5v4M8 5v.1",
  jobs: "M2 4h12M2 8h8M2 12h5",
  keys: "M1.5 4.5h13v7h-13zM4 7h.1M6.5 7h.1M9 7h.1M11.5 7h.1M4.5 9.5h7",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  moon: "M13.5 9.5A6 6 0 016.5 2.5a6 6 0 107 7z",
  more: "M3 8h.1M8 8h.1M13 8h.1",
  pause: "M5.5 3v10M10.5 3v10",
  plus: "M8 3v10M3 8h10",
  redo: "M13 6H6a3.5 3.5 0 000 7h4M10 3l3 3-3 3",
  resume: "M5 3l8 5-8 5z",
  ruler: "M2 10.5L10.5 2 14 5.5 5.5 14zM5 7.5l1.5 1.5M7.5 5l1.5 1.5M9.800 2.800l1 1",
  sample: "M6 1.5h4M7 1.5V6l-4.5 8h11L9 6V1.5M4.5 10.5h7",
  search: "M7 12A5 5 0 107 2a5 5 0 000 10zM10.5 10.5l4 4",
  sun: "M8 11a3 3 0 100-6 3 3 0 000 6zM8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.5 1.5M11.5 11.5L13 13M13 3l-1.5 1.5M4.5 11.5L3 13",
  table: "M2 3h12v10H2zM2 6.5h12M2 10h12M6 3v10",
  trash: "M3 4.5h10M6 4.5V2.5h4v2M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4",
  undo: "M3 6h7a3.5 3.5 0 010 7H6M6 3L3 6l3 3",
  upload: "M8 11V3M4.5 6L8 2.5 11.5 6M2.5 10.5V13.5h11v-3",
  user: "M8 8a3 3 0 100-6 3 3 0 000 6zM2.5 14a5.5 5.5 0 0111 0",
  warning: "M8 2L1.5 13.5h13zM8 6.5v3.5M8 12v.1",
};

/**
 * Return an icon; it says nothing to screen readers, so give its button a name.
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const d = PATHS[name];
  if (!d) throw new Error(`There is no icon ${name}.`);
  return h("svg:svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, h("svg:path", { d }));
}
