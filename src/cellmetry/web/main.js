/** The web app starts here. @module */
import { get } from "./kernel/api.js";
import { fill, h } from "./kernel/dom.js";

const who = await get("session");
fill(document.body, h("p", {}, `Signed in as ${who.who ?? who.name ?? "you"}.`));
