/** Server-Sent Events that go on where they stopped, and rest while nobody looks at the page. @module */
import { address } from "../kernel/api.js";

/**
 * A stream of events of the server.
 *
 * A browser has few connections to one server, so a page in the background holds none; when it is seen again it asks
 * for what it missed. Where the stream cannot be had at all, `onlost` is called, so that its owner may ask instead.
 */
export class Stream {
  /** @type {EventSource|null} */
  #source = null;
  #ended = false;
  #path;
  #hear;
  #last;
  #lost;

  /**
   * @param {string} path Below `/api/v1/`.
   * @param {Record<string, (data: any) => void>} hear What to do by the name of the event, with its data.
   * @param {{after?: number|null, onlost?: () => void}} [more] `after`: number of the last event that is known.
   */
  constructor(path, hear, { after = null, onlost = () => {} } = {}) {
    this.#path = path;
    this.#hear = hear;
    this.#last = after;
    this.#lost = onlost;
    document.addEventListener("visibilitychange", this.#seen);
    this.#seen();
  }

  /** Hear no more. */
  close() {
    this.#ended = true;
    document.removeEventListener("visibilitychange", this.#seen);
    this.#rest();
  }

  /** Ask again, from where it stopped, after the stream was refused. */
  again() {
    this.#rest();
    this.#seen();
  }

  #seen = () => {
    if (document.hidden) this.#rest();
    else if (!this.#source && !this.#ended) this.#open();
  };

  #rest() {
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    const source = (this.#source = new EventSource(address(this.#path, { after: this.#last })));
    for (const [name, hear] of Object.entries(this.#hear)) {
      source.addEventListener(name, (event) => {
        const message = /** @type {MessageEvent} */ (event);
        if (message.lastEventId) this.#last = Number(message.lastEventId);
        if (message.data) hear(JSON.parse(message.data));
      });
    }
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
      this.#rest();
      if (!this.#ended) this.#lost();
    });
  }
}
