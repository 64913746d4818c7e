/** The page of a study: header with the steps, three panes, and what is around every step. @module */
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { noteTaste, taste } from "./tastes.js";
import { LookPanel } from "./look_panel.js";
import { STEPS } from "./steps.js";
import { accountMenu, brand } from "./header.js";
import { historyButton } from "./history_panel.js";
import { jobsIndicator } from "./jobs_panel.js";

/** @typedef {import("./app.js").App} App */

const NARROWEST = 240;
const WIDTH = 420;
const AWAY = {
  unreachable: "The server cannot be reached. This page tries again by itself; keep it open.",
  "signed out":
    "You are signed out. Nothing is lost: sign in, or open the address that the server shows, in another tab; this page then goes on.",
};

/** Panes: `left` of 300 pixels (controls of the step, then what the viewer shows), the centre, and a right one. */
export class Frame {
  #app;
  #steps = h("nav.steps", { "aria-label": "Steps" });
  #tools = h("div.header-tools");
  #title = h("h1.unseen");
  #hint = h("p.centre-hint", { role: "status", hidden: true });
  #banner = h("div.banner", { role: "status", hidden: true });
  #controls = h("div.left-step");
  #looks = h("div.left-look");
  #own = h("div.centre-own");
  #empty = h("div.centre-empty", { hidden: true });
  #details = h("div.right-step");
  #right = h("aside.right", { "aria-label": "Details" }, this.#details);
  #watch = new MutationObserver(() => this.#showRight());
  #left;
  #splitter = h("div.splitter", {
    role: "separator",
    tabindex: 0,
    "aria-orientation": "vertical",
    "aria-label": "Width of the details",
  });
  #fold = h("button.fold.quiet.square", { type: "button" });
  /** @type {(() => void)[]} */
  #offs = [];
  #step = { name: "", width: WIDTH, viewing: false };

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.viewerHost = h("div.centre-viewer");
    this.#left = h("aside.left", { "aria-label": "Controls" }, this.#controls, this.#looks);
    const centre = h("main.centre", { id: "centre" }, this.#title, this.viewerHost, this.#empty, this.#hint, this.#own);
    this.panes = h("div.panes", {}, this.#left, centre, this.#splitter, this.#right, this.#fold);
    this.element = h("div.page.study-page", {}, this.#header(), this.#banner, this.panes);
    this.#listenSplitter();
    this.#showRight();
  }

  /** Follow the study, once its viewer is there. */
  start() {
    const { openStudy: study } = this.#app;
    const panel = new LookPanel(this.#app, this.#looks);
    this.#offs.push(
      study.on("named", () => this.#showNotices()),
      study.on("away", () => this.#showNotices()),
      study.images.on("change", () => this.#showCentre()),
      () => panel.close(),
    );
    this.#showNotices();
  }

  /**
   * Empty the panes for a step, and return them.
   * @param {import("./steps.js").Entry} entry
   * @param {import("./steps.js").Step} step
   * @returns {import("./steps.js").Panes}
   */
  prepare(entry, step) {
    this.#renew();
    this.hint("");
    fill(this.#title, entry.title);
    const viewing = step.centre === "viewer";
    this.#step = { name: entry.name, width: step.rightWidth ?? WIDTH, viewing };
    this.panes.classList.toggle("panes-viewing", viewing);
    this.#looks.hidden = !viewing;
    this.#showCentre();
    for (const link of this.#steps.children) {
      if (/** @type {HTMLElement} */ (link).dataset.step === entry.name) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
    return { left: this.#controls, centre: this.#own, right: this.#details };
  }

  /** The viewer; in a study without images, what to do first. Count has its own word for that: it takes images too. */
  #showCentre() {
    const { images } = this.#app.openStudy;
    const { name, viewing } = this.#step;
    const empty = viewing && name !== "count" && images.loaded && !images.all.length;
    this.viewerHost.hidden = !viewing || empty;
    if (this.#empty.hidden === !empty) return;
    this.#empty.hidden = !empty;
    const add = () => this.#app.goStep("images");
    fill(
      this.#empty,
      empty &&
        h(
          "section.empty",
          {},
          h("div.empty-picture", {}, icon("upload")),
          h("h2", {}, "There are no images yet"),
          h("p.quiet-text", {}, "Add files or whole folders; their cells are then found, measured and compared."),
          h("button.primary", { type: "button", onclick: add }, "Add images"),
        ),
    );
  }

  /** Every step has panes of its own, so that one that is late writes into none of another's. */
  #renew() {
    const [controls, own, details] = [h("div.left-step"), h("div.centre-own"), h("div.right-step")];
    this.#controls.replaceWith(controls);
    this.#own.replaceWith(own);
    this.#details.replaceWith(details);
    [this.#controls, this.#own, this.#details] = [controls, own, details];
    this.#left.scrollTop = this.#right.scrollTop = 0;
    this.#watch.disconnect();
    this.#watch.observe(details, { childList: true });
    this.#showRight();
  }

  /** Say above the viewer what to do in it; an empty text: nothing. @param {string} text */
  hint(text) {
    fill(this.#hint, text);
    this.#hint.hidden = !text;
  }

  close() {
    for (const off of this.#offs) off();
  }

  #header() {
    const { openStudy: study } = this.#app;
    const name = h("button.study-name.quiet", {
      type: "button",
      disabled: Boolean(study.readOnly),
      onclick: () => this.#rename(),
    });
    const show = () => {
      fill(name, study.name);
      name.title = `${study.name}: rename the study`;
    };
    show();
    this.#offs.push(study.on("named", show));
    fill(
      this.#steps,
      STEPS.map((step) => this.#stepButton(step)),
    );
    const jobs = jobsIndicator(this.#app);
    this.#offs.push(jobs.close);
    this.#tools.append(jobs.element, historyButton(this.#app), accountMenu(this.#app));
    return h(
      "header.header.header-study",
      {},
      h("div.header-place", {}, brand(this.#app), name),
      this.#steps,
      this.#tools,
    );
  }

  async #rename() {
    const { openStudy: study } = this.#app;
    const name = await this.#app.askText({ title: "Rename", label: "Name of the study", value: study.name });
    if (name !== null) await study.say({ name }).catch((error) => this.#app.error(error));
  }

  /** @param {import("./steps.js").Entry} step */
  #stepButton(step) {
    return h(
      "button.step",
      { type: "button", dataset: { step: step.name }, onclick: () => this.#app.goStep(step.name) },
      step.title,
    );
  }

  #showNotices() {
    const { openStudy: study } = this.#app;
    const away = study.away && AWAY[study.away];
    const said = [away, study.readOnly, ...study.notices].filter(Boolean);
    this.#banner.hidden = !said.length;
    fill(
      this.#banner,
      said.map((text) => h("p", {}, icon("info"), text)),
    );
  }

  #showRight() {
    const empty = !this.#details.childElementCount;
    const folded = taste("right.folded", false);
    this.panes.classList.toggle("panes-right", !empty && !folded);
    this.#right.hidden = this.#splitter.hidden = empty || folded;
    this.#fold.hidden = empty;
    fill(this.#fold, icon(folded ? "back" : "forward"));
    this.#fold.setAttribute("aria-label", folded ? "Show the details" : "Hide the details");
    this.#fold.title = this.#fold.getAttribute("aria-label");
    this.panes.style.setProperty("--right", `${this.#width}px`);
    this.#splitter.setAttribute("aria-valuemin", String(NARROWEST));
    this.#splitter.setAttribute("aria-valuenow", String(this.#width));
  }

  get #width() {
    return taste(`right.width.${this.#step.name}`, this.#step.width);
  }

  /** @param {number} width */
  #setWidth(width) {
    const most = Math.max(NARROWEST, this.panes.clientWidth - 300 - 320);
    noteTaste(`right.width.${this.#step.name}`, Math.round(Math.min(most, Math.max(NARROWEST, width))));
    this.#showRight();
  }

  #listenSplitter() {
    const splitter = this.#splitter;
    splitter.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) =>
      splitter.setPointerCapture(event.pointerId),
    );
    splitter.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (splitter.hasPointerCapture(event.pointerId))
        this.#setWidth(this.panes.getBoundingClientRect().right - event.clientX);
    });
    splitter.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowLeft: 24, ArrowRight: -24 }[event.key];
      if (by) this.#setWidth(this.#width + by);
    });
    this.#fold.addEventListener("click", () => {
      noteTaste("right.folded", !taste("right.folded", false));
      this.#showRight();
    });
  }
}
