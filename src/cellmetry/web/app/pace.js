/** How fast a job goes, and how long the rest takes. @module */

/**
 * The pace of one job, by the times at which its progress was told; another task begins anew. What is done first takes
 * longer, since a model is loaded meanwhile, so it counts only until there is more.
 */
export class Pace {
  #task = "";
  #first = { at: 0, done: 0 };
  /** When the first was done. @type {{at: number, done: number}|null} */
  #warm = null;
  #last = { at: 0, done: 0 };

  /** @param {{at: string, task: string, done: number}} said */
  note({ at, task, done }) {
    const now = { at: Date.parse(at), done };
    if (task !== this.#task || done < this.#last.done) {
      this.#first = now;
      this.#warm = null;
    }
    if (done > this.#first.done) this.#warm ??= now;
    this.#task = task;
    this.#last = now;
  }

  /**
   * Return the seconds that are left, null where nothing can be said yet.
   * @param {number} total
   * @returns {number|null}
   */
  secondsLeft(total) {
    const from = this.#warm && this.#last.done > this.#warm.done ? this.#warm : this.#first;
    const done = this.#last.done - from.done;
    if (done <= 0 || total <= 0) return null;
    const each = (this.#last.at - from.at) / 1000 / done;
    return Math.max(0, each * (total - this.#last.done));
  }
}

/**
 * Return a time span as people say it: "about 2 min left".
 * @param {number|null} seconds
 */
export function leftInWords(seconds) {
  if (seconds === null) return "";
  if (seconds < 10) return "a few seconds left";
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} s left`;
  if (seconds < 3600) return `about ${Math.round(seconds / 60) || 1} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}
