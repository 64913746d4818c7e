/** The app: who is here, which study and step are open, and what everything else is handed. @module */
import { ApiError, get, post, request } from "../kernel/api.js";
import { place } from "../kernel/place.js";
import { ask, askText } from "../controls/dialog.js";
import { Shortcuts } from "../controls/shortcuts.js";
import { deskOf } from "../steps/correct/desk.js";
import { takeDrops } from "./drops.js";
import { Frame } from "./frame.js";
import { Look } from "./look.js";
import { StartPage } from "./start.js";
import { STEPS } from "./steps.js";
import { Study } from "./study.js";
import { applyTheme } from "./theme.js";
import { Toasts } from "./toasts.js";
import { makeViewer } from "./viewing.js";

/** What of the address stays from step to step. */
const LOOKED_AT = ["image", "labels", "t", "z", "view", "planes", "views", "hide"];

/** One, made by main.js. */
export class App {
  /** @type {{who: string, signed_in: boolean, admin: boolean, mode: "laptop"|"server"|"demo"}} */
  session = { who: "", signed_in: false, admin: false, mode: "laptop" };
  /** @type {Study|null} */
  study = null;
  /** The viewer of the study. @type {any} */
  viewer = null;
  /** What the viewer shows. @type {any} */
  look = null;
  place = place;
  shortcuts = new Shortcuts();
  /** @type {Frame|null} */
  frame = null;
  #page;
  #toasts;
  /** @type {{close(): void}|null} */
  #step = null;
  /** @type {string|null} */
  #stepName = null;
  #turn = 0;
  /** @type {{last: number, table?: string|null, column?: string|null, where?: string|null}|null} */
  #measured = null;
  /** @type {Promise<any>} */
  #arriving = Promise.resolve();

  /** @param {HTMLElement} page */
  constructor(page) {
    this.#page = page;
    this.#toasts = new Toasts(page);
  }

