/** What the server says is worth correcting, and which fields were reviewed. @module */
/** @typedef {import("../../app/study.js").Study} Study */
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
 * @property {Task[]} open Fields that nobody has looked through.
 * @property {number} reviewed Fields that somebody has looked through.
 * @property {number} total
 * @property {boolean} stop Whether the result would hardly move any more.
 * @property {string} advice
 * @property {boolean} guessed Whether the network has not looked at these labels, or not since they are as they are.
 * @property {boolean} stale
 */

const LIMIT = 50;

/** @type {Worth} */
export const NOTHING = {
  tasks: [],
  open: [],
  reviewed: 0,
  total: 0,
  stop: false,
  advice: "",
  guessed: false,
  stale: false,
};

/**
 * @param {Study} study @param {string|null} name Of the labels. @param {string} result That is to be right.
 * @returns {Promise<Worth>}
 */
export async function worthOf(study, name, result) {
  if (name === null) return NOTHING;
  const asked = { labels: name, result, limit: LIMIT };
  const [questions, said] = await Promise.all([questionsOf(study), study.get("queue", asked)]);
  const tasks = [...questions, ...said.items.map(taskOf)];
  const { reviewed, total, stop, advice, stale, evidence } = said;
  const open = said.open.map(fieldTask);
  return { tasks, open, reviewed, total, stop, advice, stale, guessed: evidence === "sizes" };
}

/** @param {any} said @returns {Task} */
function taskOf(said) {
  const { image, labels, t, z, box, ids, reason, effect } = said;
  const key = `${image} ${t} ${z} ${ids.length ? ids.join() : box.join()}`;
  return { key, image, labels, t, z, box, ids, reason, effect, question: null };
}

/** @param {any} said @returns {Task} */
const fieldTask = (said) => taskOf({ ...said, ids: [], reason: "Not looked through yet", effect: null });

/** @param {Study} study @returns {Promise<Task[]>} */
async function questionsOf(study) {
  const open = await study.get("questions");
  return open.flatMap((/** @type {any} */ said) => {
    const { id, labels_id: labels, text, t, z, object } = said;
    const image = study.labels.find(labels)?.image;
    const box = [said.box.y0, said.box.y1, said.box.x0, said.box.x1];
    const task = { key: id, image, labels, t, z, box, ids: [object], reason: text, effect: null, question: id };
    return image ? [task] : [];
  });
}
