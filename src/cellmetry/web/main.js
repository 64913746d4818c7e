/** The web app starts here. @module */
import { App } from "./app/app.js";

const app = new App(document.body);
Object.assign(window, { cellmetry: app });
app.start().catch((error) => app.error(error));
