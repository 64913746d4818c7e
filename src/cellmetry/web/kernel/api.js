/**
 * The REST API. Addresses are relative to the page, so the app runs below any path.
 * @module
 */

const ROOT = new URL("api/v1/", document.baseURI);
const AWAY = "The server cannot be reached.";
const UNSAVED = "What you did last is not saved.";
/** What is asked by POST for its long questions. */
const ASKING = /\/(check|count|masks|place|preview|propose|query|summary|values|warm)$/;

/** What the server said no to, in its own words. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status; 0 if the server did not answer.
   * @param {{kind?: string, message?: string, [more: string]: any}} said
   */
  constructor(status, said) {
    super(said.message ?? `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.kind = said.kind ?? "unknown";
    this.said = said;
  }
}

/**
 * Return the address of a part of the API.
 * @param {string} path Below `/api/v1/`, its parts encoded (see `at`).
 * @param {Record<string, any>} [query] Left out where null or undefined; lists are repeated.
 */
export function address(path, query = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(each));
  }
  return url;
}

/**
 * Return a path of encoded parts: at`studies/${study}/images`.
 * @param {TemplateStringsArray} strings
 * @param {...any} values
 */
export function at(strings, ...values) {
  return strings.reduce((path, part, k) => path + encodeURIComponent(String(values[k - 1])) + part);
}

/**
 * Return the server's answer, whatever its type.
 *
 * @param {string} method
 * @param {string} path
 * @param {{query?: Record<string, any>, body?: any, form?: FormData, signal?: AbortSignal, headers?: Record<string, string>}} [more]
 * @returns {Promise<Response>}
 * @throws {ApiError} Where the server refuses, fails, or cannot be reached (status 0).
 */
export async function request(method, path, { query, body, form, signal, headers = {} } = {}) {
  /** @type {Record<string, string>} */
  const sent = { "X-Cellmetry-Via": "web", ...headers };
  if (method !== "GET") sent["X-Cellmetry"] = "1";
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address(path, query), {
      method,
      headers: sent,
      body: form ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { kind: "unreachable", message: asksOnly(method, path) ? AWAY : `${AWAY} ${UNSAVED}` });
  }
  if (answer.ok) return answer;
  throw new ApiError(answer.status, await saidBy(answer));
}

/** Whether a request leaves all as it is. @param {string} method @param {string} path */
const asksOnly = (method, path) => method === "GET" || ASKING.test(path);

/** @param {Response} answer */
async function saidBy(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error ?? { message: text };
  } catch {
    return { message: text || answer.statusText };
  }
}

/** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function get(path, query, signal) {
  return (await request("GET", path, { query, signal })).json();
}

/** @param {string} path @param {any} [body] @param {AbortSignal} [signal] @returns {Promise<any>} */
export const post = (path, body = {}, signal) => changed("POST", path, body, signal);

/** @param {string} path @param {any} [body] @returns {Promise<any>} */
export const patch = (path, body = {}) => changed("PATCH", path, body);

/** @param {string} path @param {any} [body] @returns {Promise<any>} */
export const put = (path, body = {}) => changed("PUT", path, body);

/** @param {string} path @returns {Promise<any>} */
export const remove = (path) => changed("DELETE", path);

/** @param {string} method @param {string} path @param {any} [body] @param {AbortSignal} [signal] */
async function changed(method, path, body, signal) {
  const answer = await request(method, path, { body, signal });
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}
