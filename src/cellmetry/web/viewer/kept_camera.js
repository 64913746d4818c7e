/**
 * The camera in the page's address, so that a reload shows the same place.
 * @module
 */
import { place } from "../kernel/place.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */

const AFTER_MS = 250;

/**
 * Look where the address says, and note there where somebody looks.
 * @param {Viewer} viewer @returns {() => void} What ends that.
 */
export function keepCamera(viewer) {
  const { study } = place;
  let [view, image] = [place.get("view"), place.get("image")];
  let timer = 0;
  const note = () => {
    if (place.study !== study || !viewer.image || view) return;
    const { y, x, zoom } = viewer.camera;
    place.note({ view: viewer.fitted ? null : `${y.toFixed(1)},${x.toFixed(1)},${Number(zoom.toPrecision(4))}` });
  };
  const later = () => {
    clearTimeout(timer);
    timer = window.setTimeout(note, AFTER_MS);
  };
  const begin = () => {
    if (!view || !viewer.image) return;
    if (viewer.image.id === image || image === null) goTo(viewer, view);
    view = null;
  };
  const ends = [viewer.on("shown", begin), viewer.on("camera", later), place.on("move", later)];
  return () => {
    clearTimeout(timer);
    for (const end of ends) end();
  };
}

/** @param {Viewer} viewer @param {string} view */
function goTo(viewer, view) {
  const [y, x, zoom] = view.split(",").map(Number);
  if ([y, x, zoom].every(Number.isFinite) && zoom > 0) viewer.goTo({ y, x, zoom });
}
