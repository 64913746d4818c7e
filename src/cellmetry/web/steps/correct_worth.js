/** What the server says is worth correcting, and which fields were reviewed. @module */
import { ApiError } from "../kernel/api.js";

/** @typedef {import("../app/study.js").Study} Study */
/**
 * @typedef {object} Task Something to look at.
 * @property {string} key
 * @property {string} image
 * @property {string|null} labels
 * @property {number} t
 * @property {number} z
 * @property {number[]} box y0, y1, x0, x1
 * @property {number[]} ids
 * @property {string} reason
 * @property {number|null} effect Share of the result that it may move.
 * @property {string|null} question Id of the question of a rebase, if it is one.
 */
/**
 * @typedef {object} Worth
 * @property {Task[]} tasks The most worth first.
 * @property {number|null} reviewed
 * @property {number|null} total
 * @property {boolean} stop
 * @property {string} advice
 * @property {boolean} ranked Whether the server ranks at all.
 */

const LIMIT = 50;
/** Whether this server ranks what is worth correcting. */
const RANKS = false;

/** @param {Study} study @param {string|null} name Of the labels. @returns {Promise<Worth>} */
export async function worthOf(study, name) {
  const [questions, said] = await Promise.all([questionsOf(study), queueOf(study, name)]);
  const tasks = [...questions, ...(said?.items ?? []).map(taskOf)];
  const { reviewed = null, total = null, stop = false, advice = "" } = said ?? {};
  return { tasks, reviewed, total, stop, advice, ranked: said !== null };
}

/** Note that somebody has looked at a field and put right what was wrong. @param {Study} study @param {Task} task @returns {Promise<{act: number|null}>} */
export const markReviewed = (study, { image, t, z, box }) => study.put("reviewed", { image, t, z, box });

/** @param {Study} study @param {string|null} name @returns {Promise<any>} Null where nothing can be ranked. */
async function queueOf(study, name) {
  if (name === null || !RANKS) return null;
  try {
    return await study.get("queue", { labels: name, limit: LIMIT });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** @param {any} said @returns {Task} */
function taskOf(said) {
  const { image, labels = null, t = 0, z = 0, box, ids = [], reason = "", effect = null } = said;
  return { key: `${image} ${t} ${z} ${box.join()} ${ids.join()}`, image, labels, t, z, box, ids, reason, effect, question: null };
}

/** @param {Study} study @returns {Promise<Task[]>} */
async function questionsOf(study) {
  const open = await study.get("questions");
  return open.flatMap((/** @type {any} */ said) => {
    const { id, labels_id: labels, text, t, z, object } = said;
    const image = study.labels.find(labels)?.image;
    const box = [said.box.y0, said.box.y1, said.box.x0, said.box.x1];
    return image ? [{ key: id, image, labels, t, z, box, ids: [object], reason: text, effect: null, question: id }] : [];
  });
}
