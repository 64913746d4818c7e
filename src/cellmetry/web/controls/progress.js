/** Bars of progress, with what is done in words. @module */
import { fill, h } from "../kernel/dom.js";
import { leftInWords } from "../app/pace.js";

/** @typedef {{share: number, words: string, left: string}} Far */
/** @typedef {{done: number, total: number, text?: string, secondsLeft?: number|null, far?: Far|null}} Shown */

/** Said while nobody knows the time that is left. */
const LATER = "time left is known after the first";

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
    show({ done, total, text = "", secondsLeft = null, far = null }, begins = "Getting ready…") {
      if (far || total > 0) {
        bar.max = far ? 1 : total;
        bar.value = far ? far.share : done;
      } else bar.removeAttribute("value");
      fill(said, far?.words ?? (total > 0 ? `${done} of ${total} ${text}` : begins));
      fill(left, leftInWords(secondsLeft) || (far?.left ?? (total > 1 && done === 0 ? LATER : "")));
    },
  };
}
