/** What the steps are for and how images are looked at, in a few lines, without another host. @module */
import { h } from "../kernel/dom.js";
import { openDialog } from "../controls/dialog.js";
import { STEPS } from "./steps.js";

const LOOKING =
  "The wheel zooms, dragging moves, 0 fits the image into the window. Channels, planes and labels are set at the lower " +
  "left. Everything is kept at once; History (the clock) takes back what was done, Jobs shows what runs.";

/** What a study goes through. */
export const howItGoes = () =>
  h(
    "ol.start-steps",
    {},
    STEPS.map(({ title, about }, k) =>
      h(
        "li.start-step",
        {},
        h("span.start-number", { "aria-hidden": "true" }, k + 1),
        h("div", {}, h("h3", {}, title), h("p.quiet-text", {}, about)),
      ),
    ),
  );

/** Show how it goes, from any step. */
export function openHelp() {
  void openDialog("How it goes", h("div.stack", {}, howItGoes(), h("p.quiet-text", {}, LOOKING)), { wide: true });
}
