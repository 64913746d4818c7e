/** Who may see, change or own a study, on a server with accounts. @module */
import { at } from "../kernel/api.js";
import { fill, h } from "../kernel/dom.js";
import { openDialog } from "../controls/dialog.js";
import { icon } from "../controls/icons.js";
import { labelled } from "../controls/labelled.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {"viewer"|"editor"|"owner"} Role */
/** @typedef {{who: string, role: Role}} Member */

/** @type {[Role, string][]} */
const ROLES = [
  ["viewer", "May look"],
  ["editor", "May change it"],
  ["owner", "Owner"],
];

/** Whether this person says who else may see the study. @param {App} app */
export const hasMembers = (app) => app.session.mode === "server" && app.study?.role === "owner";

/** Show who has which role, to change it and to add others. @param {App} app */
export function openMembers(app) {
  const members = new Members(app);
  openDialog("Members of this study", members.element);
  return members.load();
}

class Members {
  #app;
  #study;
  #list = h("ul.members");
  #wrong = h("p.field-wrong", { role: "alert", hidden: true });
  #name = h("input", { type: "text", maxlength: 64, required: true, autocomplete: "off", spellcheck: "false" });
  #role = roleSelect("editor");

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#study = app.openStudy;
    const form = h(
      "form.row.bottom",
      {},
      labelled("Name of the account", this.#name, { grow: true }),
      labelled("Role", this.#role),
      h("button.primary", { type: "submit" }, "Invite"),
    );
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#invite();
    });
    this.element = h(
      "div.stack",
      {},
      this.#list,
      form,
      this.#wrong,
      h("p.quiet-text", {}, "People need an account on this server, which who runs it makes."),
    );
  }

  async load() {
    try {
      const members = await this.#study.get("members");
      fill(
        this.#list,
        members.map((/** @type {Member} */ member) => this.#row(member)),
      );
    } catch (error) {
      this.#app.error(error);
    }
  }

  /** @param {Member} member */
  #row({ who, role }) {
    const select = roleSelect(role, `Role of ${who}`);
    select.addEventListener("change", () => this.#give(who, /** @type {Role} */ (select.value)));
    const remove = {
      type: "button",
      "aria-label": `Remove ${who}`,
      title: `Remove ${who}`,
      onclick: () => this.#remove(who, role),
    };
    return h(
      "li.row",
      {},
      h("span.grow.cut", {}, who, who === this.#app.session.who && h("span.quiet-text", {}, " (you)")),
      select,
      h("button.quiet.square", remove, icon("trash")),
    );
  }

  async #invite() {
    const who = this.#name.value.trim().toLowerCase();
    if (await this.#give(who, /** @type {Role} */ (this.#role.value))) this.#name.value = "";
    this.#name.focus();
  }

  /** @param {string} who @param {Role} role @returns {Promise<boolean>} Whether it was done. */
  #give(who, role) {
    return this.#do(() => this.#study.put(at`members/${who}`, { role }));
  }

  /** @param {string} who @param {Role} role That they had. */
  async #remove(who, role) {
    if (!(await this.#do(() => this.#study.remove(at`members/${who}`)))) return;
    const undo = () => this.#give(who, role);
    this.#app.toast(`${who} may not see this study any more.`, { kind: "done", action: { text: "Undo", run: undo } });
  }

  /** Do something, and say beside the form what the server says no to. @param {() => Promise<any>} run */
  async #do(run) {
    this.#wrong.hidden = true;
    try {
      await run();
      return true;
    } catch (error) {
      this.#wrong.textContent = /** @type {Error} */ (error).message;
      this.#wrong.hidden = false;
      return false;
    } finally {
      await this.load();
    }
  }
}

/** @param {Role} role @param {string|null} [label] */
function roleSelect(role, label = null) {
  const select = h(
    "select",
    { "aria-label": label },
    ROLES.map(([value, text]) => h("option", { value }, text)),
  );
  select.value = role;
  return select;
}
