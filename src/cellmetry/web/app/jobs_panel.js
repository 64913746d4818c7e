/** What is being worked on: an indicator in the header, and the list of jobs below it. @module */
import { at } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { openDialog } from "../controls/dialog.js";
import { popover } from "../controls/popover.js";
import { progressBar } from "../controls/progress.js";
import { inWords } from "../controls/schema.js";
import { counted } from "./said.js";
import { tookInWords, whenInWords } from "./times.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./jobs.js").Job} Job */

const MOST = 30;
/** How many images that failed the list names, of one job; the log names all. */
const FAILURES = 3;
/** Kinds of lines that are numbers for a picture, none to read. */
const FIGURES = new Set(["progress", "learning"]);
/** @type {Record<string, string>} */
const TITLES = {
  read: "Read images",
  import: "Import labels",
  rebase: "Carry corrections over",
  relabel: "Relabel cells",
};
/** @type {Record<Job["state"], string>} */
const STATES = {
  queued: "Waits",
  running: "Runs",
  stopping: "Stops",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
};

/** Images that a job could not work on, why by their ids. @param {Job} job @returns {Record<string, string>} */
const failedOf = (job) => job.result?.failed ?? {};

/** What a job does, in words. @param {Job} job */
export const titleOf = (job) => TITLES[job.kind] ?? inWords(job.kind);

/**
 * Return the indicator.
 * @param {App} app
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function jobsIndicator(app) {
  const { jobs } = app.openStudy;
  const text = h("span.jobs-text.number");
  const mark = h("span.jobs-mark");
  const pop = popover({ label: "Jobs", content: [mark, text] }, () => jobList(app));
  pop.button.classList.add("jobs-button");
  const show = () => {
    const [first] = jobs.running.filter((job) => job.state !== "queued").concat(jobs.running);
    fill(mark, first ? h("span.spinner.small-spinner") : icon("jobs"));
    const said = first ? indicatorText(first, jobs.progress(first), jobs.running.length) : "";
    fill(text, said);
    pop.button.setAttribute("aria-label", said ? `Jobs: ${said}` : "Jobs");
  };
  const offs = [jobs.on("change", show), jobs.on("ended", (job) => tellEnd(app, job, pop.open))];
  show();
  return { element: pop.element, close: () => offs.forEach((off) => off()) };
}

/** @param {Job} job @param {import("./jobs.js").Progress} progress @param {number} count */
function indicatorText(job, { done, total, far }, count) {
  const counts = total > 0 ? ` ${done}/${total}` : "";
  const shown = far ? ` ${Math.round(100 * far.share)} %` : counts;
  return `${titleOf(job)}${shown}${count > 1 ? ` +${count - 1}` : ""}`;
}

/** @param {App} app @param {Job} job @param {() => void} open */
function tellEnd(app, job, open) {
  const failed = Object.keys(failedOf(job)).length;
  const show = { text: "Show", run: () => showLog(app, job) };
  if (job.state === "failed") app.toast(`${titleOf(job)} failed: ${job.error}`, { kind: "error", action: show });
  else if (job.state === "interrupted")
    app.toast(`${titleOf(job)} was interrupted.`, { kind: "error", action: { text: "Jobs", run: open } });
  else if (job.state === "done" && failed)
    app.toast(`${titleOf(job)}: ${counted(failed, "image")} could not be worked on.`, { kind: "error", action: show });
  else if (job.state === "done" && job.kind !== "read")
    app.toast(`${titleOf(job)}: done in ${tookInWords(job.started, job.ended)}.`, { kind: "done" });
}

/** @param {App} app */
function jobList(app) {
  const { jobs } = app.openStudy;
  /** @type {Map<string, {job: Job, row: ReturnType<typeof jobRow>}>} */
  const rows = new Map();
  const list = h("ul.popover-list");
  const show = () => {
    const shown = jobs.all.slice(0, MOST);
    for (const job of shown) {
      const before = rows.get(job.id);
      if (before?.job.state === job.state) before.row.update(job);
      else rows.set(job.id, { job, row: jobRow(app, job) });
    }
    const nodes = shown.map((job) => rows.get(job.id)?.row.element);
    if (nodes.some((node, k) => list.children[k] !== node) || nodes.length !== list.children.length)
      fill(list, nodes.length ? nodes : h("li.quiet-text", {}, "Nothing was worked on yet."));
  };
  const off = jobs.on("change", show);
  show();
  return { element: [h("h2.popover-title", {}, "Jobs"), list], close: off };
}

/** @param {App} app @param {Job} job */
function jobRow(app, job) {
  const { jobs, readOnly } = app.openStudy;
  const bar = ["running", "stopping"].includes(job.state) ? progressBar(titleOf(job)) : null;
  const act = (/** @type {(id: string) => Promise<void>} */ run) => () =>
    run.call(jobs, job.id).catch((error) => app.error(error));
  const button = (/** @type {string} */ text, /** @type {() => any} */ run) =>
    h("button.quiet.small", { type: "button", onclick: run }, text);
  const failed = Object.keys(failedOf(job)).length;
  const state = failed ? "failed" : job.state;
  const said = failed ? `${STATES[job.state]}, ${counted(failed, "image")} failed` : STATES[job.state];
  const element = h(
    "li.job",
    {},
    h("div.row", {}, h("strong.grow", {}, titleOf(job)), h(`span.job-state.job-${state}`, {}, said)),
    h(
      "p.quiet-text",
      {},
      [whenInWords(job.created), job.who, tookInWords(job.started, job.ended)].filter(Boolean).join(" · "),
    ),
    job.error && h("p.job-error", {}, job.error),
    failed > 0 && h("ul.job-error", {}, failuresOf(app, job)),
    bar?.element,
    h(
      "div.row.end.tight",
      {},
      button("Log", () => showLog(app, job)),
      !readOnly && ["queued", "running"].includes(job.state) && button("Cancel", act(jobs.cancel)),
      !readOnly && ["interrupted", "cancelled", "failed"].includes(job.state) && button("Resume", act(jobs.resume)),
    ),
  );
  const update = (/** @type {Job} */ now) => bar?.show(jobs.progress(now));
  update(job);
  return { element, update };
}

/** The first images that failed, with why. @param {App} app @param {Job} job */
function failuresOf(app, job) {
  const all = Object.entries(failedOf(job));
  const rows = all
    .slice(0, FAILURES)
    .map(([id, reason]) => h("li", {}, `${app.openStudy.images.find(id)?.name ?? id}: ${reason}`));
  const more = all.length - rows.length;
  return [rows, more > 0 && h("li", {}, `${counted(more, "more image")}: see the log`)];
}

/** Show what was said of a job. @param {App} app @param {Job} job */
export async function showLog(app, job) {
  const { openStudy: study } = app;
  try {
    const lines = await study.get(at`jobs/${job.id}/log`, { limit: 1000 });
    const failed = Object.entries(failedOf(job)).map(([id, reason]) =>
      h("li", {}, h("strong", {}, study.images.find(id)?.name ?? id), h("p.quiet-text", {}, String(reason))),
    );
    const rows = lines
      .filter((/** @type {any} */ line) => !FIGURES.has(line.kind))
      .map((/** @type {any} */ line) =>
        h("li", {}, h("span.quiet-text.number", {}, line.at.slice(11, 19)), h("span.log-text", {}, line.text)),
      );
    openDialog(titleOf(job), [failed.length > 0 && h("ul.refusals", {}, failed), h("ul.log", {}, rows)], {
      wide: true,
    });
  } catch (error) {
    app.error(error);
  }
}
