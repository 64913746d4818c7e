/** The step Images. @module */
import { h } from "../kernel/dom.js";

/** @type {import("../app/steps.js").Step} */
export default {
  name: "images",
  title: "Images",
  centre: "own",
  open(app, { centre }) {
    centre.append(h("p", {}, `${app.openStudy.images.all.length} images`));
    return { close() {} };
  },
};
