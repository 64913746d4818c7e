/** Files on their way into a study, part by part, with what the server refused. @module */
import { ApiError, address } from "../kernel/api.js";
import { Emitter } from "../kernel/emitter.js";

/** @typedef {import("./study.js").Study} Study */
/** @typedef {{file: File, name: string}} Sent A file with the name that it has for people, its folders included. */
/** @typedef {{name: string, reason: string}} Refusal */
/** @typedef {import("./images.js").ImageView} ImageView */
/** @typedef {{image: ImageView, twin: ImageView}} Copy An image that came, and the one of the same content before it. */

const MOST_FILES = 60;
const MOST_BYTES = 400e6;
const NEVER = /(^|\/)(\.|__MACOSX\/|thumbs\.db$|desktop\.ini$)/i;

/** Suffixes of texts, tables and the like that often lie beside images. */
const NO_IMAGES = new Set(
  "txt csv tsv md log ini pdf rtf doc docx odt xls xlsx ods ppt pptx html htm json yaml yml toml py r ipynb ijm zip".split(
    " ",
  ),
);
/** Folders that are one image: what lies in them belongs to it. */
const OF_AN_IMAGE = /\.(zarr|files)\//i;

/** Whether a file is certainly no image, by its name. @param {string} name */
const isNoImage = (name) =>
  !OF_AN_IMAGE.test(name) && NO_IMAGES.has((/\.([^./]+)$/.exec(name)?.[1] ?? "").toLowerCase());

/** Sends files one request after another. Tells `change` as bytes go, and `done` when all were sent. */
export class Uploads extends Emitter {
  /** Bytes. */
  sent = 0;
  /** Bytes. */
  total = 0;
  files = 0;
  /** Images that came of them. */
  images = 0;
  busy = false;
  /** @type {Refusal[]} */
  refused = [];
  /** Names of files that are no images, which stayed away. @type {string[]} */
  skipped = [];
  /** Images that were there already. @type {Copy[]} */
  copies = [];
  /** What came since this began. @type {ImageView[]} */
  #came = [];
  /** @type {{files: Sent[], reading: any}[]} */
  #queue = [];
  /** @type {XMLHttpRequest|null} */
  #request = null;
  #study;

  /** @param {Study} study */
  constructor(study) {
    super();
    this.#study = study;
  }

  /**
   * Send files; those that no microscope wrote (hidden files, texts) are left out, the texts by name.
   * @param {Sent[]} files
   * @param {Record<string, any>} [reading] What the files do not say; with a `pattern` they are sent together.
   */
  async add(files, reading = {}) {
    const seen = files.filter(({ name }) => !NEVER.test(name));
    const wanted = seen.filter(({ name }) => !isNoImage(name));
    const begun = { sent: 0, total: 0, files: 0, images: 0, refused: [], skipped: [], copies: [] };
    if (!this.busy) Object.assign(this, begun);
    if (!this.busy) this.#came = [];
    this.skipped.push(...seen.filter(({ name }) => isNoImage(name)).map(({ name }) => name));
    this.files += wanted.length;
    this.total += wanted.reduce((sum, { file }) => sum + file.size, 0);
    const sent = reading.pattern ? [wanted] : parts(wanted);
    for (const files of sent) if (files.length) this.#queue.push({ files, reading });
    this.tell("change", this);
    if (!this.busy) await this.#run();
  }

  /** Send no more; what has arrived stays. */
  stop() {
    this.#queue = [];
    this.#request?.abort();
  }