  /** Find out who is here and show where they were. */
  async start() {
    applyTheme();
    addEventListener("unhandledrejection", (event) => this.#unhandled(event));
    this.session = await get("session");
    if (!this.session.signed_in && this.session.mode !== "demo") return location.reload();
    place.on("move", () => (this.#arriving = this.#arrive()));
    takeDrops(
      (files) => this.take(files),
      () => this.#dropText(),
    );
    await this.#arrive();
  }

  /** The study; only called where one is open. @returns {Study} */
  get openStudy() {
    if (!this.study) throw new Left();
    return this.study;
  }

  /** Name of the step that is open. @returns {string|null} */
  get step() {
    return this.#stepName;
  }

  /** Whether the step that is open shows the viewer. */
  viewing = false;

  /**
   * Go to another step of this study.
   * @param {string} step @param {Record<string, any>} [query]
   */
  goStep(step, query = {}) {
    const kept = Object.fromEntries(LOOKED_AT.map((name) => [name, place.get(name)]));
    place.go(this.openStudy.id, step, { ...kept, ...this.#measuredFor(step, query), ...query });
  }

  /**
   * Return what was asked of the table in the step Measure: it is asked there again, and of a comparison that was not
   * made yet, whichever button leads there.
   * @param {string} step @param {Record<string, any>} query
   */
  #measuredFor(step, query) {
    const { jobs } = this.openStudy;
    const last = Math.max(0, ...jobs.all.map((job) => job.seq));
    if (this.#stepName === "measure")
      this.#measured = { last, table: place.get("table"), column: place.get("column"), where: place.get("where") };
    const { last: seen, ...asked } = this.#measured ?? { last };
    const compared = jobs.all.some((job) => job.kind === "compare" && job.seq > seen);
    const wanted = (step === "measure" && !query.cell) || (step === "compare" && !compared);
    return wanted ? asked : {};
  }

  /**
   * Show a short note.
   * @param {string} text
   * @param {{kind?: "info"|"done"|"error", action?: {text: string, run: () => any}|null}} [more]
   */
  toast(text, more) {
    return this.#toasts.show(text, more);
  }

  /** Tell of an error in words. @param {unknown} error */
  error(error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    if (error instanceof ApiError && this.study?.noteAway(error)) return;
    if (error instanceof ApiError && error.status === 401) return void this.#signedOut();
    if (error instanceof Left) return;
    if (!(error instanceof ApiError)) console.error(error);
    const known = error instanceof ApiError;
    const words = known ? error.message : `The page did something wrong: ${messageOf(error)} Reload it.`;
    this.toast(words, {
      kind: "error",
      action: error instanceof ApiError ? null : { text: "Reload", run: () => location.reload() },
    });
  }

  /**
   * @param {{title: string, text?: any, yes?: string, no?: string, danger?: boolean}} asked
   * @returns {Promise<boolean>}
   */
  ask = (asked) => ask(asked);

  /**
   * @param {{title: string, label: string, value?: string, yes?: string, help?: string, most?: number}} asked
   * @returns {Promise<string|null>}
   */
  askText = (asked) => askText(asked);

  /**
   * Do something that is undone by one click of the note about it.
   * @param {Promise<{act: number|null}>} done What the server answers: the number of the act.
   * @param {string} text What was done.
   */
  async undoable(done, text) {
    const { act } = await done;
    const undo = () => act !== null && this.openStudy.undo(act).catch((error) => this.error(error));
    this.toast(text, { kind: "done", action: act === null ? null : { text: "Undo", run: undo } });
  }

  /** End the session. */
  async signOut() {
    await request("DELETE", "session");
    location.assign(document.baseURI.split("#")[0]);
  }

  /**
   * Take files that were dropped or chosen: into the study that is open, else into a new one.
   * @param {import("./uploads.js").Sent[]} files
   */
  async take(files) {
    if (!files.length) return;
    try {
      if (!this.study) {
        const study = await post("studies", { name: nameFor(files) });
        place.go(study.id, "images");
        await this.#opened(study.id);
      }
      await this.openStudy.uploads.add(files);
    } catch (error) {
      this.error(error);
    }
  }

  /** @param {string} id */
  async #opened(id) {
    await new Promise((answer) => setTimeout(answer));
    await this.#arriving;
    if (this.study?.id !== id) throw new Error("The new study was left.");
  }

  #dropText() {
    if (!this.study) return "Drop to make a new study of these files";
    return this.study.readOnly ? "" : `Drop to add images to ${this.study.name}`;
  }

  async #signedOut() {
    const again = await ask({
      title: "You are signed out",
      text: "Your session has ended. Sign in to go on.",
      yes: "Sign in",
    });
    if (again) location.reload();
  }

  /** @param {PromiseRejectionEvent} event */
  #unhandled(event) {
    event.preventDefault();
    this.error(event.reason);
  }

  /** Show what the address names. */
  async #arrive() {
    const turn = ++this.#turn;
    try {
      if (!place.study) return this.#showStart();
      if (place.study !== this.study?.id && !(await this.#openStudy(place.study, turn))) return;
      this.study?.images.follow();
      await this.#openStep(turn);
      await this.look?.show();
    } catch (error) {
      this.error(error);
      if (turn === this.#turn && !this.study) place.go(null);
    }
  }

  #showStart() {
    this.#closeStudy();
    const page = new StartPage(this);
    this.#show(page.element);
    document.title = "Cellmetry";
    this.#step = page;
    this.#stepName = null;
    return page.load();
  }

  /** @param {string} id @param {number} turn @returns {Promise<boolean>} Whether it is still wanted. */
  async #openStudy(id, turn) {
    this.#closeStudy();
    const study = await Study.open(id);
    if (turn !== this.#turn) {
      study.close();
      return false;
    }
    this.study = study;
    this.frame = new Frame(this);
    this.#show(this.frame.element);
    this.viewer = await makeViewer(this.frame.viewerHost, study.path);
    this.viewer.on("error", (/** @type {any} */ error) => this.error(error));
    this.look = new Look(this);
    await deskOf(this);
    study.on("closed", (error) => error && this.#lost(error));
    study.on("failed", (error) => this.error(error));
    study.images.on("lost", (image) => this.#tellOfLoss(image));
    this.frame.start();
    return turn === this.#turn;
  }

  /** @param {number} turn */
  async #openStep(turn) {
    const steps = STEPS;
    const entry = steps.find((step) => step.name === place.step) ?? steps[0];
    if (this.#stepName === entry.name && this.#step) return;
    const { default: step } = await entry.load();
    if (turn !== this.#turn || !this.study) return;
    this.#closeStep();
    this.#stepName = entry.name;
    const panes = /** @type {Frame} */ (this.frame).prepare(entry, step);
    document.title = `${entry.title} · ${this.study.name} · Cellmetry`;
    this.viewing = step.centre === "viewer";
    this.study.warm();
    this.#step = await step.open(this, panes);
    await this.look.show();
    loadOthers();
  }

  /** The image that was looked at is gone, and another is seen. @param {import("./images.js").ImageView} image */
  async #tellOfLoss({ id, name }) {
    const { study, session } = this;
    if (!this.viewing || !study) return;
    try {
      const acts = await study.get("acts", { limit: 20 });
      const act = acts.find((/** @type {any} */ each) => each.details.images?.includes(id) && each.verb !== "say");
      const who = !act || act.who === session.who ? "" : ` by ${act.who}`;
      const now = study.images.current;
      const again = act?.verb === "read again" ? "is read again" : "was removed";
      this.toast(`${name} ${again}${who}.${now ? ` You see ${now.name} now.` : ""}`);
    } catch (error) {
      this.error(error);
    }
  }

  /** @param {any} error */
  #lost(error) {
    this.error(error);
    place.go(null);
  }

  #closeStep() {
    this.#step?.close();
    this.#step = null;
    this.#stepName = null;
    this.viewing = false;
    this.viewer?.setTool(null);
  }

  #closeStudy() {
    this.#closeStep();
    this.look?.close();
    this.frame?.close();
    this.viewer?.close();
    this.study?.close();
    this.study = this.viewer = this.look = this.frame = this.#measured = null;
  }

  /** @param {Element} element */
  #show(element) {
    for (const each of this.#page.querySelectorAll(":scope > .page")) each.remove();
    this.#page.prepend(element);
  }
}

/** What stops an answer that comes after its study was left; nobody has to hear of it. */
class Left extends Error {}

/** Read the modules of all steps once there is time, so that going to one needs no server. */
function loadOthers() {
  const load = () => STEPS.forEach((step) => step.load().catch(() => {})); // said when the step is opened
  if ("requestIdleCallback" in window) requestIdleCallback(load);
  else setTimeout(load, 500);
}

/**
 * Return a name for a study of files: that of their folder, else the day.
 * @param {import("./uploads.js").Sent[]} files
 */
function nameFor(files) {
  const folder = files[0].name.includes("/") ? files[0].name.split("/")[0] : "";
  return (
    folder || `Images of ${new Date().toLocaleDateString("en", { day: "numeric", month: "long", year: "numeric" })}`
  ).slice(0, 200);
}

/** @param {unknown} error */
function messageOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
