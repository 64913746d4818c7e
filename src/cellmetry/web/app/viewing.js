/** Where the viewer comes from. @module */
import { Viewer } from "../viewer/viewer.js";

/**
 * Make the viewer of a study in an element.
 * @param {HTMLElement} host
 * @param {string} studyPath `studies/ID/`.
 */
export const makeViewer = async (host, studyPath) => new Viewer(host, studyPath);
