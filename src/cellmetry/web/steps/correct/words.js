/** What edits do, in words. @module */

/** @type {Record<string, string>} */
const DONE = {
  brush: "Painted",
  erase: "Erased",
  draw: "Drew",
  fill: "Filled a gap",
  fill_holes: "Filled holes",
  merge: "Merged",
  merge_along: "Merged",
  split: "Split",
  watershed: "Split where narrow",
  part_apart: "Separated parts",
  delete: "Deleted",
  delete_inside: "Deleted",
  grow: "Grew",
  shrink: "Shrank",
  relabel: "Renumbered",
  copy_plane: "Copied to another plane",
  replace: "Replaced pixels",
  rebase: "Carried your corrections over to the new segmentation",
  restore: "Brought an older version back",
  answer: "Answered a question",
  undo: "Undid",
  redo: "Redid",
};
const MOST = 3;

/**
 * Return what an edit did: "Split cell 17", "Deleted 12 cells".
 * @param {{operation: string, ids: number[]}} edit
 */
export function doneInWords({ operation, ids }) {
  const done = DONE[operation] ?? operation.replaceAll("_", " ");
  if (!ids.length) return done;
  return `${done} · ${cellsInWords(ids)}`;
}

/** @param {number[]} ids */
function cellsInWords(ids) {
  if (ids.length === 1) return `cell ${ids[0]}`;
  return ids.length <= MOST ? `cells ${ids.join(", ")}` : `${ids.length.toLocaleString("en")} cells`;
}
