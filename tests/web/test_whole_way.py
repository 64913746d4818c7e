"""The whole way in one browser: images, cells, every tool, a killed server, a better model, a table, a report."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from skimage import data

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("torch", reason="training needs PyTorch")

PITCH = 128 / 4
"""Pixels between the cells of the generated images."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pictures: Any) -> Path:
    """Two conditions in two replicates, generated, and coins of scikit-image."""
    made = _load("results_study")
    folder = tmp_path_factory.mktemp("files") / "plate"
    folder.mkdir()
    for k, name in enumerate(["control_1", "control_2", "treated_1", "treated_2"]):
        pixels = scattered(1300, seed=k) if k else made.cells_image(800, side=128, across=4)
        (folder / f"{name}.tif").write_bytes(pictures.tiff(pixels, um=0.5))
    coins = data.coins()[:160, :160].astype(np.uint16)
    (folder / "coins_1.tif").write_bytes(pictures.tiff(coins, um=0.5))
    return folder


def scattered(brightness: float, *, seed: int) -> np.ndarray:
    """Return twelve bright discs at random places."""
    random = np.random.default_rng(seed)
    places = apart(random)
    plane = random.normal(100, 6, (128, 128))
    y, x = np.mgrid[:128, :128]
    for cy, cx in places:
        plane[(y - cy) ** 2 + (x - cx) ** 2 < random.uniform(7, 10) ** 2] += brightness * random.uniform(0.7, 1.3)
    return plane.clip(0, 65535).astype(np.uint16)


def apart(random: np.random.Generator) -> list[np.ndarray]:
    """Return twelve places that are no nearer to each other than 24 pixels."""
    places: list[np.ndarray] = []
    while len(places) < 12:
        place = random.uniform(12, 116, 2)
        if all(np.hypot(*(place - other)) > 24 for other in places):
            places.append(place)
    return places


