/** Which image is of which condition and replicate: a list, a plate map where there are wells, and a check in words. @module */
import { fill, h } from "../../kernel/dom.js";
import { icon } from "../../controls/icons.js";
import { cutName } from "../../controls/cut_name.js";
import { VirtualGrid } from "../../controls/virtual_grid.js";
import { counted, sayOf, valuesOf } from "../../app/said.js";
import { capital } from "../../table/words.js";
import { PlateMap, colourOf, placeOfWell } from "../../plot/plate_map.js";
import { findingsOf, isUsed, serverFindingsOf, textOf } from "./check.js";

/** @typedef {import("../../app/app.js").App} App */
/** @typedef {import("../../app/images.js").ImageView} ImageView */

const FIELDS = /** @type {const} */ (["condition", "replicate", "batch"]);
const BATCH = "What was prepared together: a day, animal or culture. It tells independent wells of one plate apart.";
const ROW = 36;
const CHECK_MS = 300;
const ICONS = { good: "check", bad: "warning", info: "info" };

/** The tab Design. */
export class Design {
  #app;
  #check = h("section.compare-check", { "aria-label": "Check of the design" });
  #plate = new PlateMap();
  #plateCard = h("section.card", { hidden: true });
  /** @type {VirtualGrid<ImageView>} */
  #list;
  #names = {
    condition: h("datalist", { id: "design-condition" }),
    replicate: h("datalist", { id: "design-replicate" }),
    batch: h("datalist", { id: "design-batch" }),
  };
  #brushes = h("div.row.wrap-row", { role: "radiogroup", "aria-label": "What is painted" });
  /** @type {{name: "condition"|"replicate", value: string|null}} */
  #brush = { name: "condition", value: null };
  #wells = h("div");
  /** What the server finds. @type {import("./check.js").Finding[]} */
  #found = [];
  #later = 0;
  /** Number of the last question to the server: only its answer is shown, and none after the end. */
  #turn = 0;
  #offs;

  /** @param {App} app @param {HTMLElement} pairs The question about pairs. */
  constructor(app, pairs) {
    this.#app = app;
    this.#list = new VirtualGrid({
      label: "Images and what they are of",
      width: 100,
      height: ROW - 2,
      gap: 2,
      columns: 1,
      table: true,
      key: (image) => image.id,
      render: (image) => this.#row(image),
      renew: (row, image) => this.#renew(row, image),
    });
    const all = h(
      "form.row.compare-all",
      {},
      h("span.quiet-text.compare-chosen", { role: "status" }),
      this.#input("condition", null),
      this.#input("replicate", null),
      this.#input("batch", null),
      h("button", { type: "submit" }, "Set"),
    );
    all.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#setChosen(all);
    });
    this.#list.on("select", () => this.#showChosen(all));
    fill(
      this.#plateCard,
      h("div.row", {}, h("h3.grow", {}, "Plate"), this.#brushes),
      this.#plate.element,
      h("p.quiet-text", {}, "Choose what the wells are of, then drag over them."),
    );
    this.element = h(
      "div.compare-design",
      {},
      this.#check,
      pairs,
      this.#plateCard,
      h(
        "section.card.compare-images",
        {},
        h("div.row", {}, h("h3.grow", {}, "Images"), this.#wells),
        all,
        h(
          "div.compare-head",
          {},
          ["Image", "Condition", "Replicate"].map((head) => h("span", {}, head)),
          h("span", { title: BATCH }, "Batch"),
        ),
        this.#list.element,
      ),
      Object.values(this.#names),
    );
    this.#plate.on("paint", (wells) => this.#paint(wells));
    this.#offs = [app.openStudy.images.on("change", () => this.#show(all))];
    this.#show(all);
  }

  close() {
    this.#turn++;
    clearTimeout(this.#later);
    for (const off of this.#offs) off();
  }

  get #images() {
    return this.#app.openStudy.images.ready;
  }

  /** @param {HTMLElement} all */
  #show(all) {
    const images = this.#images;
    for (const name of FIELDS)
      fill(
        this.#names[name],
        valuesOf(images, name).map((value) => h("option", { value })),
      );
    this.#showCheck();
    this.#checkSoon();
    this.#list.element.style.height = `${images.length * ROW + 4}px`;
    this.#list.show(images);
    this.#showChosen(all);
    this.#showPlate();
  }

  #showCheck() {
    const said = [...findingsOf(this.#images), ...this.#found];
    const told = this.#found.some(({ kind }) => kind === "bad") ? said.filter(({ kind }) => kind !== "good") : said;
    fill(
      this.#check,
      told.map(({ kind, text }) => h(`p.notice.notice-${kind}`, {}, icon(ICONS[kind]), h("span", {}, text))),
    );
  }

  /** Once for all changes of a moment. */
  #checkSoon() {
    clearTimeout(this.#later);
    this.#later = window.setTimeout(() => this.#ask(), CHECK_MS);
  }

  async #ask() {
    const turn = ++this.#turn;
    try {
      const found = await serverFindingsOf(this.#app.openStudy);
      if (turn !== this.#turn) return;
      this.#found = found;
      this.#showCheck();
    } catch (error) {
      if (turn === this.#turn) this.#app.error(error);
    }
  }

  /** @param {ImageView} image */
  #row(image) {
    const row = h(
      "div.compare-row",
      {},
      h("span.row.tight.compare-name"),
      h("span", {}, this.#input("condition", image)),
      h("span", {}, this.#input("replicate", image)),
      h("span", {}, this.#input("batch", image)),
    );
    this.#renew(row, image);
    return row;
  }

  /** Show what is said of an image now, but not over what is typed and not said yet. @param {HTMLElement} row @param {ImageView} image */
  #renew(row, image) {
    row.classList.toggle("compare-unused", !isUsed(image));
    fill(
      /** @type {Element} */ (row.querySelector(".compare-name")),
      cutName(this.#app.openStudy.images.shortName(image), image.name),
      !isUsed(image) && h("span.quiet-text", {}, "(excluded)"),
    );
    for (const input of row.querySelectorAll("input")) {
      const typed = input.value !== input.defaultValue;
      input.defaultValue = textOf(image, input.name);
      if (!typed) input.value = input.defaultValue;
    }
  }

  /** @param {(typeof FIELDS)[number]} name @param {ImageView|null} image */
  #input(name, image) {
    const input = h("input", {
      type: "text",
      list: `design-${name}`,
      maxlength: 200,
      autocomplete: "off",
      spellcheck: "false",
      name,
      disabled: Boolean(this.#app.openStudy.readOnly),
      placeholder: image ? "not said" : capital(name),
      title: name === "batch" ? BATCH : null,
      "aria-label": image ? `${name} of ${image.name}` : `${name} of the chosen images`,
    });
    if (!image) return input;
    input.addEventListener("change", () => this.#sayTyped(input, image));
    input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.stopPropagation();
      if (event.key === "Enter") input.blur();
    });
    input.addEventListener("click", (/** @type {Event} */ event) => event.stopPropagation());
    return input;
  }

  /** @param {HTMLInputElement} input Whose default is what is said. @param {ImageView} image */
  async #sayTyped(input, image) {
    input.value = input.value.trim();
    if (input.value === input.defaultValue) return;
    await this.#say([image], { [input.name]: input.value || null });
    if (input !== document.activeElement) input.value = input.defaultValue;
  }

  /** @param {ImageView[]} images @param {Record<string, string|null>} values */
  #say(images, values) {
    const words = Object.entries(values)
      .map(([name, value]) => (value === null ? `no ${name}` : `${name} ${value}`))
      .join(", ");
    return sayOf(this.#app, images, { values }, `${counted(images.length, "image")}: ${words}`);
  }

  /** @param {HTMLElement} all */
  #showChosen(all) {
    const count = this.#list.selected.size;
    fill(
      /** @type {Element} */ (all.querySelector(".compare-chosen")),
      count ? `${counted(count, "image")} chosen` : "Choose images below (Shift, Ctrl, Ctrl+A)",
    );
    for (const each of all.querySelectorAll("input, button"))
      /** @type {any} */ (each).disabled = !count || Boolean(this.#app.openStudy.readOnly);
  }

  /** @param {HTMLElement} all */
  async #setChosen(all) {
    const inputs = /** @type {HTMLInputElement[]} */ ([...all.querySelectorAll("input")]);
    const values = Object.fromEntries(
      inputs.filter((input) => input.value.trim()).map((input) => [input.name, input.value.trim()]),
    );
    const images = this.#images.filter((image) => this.#list.selected.has(image.id));
    if (!Object.keys(values).length || !images.length) return;
    await this.#say(images, values);
    for (const input of inputs) input.value = "";
  }

  #showPlate() {
    const images = this.#images.filter((image) => placeOfWell(textOf(image, "well")));
    this.#plateCard.hidden = !images.length;
    fill(
      this.#wells,
      !images.length &&
        this.#guessed.size > 1 &&
        h(
          "button.small",
          { type: "button", disabled: Boolean(this.#app.openStudy.readOnly), onclick: () => this.#takeWells() },
          "Wells from names",
        ),
    );
    if (!images.length) return;
    const { name } = this.#brush;
    const words = valuesOf(images, name);
    const byWell = grouped(images);
    this.#plate.show({
      words,
      wells: [...byWell].map(([well, some]) => ({
        well,
        text: textOf(some[0], name) || null,
        note: counted(some.length, "image"),
      })),
    });
    this.#showBrushes(words);
  }

  /** @param {string[]} words */
  #showBrushes(words) {
    const { name } = this.#brush;
    const which = h(
      "select",
      {
        "aria-label": "Conditions or replicates",
        onchange: () => {
          this.#brush = { name: which.value, value: null };
          this.#showPlate();
        },
      },
      h("option", { value: "condition" }, "Conditions"),
      h("option", { value: "replicate" }, "Replicates"),
    );
    which.value = name;
    const brush = (/** @type {string} */ value) => {
      const mark = h("span.plot-swatch");
      mark.style.background = colourOf(words, value);
      return h(
        "button.small",
        {
          type: "button",
          role: "radio",
          "aria-checked": String(this.#brush.value === value),
          "aria-pressed": String(this.#brush.value === value),
          onclick: () => this.#takeBrush(value),
        },
        mark,
        value,
      );
    };
    const more = h(
      "button.quiet.small",
      {
        type: "button",
        onclick: async () => {
          const value = await this.#app.askText({
            title: `Another ${name}`,
            label: `Name of the ${name}`,
            yes: "Paint",
          });
          if (value) this.#takeBrush(value);
        },
      },
      icon("plus"),
      "New",
    );
    const extra = this.#brush.value !== null && !words.includes(this.#brush.value) ? [this.#brush.value] : [];
    fill(this.#brushes, which, [...words, ...extra].map(brush), more);
  }

  /** @param {string} value */
  #takeBrush(value) {
    this.#brush = { ...this.#brush, value };
    this.#showPlate();
  }

  /** @param {string[]} wells */
  #paint(wells) {
    const { name, value } = this.#brush;
    if (value === null) {
      this.#app.toast(`Choose the ${name} first, then drag over its wells.`);
      return this.#showPlate();
    }
    const painted = new Set(wells);
    this.#say(
      this.#images.filter((image) => painted.has(textOf(image, "well"))),
      { [name]: value },
    );
  }

  /** Wells that stand in the names of all images. @returns {Map<string, ImageView[]>} */
  get #guessed() {
    const found = grouped(
      this.#images,
      (image) => /(?:^|[_\-\s/])([A-P](?:0?[1-9]|[12]\d))(?=$|[_\-\s.])/.exec(image.name)?.[1] ?? "",
    );
    return found.has("") ? new Map() : found;
  }

  async #takeWells() {
    for (const [well, images] of this.#guessed) await sayOf(this.#app, images, { values: { well } });
  }
}

/** @param {ImageView[]} images @param {(image: ImageView) => string} [of] @returns {Map<string, ImageView[]>} */
function grouped(images, of = (image) => textOf(image, "well")) {
  /** @type {Map<string, ImageView[]>} */
  const found = new Map();
  for (const image of images) found.set(of(image), [...(found.get(of(image)) ?? []), image]);
  return found;
}
