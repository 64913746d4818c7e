/** Times as people say them. @module */

const DAY = 86_400_000;

/**
 * Return when something was: "14:03", "yesterday 14:03", "3 May 14:03".
 * @param {string} at ISO time.
 */
export function whenInWords(at) {
  const then = new Date(at);
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const today = new Date().setHours(0, 0, 0, 0);
  if (then.getTime() >= today) return time;
  if (then.getTime() >= today - DAY) return `yesterday ${time}`;
  const year = then.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return `${then.toLocaleDateString("en-GB", { day: "numeric", month: "short", year })} ${time}`;
}

/**
 * Return how long something took: "12 s", "3 min 20 s".
 * @param {string|null} from @param {string|null} to
 */
export function tookInWords(from, to) {
  if (!from || !to) return "";
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
