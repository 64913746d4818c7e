/** Where panels and menus open: at their button, above all else, within the window. @module */

const GAP = 5;
const RIM = 8;

/**
 * Show a panel at a button, whatever it lies in; what it lies in never clips it.
 * @param {HTMLElement} panel @param {HTMLElement} button @param {"left"|"right"} align Side at which both end.
 * @returns {() => void} Hides it.
 */
export function showAt(panel, button, align) {
  panel.hidden = false;
  panel.popover = "manual";
  panel.showPopover();
  const place = () => placeAt(panel, button.getBoundingClientRect(), align);
  const moved = (/** @type {Event} */ event) => panel.contains(/** @type {Node} */ (event.target)) || place();
  const resized = new ResizeObserver(place);
  resized.observe(panel);
  addEventListener("scroll", moved, true);
  addEventListener("resize", place);
  place();
  return () => {
    resized.disconnect();
    removeEventListener("scroll", moved, true);
    removeEventListener("resize", place);
    if (panel.isConnected) panel.hidePopover();
    panel.hidden = true;
  };
}

/** @param {HTMLElement} panel @param {DOMRect} at @param {"left"|"right"} align */
function placeAt(panel, at, align) {
  const { scrollHeight, offsetWidth } = panel;
  const [above, below] = [at.top - GAP - RIM, innerHeight - at.bottom - GAP - RIM];
  const down = scrollHeight <= below || below >= above;
  const left = align === "left" ? at.left : at.right - offsetWidth;
  panel.style.left = `${Math.max(RIM, Math.min(left, innerWidth - offsetWidth - RIM))}px`;
  panel.style.top = down ? `${at.bottom + GAP}px` : "auto";
  panel.style.bottom = down ? "auto" : `${innerHeight - at.top + GAP}px`;
  panel.style.maxHeight = `${down ? below : above}px`;
}