  async #run() {
    this.busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) await this.#sendPart(next);
    this.busy = false;
    this.tell("change", this);
    this.tell("done", this);
  }

  /** @param {{files: Sent[], reading: any}} part */
  async #sendPart({ files, reading }) {
    const before = this.sent;
    try {
      const images = await this.#send(files, reading, (bytes) => this.#sentOf(before + bytes));
      this.images += images.length;
      this.#note(images);
      this.#sentOf(before + files.reduce((sum, { file }) => sum + file.size, 0));
      this.#study.images.load().catch((error) => this.#study.tell("failed", error));
    } catch (error) {
      this.#refuse(files, reading, /** @type {ApiError} */ (error), before);
    }
  }

  /** Find copies of images that were there before: of the same content, from other files. @param {ImageView[]} images */
  #note(images) {
    for (const image of images) {
      const isTwin = (/** @type {ImageView} */ other) =>
        other.id !== image.id && other.sha256 === image.sha256 && other.files.join() !== image.files.join();
      const twin = [...this.#study.images.all, ...this.#came].find(isTwin);
      if (twin) this.copies.push({ image, twin });
      this.#came.push(image);
    }
  }

  /**
   * A part is taken as a whole or not at all: leave the file out that the server names, or try each by itself.
   * @param {Sent[]} files @param {any} reading @param {ApiError} error @param {number} before
   */
  #refuse(files, reading, error, before) {
    this.#sentOf(before);
    if (error.kind === "stopped") return;
    const named = files.filter(({ name }) => error.message.includes(/** @type {string} */ (name.split("/").pop())));
    const away = error.status === 0 || error.status >= 500;
    const final = reading.pattern || away || [401, 403, 423].includes(error.status);
    const bad = final || files.length === 1 ? files : named.length === 1 ? named : [];
    this.refused.push(...bad.map(({ name }) => ({ name, reason: error.message })));
    this.#sentOf(before + bad.reduce((sum, { file }) => sum + file.size, 0));
    const rest = files.filter((file) => !bad.includes(file));
    if (bad.length && rest.length) this.#queue.unshift({ files: rest, reading });
    else this.#queue.unshift(...rest.map((file) => ({ files: [file], reading })));
  }

  /** @param {number} bytes */
  #sentOf(bytes) {
    this.sent = Math.min(bytes, this.total);
    this.tell("change", this);
  }

  /**
   * Only this kind of request says how far it is.
   * @param {Sent[]} files @param {any} reading @param {(bytes: number) => void} onbytes
   * @returns {Promise<any[]>}
   */
  #send(files, reading, onbytes) {
    const form = new FormData();
    if (Object.keys(reading).length) form.append("reading", JSON.stringify(reading));
    for (const { file, name } of files) form.append("files", file, name);
    const request = (this.#request = new XMLHttpRequest());
    request.open("POST", address(`${this.#study.path}images`));
    request.setRequestHeader("X-Cellmetry", "1");
    request.setRequestHeader("X-Cellmetry-Via", "web");
    request.upload.addEventListener("progress", (event) => onbytes(event.loaded));
    return new Promise((answer, refuse) => {
      request.addEventListener("load", () =>
        request.status < 300 ? answer(JSON.parse(request.responseText)) : refuse(errorOf(request)),
      );
      request.addEventListener("abort", () => refuse(new ApiError(0, { kind: "stopped", message: "Stopped." })));
      request.addEventListener("error", () =>
        refuse(new ApiError(0, { kind: "unreachable", message: "The server cannot be reached; send it again." })),
      );
      request.send(form);
    });
  }
}

/** @param {Sent[]} files @returns {Sent[][]} */
function parts(files) {
  /** @type {Sent[][]} */
  const all = [[]];
  let bytes = 0;
  for (const each of files) {
    bytes += each.file.size;
    const last = /** @type {Sent[]} */ (all.at(-1));
    if (last.length && (last.length >= MOST_FILES || bytes > MOST_BYTES)) {
      all.push([each]);
      bytes = each.file.size;
    } else last.push(each);
  }
  return all;
}

/** @param {XMLHttpRequest} request */
function errorOf(request) {
  try {
    return new ApiError(request.status, JSON.parse(request.responseText).error ?? {});
  } catch {
    return new ApiError(request.status, { message: request.responseText || `The server answered ${request.status}.` });
  }
}
