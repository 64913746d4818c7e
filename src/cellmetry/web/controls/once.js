/** A button is not pressed twice while what it began is under way. @module */

/**
 * Do something, unless the former press of the button is still at it; the button keeps the focus and says that it is busy.
 * @param {HTMLElement} button @param {() => Promise<any>} work
 */
export async function once(button, work) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  try {
    await work();
  } finally {
    button.ariaBusy = null;
  }
}
