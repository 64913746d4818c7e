/** The methods of a report, as text for a paper. @module */

/** @type {Record<string, string>} */
const LETTERS = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&#39;": "'", "&amp;": "&", "&nbsp;": " " };

/**
 * Return the paragraphs of the section "Methods" of a report in HTML. It is taken as text, never shown as HTML.
 * @param {string} html
 * @returns {string[]}
 */
export function methodsIn(html) {
  const start = html.search(/<h2[^>]*>Methods<\/h2>/);
  if (start < 0) return [];
  const rest = html.slice(html.indexOf("</h2>", start) + 5);
  const end = rest.indexOf("<h2");
  const section = end < 0 ? rest : rest.slice(0, end);
  return section
    .split(/<\/(?:p|li|h3|figcaption|tr)>/)
    .map(plain)
    .filter(Boolean);
}

/** @param {string} html */
function plain(html) {
  const text = html
    .replace(/<[^>]*>/g, " ")
    .replace(/&(?:lt|gt|quot|amp|nbsp|#39|#x27);/g, (letter) => LETTERS[letter]);
  return text
    .replace(/\s+/g, " ")
    .replace(/ ([.,;:)])/g, "$1")
    .trim();
}
