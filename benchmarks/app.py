"""The app in Chromium at 1280 × 720 on a 20,000 × 20,000 two-channel image with 62,500 cells.

Times are taken in the page, from the action to the frame after it, with a pixel read back so that the frame is really
drawn. Blank is any of 45 places of the view that is black, in an image that is black nowhere.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from in_browser import chromium, served
from large_study import SIDE, build

from cellmetry.core.columns import Column
from cellmetry.core.image import Box
from cellmetry.io.tables import write_table
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.objects import objects_page
from cellmetry.study.store.results import add_result
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

TOOLS = """() => {
  const { viewer, study } = window.cellmetry;
  const canvas = document.querySelector(".viewer-canvas");
  const context = canvas.getContext("2d");
  const at = (y, x) => context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data;
  const frame = () => new Promise((done) => requestAnimationFrame(() => done(at(0.5, 0.5))));
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const drawn = () => new Promise((done) => { const end = viewer.on("drawn", () => { end(); done(); }); });
  const settled = async (to) => {
    const all = drawn();
    viewer.goTo({ ...to, x: to.x + 0.1 * Math.random() });  // another place, or there is no frame
    await all;
    await wait(500);
  };
  const timed = async (count, act) => {
    const times = [];
    for (let k = 0; k < count; k++) {
      await frame();
      await wait(20);
      const start = performance.now();
      await act(k);
      await frame();
      times.push(performance.now() - start);
    }
    return times;
  };
  window.bench = { viewer, study, at, frame, wait, drawn, settled, timed, canvas };
}"""
CONTRAST = """async ([zoom, middle]) => {
  await bench.settled({ y: middle, x: middle, zoom });
  return bench.timed(20, (k) => bench.viewer.setChannel(k % 2, { high: 1500 + 10 * k }));
}"""
BLANK = """async (middle) => {
  const { viewer, at, frame, settled } = bench;
  for (const c of [0, 1]) viewer.setChannel(c, { low: 0, high: 2500 });
  await settled({ y: middle, x: middle, zoom: 0.05 });
  let since = null;
  const blanks = [];
  const times = [];
  const moves = [
    ...Array(25).fill(() => viewer.zoomBy(1.2)), ...Array(40).fill(() => viewer.moveBy(-90, -40)),
    ...Array(25).fill(() => viewer.zoomBy(1 / 1.2)), ...Array(5).fill(() => viewer.moveBy(30, 20)),
    ...Array(12).fill(() => viewer.zoomBy(1.5)), ...Array(40).fill(() => viewer.moveBy(150, 0)),
  ];
  const edge = (k, n) => (k + 0.5) / n;
  for (const move of moves) {
    const start = performance.now();
    move();
    await frame();
    const now = performance.now();
    times.push(now - start);
    const blank = [...Array(45).keys()].some((k) => {
      const [red, green, blue] = at(edge(Math.floor(k / 9), 5), edge(k % 9, 9));
      return red + green + blue === 0;
    });
    if (blank) since ??= start;
    else if (since !== null) { blanks.push(now - since); since = null; }
  }
  if (since !== null) blanks.push(performance.now() - since);
  return [times, blanks.length ? blanks : [0]];
}"""
STROKE = """async (middle) => {
  const { viewer, settled, timed } = bench;
  await settled({ y: middle, x: middle, zoom: 1 });
  const points = (k) => [...Array(30).keys()].map((n) => [middle - 150 + 12 * k, middle - 200 + 5 * n + k]);
  return timed(20, (k) => { viewer.paint(points(k), 4, 900000 + k, { over: true }); });
}"""
EDIT = """async ([labels, middle]) => {
  const { viewer, study, drawn, settled, timed } = bench;
  await settled({ y: middle, x: middle, zoom: 1 });
  return timed(10, async (k) => {
    const points = [...Array(30).keys()].map((n) => [middle + 20 + 12 * k, middle - 200 + 5 * n + k]);
    const parameters = { points, radius: 4, over: true };
    const done = await study.post(`labels/${labels}/edits`, { operation: "brush", parameters });
    const all = drawn();
    await viewer.refresh(done.tiles, { version: done.version });
    await all;
  });
}"""
BRUSH = """async (middle) => {
  const { viewer, settled, timed } = bench;
  await settled({ y: middle, x: middle, zoom: 1 });
  const over = document.querySelector(".viewer-over");
  const { left, top, width, height } = over.getBoundingClientRect();
  over.setPointerCapture = () => {};
  const tell = (name, x, y, buttons) => over.dispatchEvent(new PointerEvent(name, {
    pointerId: 7, button: 0, buttons, clientX: left + x, clientY: top + y, bubbles: true,
  }));
  return timed(15, async (k) => {
    const [y, x] = [height / 2 - 150 + 12 * k, width / 2 - 100];
    tell("pointerdown", x, y, 1);
    for (let n = 0; n < 30; n++) tell("pointermove", x + 5 * n, y, 1);
    tell("pointerup", x + 150, y, 0);
  });
}"""
ROW = """async (middle) => {
  const { viewer, settled, frame, wait } = bench;
  await settled({ y: middle + 2000, x: middle, zoom: 1 });  // away from what was painted
  const times = [];
  for (let k = 0; k < 15; k++) {
    const [y, x] = [middle + 1960 + 80 * (k % 2), middle - 200 + 80 * (k % 5)];
    const id = String(viewer.idAt(y, x));
    const shown = () => [...document.querySelectorAll('.table-row[aria-selected="true"]')].some((row) =>
      [...row.children].some((cell) => cell.textContent.replace(/\\D/g, "") === id));
    await wait(200);
    const start = performance.now();
    const { x: sx, y: sy } = viewer.toScreen(y, x);
    const { left, top } = document.querySelector(".viewer-over").getBoundingClientRect();
    viewer.pick({ clientX: left + sx, clientY: top + sy });
    while (!shown() && performance.now() - start < 5000) await frame();
    times.push(performance.now() - start);
  }
  return times;
}"""
PICK = """async (middle) => {
  const { viewer, settled, timed } = bench;
  await settled({ y: middle, x: middle, zoom: 1 });
  return timed(20, (k) => viewer.select([viewer.idAt(middle + 80 * (k % 4), middle + 40 * k)]));
}"""


def main() -> None:
    """Build the study, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="where the study is made, or lies from the last time")
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), help="of the window")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        names = build(home, args.side)
        add_table(home, names)
        url = stack.enter_context(served(home))
        browser = stack.enter_context(chromium())
        page = browser.new_page(viewport=dict(zip(("width", "height"), args.size, strict=True)))
        page.goto(url)
        print("| what | median ms | largest ms | number | bar |\n|---|---|---|---|---|", flush=True)
        measure(page, names, args.side // 2)


def add_table(home: Path, names: dict[str, str]) -> None:
    """Put a table with a row for each cell into the study, as the job `measure` does."""
    path = home / "Large.cellmetry" / "cells.parquet"
    if path.is_file():
        return
    with open_store(path.parent) as store:
        [labels] = label_sets(store, names["image"])
        found = objects_page(store, labels, 0, 0, Box(0, 2**31, 0, 2**31), after=0, limit=10**6)
        values = [("large", each.id, *_middle(each.box), each.area_px) for each in found]
        columns = [
            Column("centroid_y_px", "px", "Row.", "Cellmetry"),
            Column("centroid_x_px", "px", "Column.", "Cellmetry"),
        ]
        columns.append(Column("area_px", "px", "Area.", "Cellmetry"))
        rows = pd.DataFrame(values, columns=["image", "label", *(each.name for each in columns)])
        write_table(rows, path, columns)
        with store.database.write():
            seq = act(store, Actor("bench", "python"), "measure", "Measure large")
            known = {"name": "large", "labels": labels.id, "version": labels.version, "rows": len(rows)}
            details = {"rows": len(rows), "labels": labels.name, "images": {names["image"]: known}}
            add_result(store, seq, "table", "cells", path, details=details)


def _middle(box: Box) -> tuple[float, float]:
    return (box.y0 + box.y1) / 2, (box.x0 + box.x1) / 2


def measure(page: Any, names: dict[str, str], middle: int) -> None:
    """Print each time."""
    row("first view of a window", first_view(page, names), "3000")
    page.evaluate(TOOLS)
    fitted = page.evaluate("cellmetry.viewer.camera.zoom")
    for zoom in (fitted, 0.3, 1, 3):
        row(f"contrast step, zoom {100 * zoom:.0f} %", page.evaluate(CONTRAST, [zoom, middle]), "50")
    frames, blanks = page.evaluate(BLANK, middle)
    row("frame while zooming and panning", frames, "")
    row("blank while zooming and panning", blanks, "300")
    row("stroke end to overlay", page.evaluate(STROKE, middle), "150")
    row("edit sent, on the disk, its tiles read again and drawn", page.evaluate(EDIT, [names["labels"], middle]), "")
    step(page, names, "correct")
    page.get_by_role("button", name="Brush").click()
    row("stroke of the brush end to overlay", page.evaluate(BRUSH, middle), "150")
    step(page, names, "measure")
    page.locator(".table-row").first.wait_for()
    row("click to row", page.evaluate(ROW, middle), "150")
    row("click to highlighted cell", page.evaluate(PICK, middle), "150")


def step(page: Any, names: dict[str, str], name: str) -> None:
    """Go to a step."""
    page.evaluate("([n, step]) => { location.hash = `#/${n.study}/${step}?image=${n.image}`; }", [names, name])
    page.wait_for_timeout(1500)


def first_view(page: Any, names: dict[str, str]) -> list[float]:
    """Return how long it took from opening the page anew to a complete view, three times."""
    times = []
    for _ in range(3):
        page.evaluate("(n) => { location.hash = `#/${n.study}/segment?image=${n.image}`; }", names)
        page.reload(wait_until="commit")
        page.wait_for_function("() => window.cellmetry?.viewer")
        page.evaluate("new Promise((done) => void cellmetry.viewer.on('drawn', () => done(0)))")
        times.append(float(page.evaluate("performance.now()")))
    return times


def row(what: str, times: Sequence[float], bar: str) -> None:
    """Print one line of the table."""
    print(f"| {what} | {statistics.median(times):.0f} | {max(times):.0f} | {len(times)} | {bar} |", flush=True)


if __name__ == "__main__":
    main()
