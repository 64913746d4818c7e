/** Sliders: one value, and a range with two handles over a histogram. @module */
import { fill, h } from "../kernel/dom.js";

/**
 * Return a slider with its name and number.
 * @param {{label: string, min: number, max: number, step?: number, value: number, show?: (value: number) => string,
 *   oninput: (value: number) => void}} said
 * @returns {{element: HTMLElement, set: (value: number) => void, limit: (min: number, max: number) => void}}
 */
export function slider({ label, min, max, step = 1, value, show = String, oninput }) {
  const number = h("output.slider-value.number", {}, show(value));
  const input = h("input", { type: "range", min, max, step, "aria-label": label });
  input.value = String(value);
  input.addEventListener("input", () => {
    fill(number, show(Number(input.value)));
    oninput(Number(input.value));
  });
  return {
    element: h("div.slider", {}, h("span.slider-name", {}, label), input, number),
    set(now) {
      input.value = String(now);
      fill(number, show(now));
    },
    limit(least, most) {
      input.min = String(least);
      input.max = String(most);
    },
  };
}

/**
 * Return a range between two handles.
 * @param {{label: string, min: number, max: number, low: number, high: number, step?: number,
 *   oninput: (low: number, high: number) => void}} said
 * @returns {{element: HTMLElement, set: (low: number, high: number) => void,
 *   limit: (min: number, max: number, step?: number) => void, colour: (colour: string) => void}}
 */
export function rangeSlider({ label, min, max, low, high, step = 1, oninput }) {
  const [from, to] = ["low", "high"].map((end) =>
    h("input", { type: "range", min, max, step, "aria-label": `${label}: ${end} end`, class: `range-${end}` }),
  );
  const span = h("div.range-span");
  const element = h("div.range", {}, h("div.range-track"), span, from, to);
  const lay = () => {
    const [least, most] = [Number(from.min), Number(from.max)];
    const share = (/** @type {string} */ value) => ((Number(value) - least) / (most - least || 1)) * 100;
    span.style.left = `${share(from.value)}%`;
    span.style.right = `${100 - share(to.value)}%`;
    from.style.zIndex = share(from.value) > 50 ? "3" : "1";
  };
  const moved = (/** @type {any} */ which) => {
    if (Number(from.value) > Number(to.value)) (which === from ? from : to).value = (which === from ? to : from).value;
    lay();
    oninput(Number(from.value), Number(to.value));
  };
  from.addEventListener("input", () => moved(from));
  to.addEventListener("input", () => moved(to));
  const set = (/** @type {number} */ least, /** @type {number} */ most) => {
    [from.value, to.value] = [String(least), String(most)];
    lay();
  };
  set(low, high);
  return {
    element,
    set,
    limit(least, most, by = step) {
      for (const input of [from, to]) Object.assign(input, { min: String(least), max: String(most), step: String(by) });
      lay();
    },
    colour: (colour) => element.style.setProperty("--colour", colour),
  };
}
