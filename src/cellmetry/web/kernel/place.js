/**
 * Where a person is: study, step and what is looked at, kept in the page's address, so that reload and bookmarks work.
 *
 * `#/STUDY/STEP?image=ID&z=3` - the fragment is never sent to the server.
 * @module
 */
import { Emitter } from "./emitter.js";

/** Whether a value has names and values. @param {any} value */
export const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Tells `move` with the new place. */
class Place extends Emitter {
  constructor() {
    super();
    addEventListener("hashchange", () => this.tell("move", this));
  }

  get study() {
    return this.#parts()[0] || null;
  }

  get step() {
    return this.#parts()[1] || null;
  }

  /** @param {string} name */
  get(name) {
    return this.#query().get(name);
  }

  /**
   * What was noted as JSON; null where nothing was, or where it is no such thing: the address was spoiled, and forgets it.
   * @param {string} name @param {(value: any) => boolean} fits
   */
  read(name, fits) {
    const text = this.get(name);
    if (text === null) return null;
    try {
      const value = JSON.parse(text);
      if (fits(value)) return value;
    } catch {
      // no JSON; forgotten below
    }
    this.note({ [name]: null });
    return null;
  }

  /**
   * Go to a step of a study, as a new entry of the browser's history.
   * @param {string|null} study @param {string|null} [step] @param {Record<string, any>} [query]
   */
  go(study, step = null, query = {}) {
    location.hash = fragment(study, step, new URLSearchParams(kept(query)));
  }

  /**
   * Note what is looked at, without a new entry of the history and without telling anybody.
   * @param {Record<string, any>} query What is null is left out; the rest of the address stays.
   */
  note(query) {
    const now = this.#query();
    for (const [name, value] of Object.entries(query)) {
      if (value === null || value === undefined) now.delete(name);
      else now.set(name, String(value));
    }
    history.replaceState(null, "", fragment(this.study, this.step, now));
  }

  #parts() {
    return location.hash.replace(/^#\/?/, "").split("?")[0].split("/").map(decodeURIComponent);
  }

  #query() {
    return new URLSearchParams(location.hash.split("?")[1] ?? "");
  }
}

/** @param {Record<string, any>} query */
function kept(query) {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== null && value !== undefined));
}

/** @param {string|null} study @param {string|null} step @param {URLSearchParams} query */
function fragment(study, step, query) {
  const path = [study, step].filter((part) => part !== null).map((part) => encodeURIComponent(String(part)));
  const asked = query.toString();
  return `#/${path.join("/")}${asked ? `?${asked}` : ""}`;
}

export const place = new Place();
