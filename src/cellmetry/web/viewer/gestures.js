/**
 * Pointer, wheel, fingers and keys: what they do with the camera and what they hand to the tool.
 * @module
 */

/** @typedef {import("./viewer.js").Viewer} Viewer */

const CLICK_PX = 4;
const STEP_PX = 80;
const KEY_ZOOM = 1.3;

/** Listens at the canvas of a viewer. */
export class Gestures {
  #viewer;
  #element;
  /** @type {Map<number, {x: number, y: number}>} Where pointers are that are down. */
  #down = new Map();
  /** @type {"pan"|"tool"|"pinch"|null} */
  #doing = null;
  #moved = 0;
  #space = false;
  #inside = false;
  #ending = new AbortController();

  /** @param {Viewer} viewer @param {HTMLElement} element */
  constructor(viewer, element) {
    this.#viewer = viewer;
    this.#element = element;
    this.#listen("pointerdown", (event) => this.#press(event));
    this.#listen("pointermove", (event) => this.#move(event));
    this.#listen("pointerup", (event) => this.#release(event));
    this.#listen("pointercancel", (event) => this.#release(event));
    this.#listen("pointerenter", () => (this.#inside = true));
    this.#listen("pointerleave", () => this.#leave());
    this.#listen("wheel", (event) => this.#wheel(event), { passive: false });
    this.#listen("dblclick", (event) => event.preventDefault());
    this.#listen("keydown", (event) => this.#key(event));
    const { signal } = this.#ending;
    addEventListener("keydown", (event) => this.#spaceDown(event), { signal });
    addEventListener("keyup", (event) => event.code === "Space" && this.#setSpace(false), { signal });
    addEventListener("blur", () => this.#setSpace(false), { signal });
  }

  #leave() {
    this.#inside = false;
    this.#viewer.hover(null);
  }

  /**
   * The space bar makes any drag a pan while the pointer is here, unless it is for a control.
   * @param {KeyboardEvent} event
   */
  #spaceDown(event) {
    const free = [null, document.body, this.#element].includes(/** @type {any} */ (document.activeElement));
    if (event.code !== "Space" || event.ctrlKey || event.metaKey || !free || !this.#inside) return;
    event.preventDefault();
    this.#setSpace(true);
  }

  /** @param {string} name @param {(event: any) => void} run @param {AddEventListenerOptions} [how] */
  #listen(name, run, how = {}) {
    this.#element.addEventListener(name, run, { ...how, signal: this.#ending.signal });
  }

  close() {
    this.#ending.abort();
  }

  /** @param {{clientX: number, clientY: number}} event */
  #at(event) {
    const { left, top } = this.#element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button === 2) return;
    this.#element.focus({ preventScroll: true });
    this.#element.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, this.#at(event));
    if (this.#down.size === 2) return this.#beginPinch(event);
    if (this.#down.size > 2) return;
    this.#moved = 0;
    const pans = this.#space || event.button === 1 || !this.#viewer.tool;
    this.#doing = pans ? "pan" : "tool";
    if (this.#doing === "tool") this.#tell("down", event);
    this.#showCursor();
  }

  /** @param {PointerEvent} event */
  #beginPinch(event) {
    if (this.#doing === "tool") this.#tell("up", event);
    this.#doing = "pinch";
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#at(event);
    const before = this.#down.get(event.pointerId);
    if (!before || this.#doing === "tool") {
      this.#tellMoves(event);
      return;
    }
    this.#moved += Math.hypot(at.x - before.x, at.y - before.y);
    if (this.#doing === "pinch") this.#pinch(event.pointerId, at);
    else if (this.#doing === "pan" && this.#moved >= CLICK_PX) this.#viewer.moveBy(at.x - before.x, at.y - before.y);
    this.#down.set(event.pointerId, at);
  }

  /** @param {number} pointer @param {{x: number, y: number}} at */
  #pinch(pointer, at) {
    const before = /** @type {{x: number, y: number}} */ (this.#down.get(pointer));
    const other = [...this.#down].find(([each]) => each !== pointer)?.[1];
    if (!other) return;
    const far = (/** @type {{x: number, y: number}} */ a) => Math.max(Math.hypot(a.x - other.x, a.y - other.y), 1);
    this.#viewer.moveBy((at.x - before.x) / 2, (at.y - before.y) / 2);
    this.#viewer.zoomBy(far(at) / far(before), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#doing === "tool") this.#tell("up", event);
    if (this.#doing === "pan" && this.#moved < CLICK_PX && event.type === "pointerup") this.#viewer.pick(event);
    if (!this.#down.size) this.#doing = null;
    this.#showCursor();
  }

  /** Tell the tool of every point that the pointer went through since the last event. @param {PointerEvent} event */
  #tellMoves(event) {
    const all = this.#doing === "tool" ? (event.getCoalescedEvents?.() ?? []) : [];
    for (const each of all.length ? all : [event]) this.#tell("move", each, event);
    this.#viewer.hover(event);
  }

  /** @param {"down"|"move"|"up"} what @param {PointerEvent} at @param {PointerEvent} [event] */
  #tell(what, at, event = at) {
    const tool = this.#viewer.tool;
    if (!tool) return;
    tool[what]?.(this.#viewer.toImage(at.clientX, at.clientY), event, this.#viewer);
    this.#viewer.redraw();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const tool = this.#viewer.tool;
    if (event.altKey && tool?.wheel) {
      tool.wheel(event, this.#viewer);
      this.#viewer.redraw();
      return;
    }
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    if (event.shiftKey) return this.#viewer.moveBy(-(event.deltaX || event.deltaY) * lines, 0);
    // a trackpad's pinch comes as a wheel with ctrl, in smaller steps
    const speed = event.ctrlKey ? 0.01 : 0.002;
    this.#viewer.zoomBy(Math.exp(-Math.max(-300, Math.min(event.deltaY * lines, 300)) * speed), this.#at(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.code !== "Space" && this.#viewer.tool?.key?.(event, this.#viewer)) {
      event.preventDefault();
      return this.#viewer.redraw();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const run = this.#keys(event.shiftKey)[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  /** @param {boolean} far @returns {Record<string, () => void>} */
  #keys(far) {
    const viewer = this.#viewer;
    const step = far ? STEP_PX * 5 : STEP_PX;
    return {
      "+": () => viewer.zoomBy(KEY_ZOOM),
      "=": () => viewer.zoomBy(KEY_ZOOM),
      "-": () => viewer.zoomBy(1 / KEY_ZOOM),
      _: () => viewer.zoomBy(1 / KEY_ZOOM),
      0: () => viewer.fit(),
      ArrowLeft: () => viewer.moveBy(step, 0),
      ArrowRight: () => viewer.moveBy(-step, 0),
      ArrowUp: () => viewer.moveBy(0, step),
      ArrowDown: () => viewer.moveBy(0, -step),
      PageUp: () => viewer.stepPlane(far ? "t" : "z", -1),
      PageDown: () => viewer.stepPlane(far ? "t" : "z", 1),
    };
  }

  /** @param {boolean} on */
  #setSpace(on) {
    this.#space = on;
    this.#showCursor();
  }

  #showCursor() {
    const dragged = this.#doing === "pan" && this.#down.size > 0;
    const pans = this.#space || dragged;
    this.#element.style.cursor = pans ? (dragged ? "grabbing" : "grab") : (this.#viewer.tool?.cursor ?? "");
  }

  /** The tool has changed. */
  refreshCursor() {
    this.#showCursor();
  }
}
