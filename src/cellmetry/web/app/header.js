/** What stands in the header of every page: the name of the app, and a menu of theme, keys and account. @module */
import { h } from "../kernel/dom.js";
import { icon } from "../controls/icons.js";
import { menuButton } from "../controls/menu.js";
import { openHelp } from "./help.js";
import { hasMembers, openMembers } from "./members.js";
import { chooseTheme, theme } from "./theme.js";

/** @typedef {import("./app.js").App} App */

/** @param {App} app */
export function brand(app) {
  const mark = h(
    "svg:svg",
    { class: "brand-mark", viewBox: "0 0 24 24", "aria-hidden": "true" },
    h("svg:circle", { cx: 12, cy: 12, r: 9.5 }),
    h("svg:circle", { cx: 12, cy: 12, r: 3.5, class: "brand-core" }),
  );
  return h(
    "button.brand",
    { type: "button", title: "All studies", onclick: () => app.place.go(null) },
    mark,
    h("span", {}, "Cellmetry"),
  );
}

/** @param {App} app */
export function accountMenu(app) {
  return menuButton({ label: "Settings", content: icon("menu"), align: "right" }, () => [
    { title: "Theme" },
    ...themes(),
    { title: "" },
    { text: "How it goes", icon: "info", run: openHelp },
    { text: "Keys", icon: "keys", hint: "?", run: () => app.shortcuts.show() },
    { text: "REST API", icon: "file", run: () => void open("api/v1/docs", "_blank", "noopener") },
    ...account(app),
  ]);
}

/** @returns {import("../controls/menu.js").Item[]} */
function themes() {
  const now = theme();
  /** @type {[import("./theme.js").Theme, string][]} */
  const all = [
    ["system", "As the computer"],
    ["dark", "Dark"],
    ["light", "Light"],
  ];
  return all.map(([name, text]) => ({ text, checked: now === name, run: () => chooseTheme(name) }));
}

/** @param {App} app @returns {import("../controls/menu.js").Item[]} */
function account(app) {
  const { who, mode } = app.session;
  if (mode === "demo") return [];
  return [
    { title: who },
    ...(hasMembers(app) ? [{ text: "Members of this study", icon: "user", run: () => void openMembers(app) }] : []),
    { text: "Sign out", icon: "user", run: () => app.signOut().catch((error) => app.error(error)) },
  ];
}