def _load(name: str) -> Any:
    spec = spec_from_file_location(f"tests_web_{name}", Path(__file__).parent / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_from_images_to_a_report(
    serving: Any, browser: Any, squares: Any, folder: Path, tmp_path: Path, until: Any
) -> None:
    home = tmp_path / "home"
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(30_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    walk = Walk(page, until)
    with serving.real_server(home) as server:
        page.goto(server.client().post("session/link").json()["url"])
        walk.add(folder)
        walk.segment()
        study = page.evaluate("cellmetry.study.id")
        hand = correct(page, squares, walk)
        edits = edits_of(server.client(), study)
        assert len(edits) == 10, edits
        server.kill()
    with serving.real_server(home, "--port", str(urlsplit(server.url).port)) as server:
        api = server.client()
        page.get_by_text("The server cannot be reached.").wait_for(state="hidden")
        until(page, "!cellmetry.study.away", 60)
        assert edits_of(api, study) == edits, "what was said to be saved is there"
        page.get_by_role("button", name="Undo", exact=True).click()  # of what was done before the server was killed
        hand.saved()
        undone = [act for act in api.get(f"studies/{study}/acts").json() if act["verb"] == "edit" and act["undone_by"]]
        assert len(undone) == 1
        kept = drawn_and_deleted(page)
        walk.train(squares)
        assert drawn_and_deleted(page) == kept, "corrections outlive another model"
        walk.measure()
        report = walk.compare(tmp_path)
        assert report.read_bytes().startswith(b"%PDF")
    context.close()
    assert not faults, faults


class Walk:
    """A person who goes through the steps."""

    def __init__(self, page: Any, until: Callable[..., Any]) -> None:
        self.page = page
        self.until = until

    def go(self, step: str) -> None:
        """Go to a step by its button."""
        self.page.get_by_role("navigation", name="Steps").get_by_role("button", name=step, exact=True).click()
        self.until(self.page, f"cellmetry.step === '{step.lower()}'")

    def look_at(self, name: str) -> None:
        """Show an image with its labels."""
        picker = self.page.get_by_label("Controls").get_by_role("combobox", name="Image")
        picker.select_option(label=name)
        self.until(self.page, f"cellmetry.viewer.image?.name === 'plate/{name}' && cellmetry.viewer.labels !== null")

    def press(self, name: str) -> None:
        """Press the step's own button."""
        self.page.get_by_label("Controls").get_by_role("button", name=name, exact=True).click()

    def done(self, kind: str, count: int = 1) -> None:
        """Wait until so many jobs of a kind were done."""
        jobs = f"cellmetry.study.jobs.all.filter((job) => job.kind === '{kind}')"
        ended = "['done', 'failed', 'cancelled', 'interrupted'].includes(job.state)"
        self.until(self.page, f"{jobs}.filter((job) => {ended}).length >= {count}", 400)
        states = self.page.evaluate(f"{jobs}.map((job) => [job.state, job.error])")
        assert all(state == "done" for state, _ in states), states

    def add(self, folder: Path) -> None:
        """Choose a folder, and say conditions and replicates by the names of its files."""
        page = self.page
        with page.expect_file_chooser() as asked:
            page.get_by_role("button", name="Choose folder").click()
        asked.value.set_files(folder)
        self.until(page, "cellmetry.study?.images.ready.length === 5", 60)
        page.get_by_role("listbox", name="Images").focus()
        page.keyboard.press("Control+a")
        page.get_by_role("button", name="From names").click()
        selects = page.get_by_role("dialog").get_by_role("combobox")
        last = selects.count() - 1
        selects.nth(last - 1).select_option("condition")
        selects.nth(last).select_option("replicate")
        page.get_by_role("dialog").get_by_role("button", name="Apply").click()
        page.get_by_text("Said of 5 images by their names").wait_for()

    def segment(self) -> None:
        """Find the cells of all images by the network that comes with Cellmetry."""
        self.go("Segment")
        self.press("Apply to all")
        self.done("segment")

    def train(self, squares: Any) -> None:
        """Train a minute, take the model, segment again."""
        page = self.page
        self.go("Train")
        page.get_by_label("Time").fill("1")
        self.press("Train")
        curves = "document.querySelectorAll('.train-curves .plot-curve').length > 0"
        failed = "cellmetry.study.jobs.all.find((job) => job.kind === 'train' && job.state === 'failed')?.error"
        assert self.until(page, f"{curves} || {failed}", 120) is True
        page.reload()  # goes on by itself
        self.until(page, "cellmetry.study?.jobs.running.some((job) => job.kind === 'train')")
        self.done("train")
        page.get_by_role("button", name="Activate").click()
        page.get_by_role("button", name="Segment again").click()
        self.done("segment", 2)
        page.get_by_text("corrections:").wait_for()
        self.go("Correct")
        self.look_at("control_1")
        squares.Hand(page).look_at(64, 64)

    def measure(self) -> None:
        """Make the table."""
        self.go("Measure")
        self.press("Measure")
        self.done("measure")
        self.page.get_by_role("grid", name="Table cells").get_by_role("columnheader", name="Area").first.wait_for()

    def compare(self, out: Path) -> Path:
        """Compare the conditions, and save the report."""
        self.go("Compare")
        self.page.get_by_role("radio", name="Pairs: made side by side").check()
        self.press("Compare")
        self.done("compare")
        self.page.get_by_role("heading", name="Estimates").wait_for(timeout=60_000)
        self.go("Report")
        with self.page.expect_download() as saved:
            self.page.get_by_role("button", name="Download the report as PDF").click()
        saved.value.save_as(out / "report.pdf")
        return out / "report.pdf"


def correct(page: Any, squares: Any, walk: Walk) -> Any:
    """Use the tools on control_1, and correct one cell of treated_2."""
    walk.go("Correct")
    hand = squares.Hand(page)
    walk.look_at("treated_2")
    hand.look_at(64, 64)
    use(hand, "Delete", lambda: hand.click(*apart(np.random.default_rng(3))[0]))
    walk.look_at("control_1")
    hand.look_at(64, 64)
    cell = {(row, column): ((row + 0.5) * PITCH, (column + 0.5) * PITCH) for row in range(4) for column in range(4)}
    (y, x) = cell[0, 0]
    use(hand, "Delete", lambda: hand.click(y, x))
    use(hand, "Brush", lambda: hand.drag((y - 4, x), (y + 4, x)))
    use(hand, "Erase", lambda: hand.drag((y - 5, x - 6), (y - 4, x + 6)))
    (y, x) = cell[1, 1]
    use(hand, "Split", lambda: hand.drag((y - 16, x), (y + 16, x)))
    use(hand, "Merge", lambda: hand.drag((y, x - 4), (y, x + 4)))
    (y, x) = cell[2, 2]
    use(hand, "Grow", lambda: hand.click(y, x))
    use(hand, "Shrink", lambda: hand.click(y, x))
    use(hand, "Delete", lambda: hand.click(*cell[3, 3]))
    (y, x) = (PITCH, PITCH)  # between four cells
    use(hand, "Draw", lambda: hand.drag((y - 4, x - 4), (y - 4, x + 4), (y + 4, x + 4), (y + 4, x - 4)))
    return hand


def use(hand: Any, tool: str, act: Callable[[], None]) -> None:
    """Take a tool, use it, and wait until what it did is saved."""
    hand.take(tool)
    act()
    hand.saved()


def edits_of(api: Any, study: str) -> list[Any]:
    """Return the numbers of the edits that stand."""
    acts = api.get(f"studies/{study}/acts", params={"limit": 100}).json()
    return sorted(act["seq"] for act in acts if act["verb"] == "edit" and act["undone_by"] is None)


def drawn_and_deleted(page: Any) -> list[bool]:
    """Return whether there is a cell where one was painted, and where one was deleted."""
    return [page.evaluate("([y, x]) => cellmetry.viewer.idAt(y, x) > 0", place) for place in ([18, 16], [112, 112])]
