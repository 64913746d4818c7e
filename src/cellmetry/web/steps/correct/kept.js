/** Edits that are not saved yet, kept in this browser so that a reload or a crash loses none. @module */

/** @typedef {import("./edits.js").Item} Item */
/** @typedef {{study: string, session: string, load: string, at: string, items: Item[]}} Kept `load`: which page. */

const PREFIX = "cellmetry.unsent.";
const SESSION = "cellmetry.session";
const OLD_MS = 60_000;
const WAIT_MS = 1000;

/** Name of this window to the server: the same after a reload, another in another window. */
export class WindowName {
  #free = () => {};

  /** @param {string} id */
  constructor(id) {
    this.id = id;
  }

  /** @returns {Promise<WindowName>} */
  static async take() {
    const { id } = JSON.parse(sessionStorage.getItem(SESSION) ?? "{}");
    const former = new WindowName(id ?? "");
    if (id && (await former.#hold())) return former;
    const fresh = new WindowName(`web-${randomWord()}`);
    await fresh.#hold();
    sessionStorage.setItem(SESSION, JSON.stringify({ id: fresh.id }));
    return fresh;
  }

  release() {
    this.#free();
  }

  /**
   * Hold the name, so that a copy of this tab takes another; after a reload it takes a moment until it is free.
   * @returns {Promise<boolean>}
   */
  #hold() {
    if (!navigator.locks) return Promise.resolve(true);
    return new Promise((answer) => {
      const held = new Promise((free) => (this.#free = () => free(undefined)));
      const taken = () => {
        answer(true);
        return held;
      };
      const signal = AbortSignal.timeout(WAIT_MS);
      navigator.locks.request(PREFIX + this.id, { signal }, taken).catch(() => answer(false));
    });
  }
}

/** A name of this page, another after a reload. */
export const newLoad = () => randomWord();

/** @returns {string} */
function randomWord() {
  return [...crypto.getRandomValues(new Uint32Array(3))].map((each) => each.toString(36)).join("");
}

/** Keep what is not saved; nothing is kept of an empty list. @param {Omit<Kept, "at">} kept */
export function keep(kept) {
  const key = `${PREFIX}${kept.study}.${kept.session}.${kept.load}`;
  try {
    if (kept.items.length) localStorage.setItem(key, JSON.stringify({ ...kept, at: new Date().toISOString() }));
    else localStorage.removeItem(key);
  } catch {
    // A browser that keeps nothing, or has no room: the page still holds them, and warns before it is left.
  }
}

/** @param {Kept} kept */
export const forget = (kept) => keep({ ...kept, items: [] });

/**
 * Return what was kept of a study by windows that are no longer there, the oldest first.
 * @param {string} study @param {{id: string, load: string}} own This window, whose edits of before a reload count too.
 * @returns {Promise<Kept[]>}
 */
export async function leftOf(study, own) {
  const held = await heldNames();
  const isLeft = (/** @type {Kept} */ kept) =>
    kept.session === own.id
      ? kept.load !== own.load
      : held
        ? !held.has(PREFIX + kept.session)
        : Date.now() - Date.parse(kept.at) > OLD_MS;
  return allOf(study)
    .filter(isLeft)
    .sort((a, b) => a.at.localeCompare(b.at));
}

/** @returns {Promise<Set<string|undefined>|null>} Null where the browser cannot say. */
async function heldNames() {
  if (!navigator.locks) return null;
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map((lock) => lock.name));
}

/** @param {string} study @returns {Kept[]} */
function allOf(study) {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(`${PREFIX}${study}.`))
      .map((key) => JSON.parse(localStorage.getItem(key) ?? "null"))
      .filter((kept) => kept?.items?.length);
  } catch {
    return [];
  }
}
