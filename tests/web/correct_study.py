"""A study with squares to correct, and a page that uses tools on them as a person does."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from cellmetry.core.labels import labels_from_array
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PITCH, SIDE, COUNT = 100, 40, 8
START = PITCH // 2 - SIDE // 2


def squares(count: int = COUNT) -> NDArray[np.uint32]:
    """Return squares of 40 pixels in rows and columns, 100 pixels apart, ids from 1."""
    ids = np.zeros((count * PITCH, count * PITCH), np.uint32)
    for number in range(count * count):
        y, x = number // count * PITCH + START, number % count * PITCH + START
        ids[y : y + SIDE, x : x + SIDE] = number + 1
    return ids


def middle(row: int, column: int) -> tuple[float, float]:
    """Return the centre (y, x) of a square."""
    return row * PITCH + PITCH / 2, column * PITCH + PITCH / 2


def number(row: int, column: int) -> int:
    """Return the id of a square."""
    return row * COUNT + column + 1


def make_study(server: Any, client: Any, name: str) -> dict[str, str]:
    """Make a study: an image with squares, and a stack of three planes with squares in the first."""
    study = str(client.post("studies", json={"name": name}).json()["id"])
    ids = squares()
    random = np.random.default_rng(0)
    flat = random.poisson(150 + 1500 * (ids > 0)).astype(np.uint16)
    planes = np.zeros((3, 300, 300), np.uint32)
    planes[0] = squares(3)
    stack = random.poisson(150 + 1500 * (planes > 0)).astype(np.uint16)
    sent = [("files", (f"{key}.tif", _tiff(pixels, axes))) for key, pixels, axes in _named(flat, stack)]
    answer = client.post(f"studies/{study}/images", files=sent)
    assert answer.status_code == 201, answer.text
    flat_id, stack_id = (each["id"] for each in sorted(answer.json(), key=lambda each: each["name"]))
    for _ in range(600):
        if all(each["state"] == "ready" for each in client.get(f"studies/{study}/images").json()):
            break
        time.sleep(0.05)
    labels = add(server, name, {flat_id: ids, stack_id: planes})
    found = {"study": study, "image": flat_id, "stack": stack_id}
    return {**found, "labels": labels[flat_id], "stack_labels": labels[stack_id]}


def _named(flat: NDArray[Any], stack: NDArray[Any]) -> list[tuple[str, NDArray[Any], str]]:
    return [("flat", flat, "YX"), ("stack", stack, "ZYX")]


def _tiff(pixels: NDArray[Any], axes: str) -> bytes:
    out = io.BytesIO()
    scale = {"resolution": (2.0, 2.0), "metadata": {"axes": axes, "unit": "um"}}
    tifffile.imwrite(out, pixels, imagej=True, **scale)
    return out.getvalue()


def add(server: Any, name: str, named: dict[str, NDArray[np.uint32]], *, stacks: str = "ZYX") -> dict[str, str]:
    """Add labels to images of a study; they take the place of those that are there. Return their ids by image."""
    [folder] = server.home.glob(f"{name}*.cellmetry")
    store = join_store(folder)
    found = {}
    for image, ids in named.items():
        axes = stacks if ids.ndim == 3 else "YX"
        with store.database.write():
            seq = act(store, Actor("t", "python"), "test", "Add labels")
            found[image] = add_labels(store, seq, image, labels_from_array(ids, axes), name="cells")
    store.database.close()
    return found


def pixels(client: Any, study: str, labels: str, z: int = 0) -> NDArray[np.uint32]:
    """Return the ids of a plane of labels that fits two by two tiles, as the API gives them."""
    path = f"studies/{study}/labels/{labels}/tiles"
    level = client.get(path).json()["levels"][0]
    (high, wide), (rows, columns) = level["tile"], level["tiles"]
    whole = np.zeros((high * rows, wide * columns), np.uint32)
    for row in range(rows):
        for column in range(columns):
            answer = client.get(f"{path}/0/0/{z}/{row}/{column}")
            if answer.status_code == 200:
                tile = np.frombuffer(answer.content, "<u4").reshape(high, wide)
                whole[row * high : (row + 1) * high, column * wide : (column + 1) * wide] = tile
    return whole[: level["shape"][0], : level["shape"][1]]


@dataclass
class Hand:
    """A person's hand in a page that shows the step Correct."""

    page: Any

    def look_at(self, y: float, x: float, zoom: float = 4) -> None:
        """Show a place of the image."""
        self.page.evaluate(
            "([y, x, zoom]) => new Promise((done) => { const { viewer } = cellmetry; "
            "const end = viewer.on('drawn', () => { end(); done(); }); "
            "viewer.goTo({ y: y + 1e-6 * Math.random(), x, zoom }); })",
            [y, x, zoom],
        )

    def at(self, y: float, x: float) -> tuple[float, float]:
        """Return where a place of the image is in the page."""
        place = self.page.evaluate(
            "([y, x]) => { const at = cellmetry.viewer.toScreen(y, x); "
            "const box = document.querySelector('.viewer-over').getBoundingClientRect(); "
            "return [at.x + box.left, at.y + box.top]; }",
            [y, x],
        )
        return place[0], place[1]

    def click(self, y: float, x: float, *, shift: bool = False) -> None:
        """Click a place of the image."""
        if shift:
            self.page.keyboard.down("Shift")
        self.page.mouse.click(*self.at(y, x))
        if shift:
            self.page.keyboard.up("Shift")

    def press(self, y: float, x: float) -> None:
        """Press the button of the mouse at a place."""
        self.page.mouse.move(*self.at(y, x))
        self.page.mouse.down()

    def drag(self, *points: Sequence[float], lift: bool = True) -> None:
        """Press at the first point, go through the others, let go at the last."""
        self.press(*points[0])
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=4)
        if lift:
            self.page.mouse.up()

    def take(self, tool: str) -> None:
        """Choose a tool by its button."""
        self.page.get_by_role("group", name="Tools").get_by_text(tool, exact=True).click()

    def saved(self) -> None:
        """Wait until nothing is unsaved."""
        self.page.locator(".correct-saved[data-state=saved]", has_text="Saved").wait_for()


def open_correct(page: Any, url: str, study: str, image: str, **query: str) -> Hand:
    """Open the step Correct of a study."""
    asked = "".join(f"&{name}={value}" for name, value in query.items())
    page.goto(f"{url}/#/{study}/correct?image={image}{asked}")
    page.get_by_role("button", name="Undo", exact=True).wait_for()
    page.evaluate(
        "async () => { const { viewer } = cellmetry; if (viewer.labels) return; "
        "await new Promise((done) => viewer.on('shown', () => viewer.labels && done())); }"
    )
    return Hand(page)
