"use strict";
/* Draws the interactive plots: colours follow light and dark, a click on a point or a choice in the list shows the cell. */
const dark = matchMedia("(prefers-color-scheme: dark)");

/* Return values with each text "var(--name)" replaced by that colour of the page. */
function coloured(values) {
  if (Array.isArray(values)) return values.map(coloured);
  if (values !== null && typeof values === "object") {
    return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, coloured(value)]));
  }
  const name = typeof values === "string" ? values.match(/^var\((--[\w-]+)\)$/) : null;
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name[1]).trim() : values;
}

/* Return text of a plot, in which plotly knows <br> and entities, as lines. */
function plain(text) {
  const page = new DOMParser().parseFromString(String(text).replaceAll("<br>", "\n"), "text/html");
  return page.body.textContent;
}

/* Return the points that stand for a cell, those with a picture first. */
function cellsOf(data, pictures) {
  const cells = data.flatMap((trace) => (trace.customdata ?? []).map((custom, place) => ({
    key: custom[0], line: custom[1], x: trace.x[place], y: trace.y[place], words: plain(trace.text[place]),
  })));
  const rank = (cell) => (Object.hasOwn(pictures, cell.key) ? 0 : 1);
  return cells.sort((a, b) => rank(a) - rank(b));
}

function fill(select, cells) {
  for (const [place, cell] of cells.entries()) {
    select.add(new Option(cell.line, String(place)));
  }
}

for (const figure of document.querySelectorAll("figure.interactive")) {
  const { plot, pictures } = JSON.parse(document.getElementById(figure.dataset.values).textContent);
  const [area, select, panel] = [".plot", "select", ".shown"].map((name) => figure.querySelector(name));
  const cells = cellsOf(plot.data, pictures);
  const options = {
    responsive: true, displaylogo: false, modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
  let chosen = null;

  const draw = () => {
    const mark = {
      type: "scatter", mode: "markers", hoverinfo: "skip", showlegend: false,
      x: chosen ? [chosen.x] : [], y: chosen ? [chosen.y] : [],
      marker: { symbol: "circle-open", size: 16, color: "var(--ink)", line: { width: 2.5 } },
    };
    return Plotly.react(area, coloured([...plot.data, mark]), coloured(plot.layout), options);
  };

  const show = (cell) => {
    chosen = cell;
    draw();
    panel.replaceChildren();
    if (Object.hasOwn(pictures, cell.key)) {
      const picture = new Image();
      picture.src = pictures[cell.key];
      picture.alt = `Picture of the cell ${cell.key}`;
      panel.append(picture);
    }
    const words = document.createElement("p");
    words.textContent = cell.words + (panel.childElementCount || !Object.keys(pictures).length ? "" : "\nNo picture of it.");
    panel.append(words);
  };

  fill(select, cells);
  if (!cells.length) figure.querySelector(".cell").remove();
  draw().then(() => area.on("plotly_click", ({ points }) => {
    const place = cells.findIndex((cell) => cell.key === points[0].customdata?.[0]);
    if (place < 0) return;
    select.value = String(place);
    show(cells[place]);
  }));
  select.addEventListener("change", () => show(cells[Number(select.value)]));
  dark.addEventListener("change", draw);
}
