/** @module */

/** Something that tells others by name when something happens. */
export class Emitter {
  /** @type {Map<string, Set<(said: any) => void>>} */
  #heard = new Map();

  /**
   * Call `listener` whenever `name` is told; return what ends that.
   * @param {string} name
   * @param {(said: any) => void} listener
   * @returns {() => void}
   */
  on(name, listener) {
    const all = this.#heard.get(name) ?? new Set();
    this.#heard.set(name, all.add(listener));
    return () => all.delete(listener);
  }

  /** @param {string} name @param {any} [said] */
  tell(name, said) {
    for (const listener of [...(this.#heard.get(name) ?? [])]) listener(said);
  }
}
