/** The parts of a job that does unlike things one after the other, so that its bar fills once. @module */
import { leftInWords } from "./pace.js";

/** @typedef {import("./jobs.js").Job} Job */
/**
 * @typedef {object} Part
 * @property {string} title
 * @property {number} share Of the whole bar.
 * @property {[string, string][]} tasks Those of the job in their order, with what each of them counts.
 */
/**
 * @typedef {object} Far How far a job is as a whole.
 * @property {number} share From 0 to 1.
 * @property {string} words
 * @property {string} left What is said of the time left while nobody knows that of the whole.
 */

/** The task of a training that takes the time that it was given. */
const LEARNING = "Training";

/** @type {Record<string, Part[]>} */
const PARTS = {
  train: [
    {
      title: "preparing",
      share: 0.15,
      tasks: [
        ["prepare", "images written"],
        ["beginning", ""],
        ["Preparing images", "images prepared"],
      ],
    },
    { title: "learning", share: 0.7, tasks: [[LEARNING, "steps learnt"]] },
    {
      title: "judging",
      share: 0.15,
      tasks: [
        ["judging", ""],
        ["images", "held-out images judged"],
        ["segmenting", "held-out images segmented"],
      ],
    },
  ],
};

/**
 * Return how far a job is as a whole; null for jobs of one part.
 * @param {Job} job @param {number|null} secondsLeft Of its task.
 * @returns {Far|null}
 */
export function farOf(job, secondsLeft) {
  const parts = PARTS[job.kind];
  if (!parts || !job.task) return null;
  const at = parts.findIndex((part) => part.tasks.some(([task]) => task === job.task));
  if (at < 0) return { share: 0, words: `${job.task}…`, left: "" }; // the bar stays where it was
  const { title, share, tasks } = parts[at];
  const k = tasks.findIndex(([task]) => task === job.task);
  const before = parts.slice(0, at).reduce((all, part) => all + part.share, 0);
  const within = (k + (job.total > 0 ? job.done / job.total : 0)) / tasks.length;
  const counts =
    tasks[k][1] && `: ${job.done.toLocaleString("en")} of ${job.total.toLocaleString("en")} ${tasks[k][1]}`;
  return {
    share: before + share * within,
    words: `Part ${at + 1} of ${parts.length}, ${title}${counts || "…"}`,
    left: leftOf(job, parts.length - at - 1, secondsLeft),
  };
}

/** @param {Job} job @param {number} more Parts that follow. @param {number|null} secondsLeft */
function leftOf({ task, parameters: { minutes } }, more, secondsLeft) {
  if (task === LEARNING) return secondsLeft === null ? "" : `${leftInWords(secondsLeft)}, then judging`;
  return more > 0 && minutes ? `then ${minutes} min of learning` : "";
}

/**
 * Return how many seconds a job may still take as one before it took; null where none tells.
 * @param {Job} job @param {Job} before One that is done. @param {number} now
 */
export function leftAsBefore(job, before, now) {
  if (!job.started || !before.started || !before.ended) return null;
  const took = (Date.parse(before.ended) - Date.parse(before.started)) / 1000;
  const left = wholeAs(job, before, took) - (now - Date.parse(job.started)) / 1000;
  return left > 0 ? left : null;
}

/** @param {Job} job @param {Job} before @param {number} took */
function wholeAs(job, before, took) {
  if (!PARTS[job.kind]) return before.total > 0 ? (took * job.total) / before.total : Number.NaN;
  const [minutes, then] = [job.parameters.minutes, before.parameters.minutes];
  return minutes && then ? took + 60 * (minutes - then) : Number.NaN;
}
