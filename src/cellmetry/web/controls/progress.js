/** Bars of progress, with what is done in words. @module */
import { fill, h } from "../kernel/dom.js";
import { leftInWords } from "../app/pace.js";

/** @typedef {{done: number, total: number, text?: string, secondsLeft?: number|null}} Shown */

/**
 * Return a bar, and what shows a progress in it.
 * @param {string} label What goes on.
 * @returns {{element: HTMLElement, show: (progress: Shown, begins?: string) => void}} `begins` is said while nobody
 *   knows how much there is to do.
 */
export function progressBar(label) {
  const bar = h("progress", { "aria-label": label });
  const said = h("span.progress-text.number");
  const left = h("span.progress-left.number");
  return {
    element: h("div.progress", {}, bar, h("div.progress-said", {}, said, left)),
    show({ done, total, text = "", secondsLeft = null }, begins = "Getting ready…") {
      if (total > 0) {
        bar.max = total;
        bar.value = done;
      } else bar.removeAttribute("value");
      fill(said, total > 0 ? `${done} of ${total} ${text}` : begins);
      fill(left, leftInWords(secondsLeft));
    },
  };
}
