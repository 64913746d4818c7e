/** The step Segment. @module */
import { h } from "../kernel/dom.js";

/** @type {import("../app/steps.js").Step} */
export default {
  name: "segment",
  title: "Segment",
  centre: "viewer",
  open(app, { left }) {
    const run = () => app.openStudy.jobs.submit("segment").catch((error) => app.error(error));
    left.append(h("button.primary", { type: "button", onclick: run }, "Apply to all"));
    return { close() {} };
  },
};
