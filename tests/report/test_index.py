"""The page of a run lists every image, tells what failed, and cannot be made to run anything."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from cellmetry.io.discover import is_own_output
from cellmetry.io.pictures import write_png
from cellmetry.report.index import thumbnail_path, write_index


class _Page(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "

    def values(self, tag: str, name: str) -> list[str | None]:
        return [attributes[name] for found, attributes in self.tags if found == tag and name in attributes]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    for name in ("tables/cells.csv", "tables/cells_columns.csv", "run.json"):
        (tmp_path / name).write_text("x")
    write_png(np.full((600, 800, 3), 50, np.uint8), tmp_path / "overlays" / "sub" / "a b#1_overlay.png")
    return tmp_path


IMAGES = pd.DataFrame(
    {
        "image": ["sub/a b#1.tif", "<img src=x onerror=alert(1)>.tif", "c.tif"],
        "status": ["done", "failed", "done"],
        "reason": [None, 'it "ends" <early>', np.nan],
        "n_cells": [1200.0, np.nan, 0.0],
        "seconds": [61.0, np.nan, 0.5],
        "warnings": [("No pixel size.", "Two & more."), None, ""],
        "overlay": ["overlays/sub/a b#1_overlay.png", None, "overlays/gone.png"],
    }
)


def _write(folder: Path, images: pd.DataFrame = IMAGES) -> _Page:
    return _Page(write_index(folder, "Run <1>", images, notes=["Recipe & engine."]).read_text("utf-8"))


def test_page_lists_figures_warnings_and_failures(run_folder: Path) -> None:
    text = _write(run_folder).text
    for expected in ("Run <1>", "Recipe & engine.", "1,200", "600", "1 min 02 s", "No pixel size.", "Two & more."):
        assert expected in text
    assert 'it "ends" <early>' in text
    assert "2 warnings" in text
    assert "0 cells" in text


def test_links_lead_to_files_that_are_there(run_folder: Path) -> None:
    page = _write(run_folder)
    assert page.values("a", "href") == ["tables/cells.csv", "run.json", "overlays/sub/a%20b%231_overlay.png"]
    assert page.values("img", "src") == ["overlays/sub/a%20b%231_thumbnail.png"]


def test_thumbnail_is_made_small_and_is_no_input(run_folder: Path) -> None:
    _write(run_folder)
    path = run_folder / thumbnail_path(PurePosixPath("overlays/sub/a b#1_overlay.png"))
    with Picture.open(path) as picture:
        assert picture.size == (360, 270)
    assert is_own_output(path)
    before = path.stat().st_mtime_ns
    _write(run_folder)
    assert path.stat().st_mtime_ns == before


def test_case_60_names_are_text_and_nothing_is_executed(run_folder: Path) -> None:
    page = _write(run_folder)
    assert "<img src=x onerror=alert(1)>.tif" in page.text
    assert not [
        tag for tag, attributes in page.tags if tag == "script" or any(key.startswith("on") for key in attributes)
    ]
    assert "default-src 'none'" in str(page.values("meta", "content"))
    assert not [link for link in page.values("a", "href") + page.values("img", "src") if ":" in str(link)]


def test_run_without_images(tmp_path: Path) -> None:
    assert "No images." in _write(tmp_path, IMAGES.iloc[:0]).text
    assert (tmp_path / "index.html").is_file()
    assert len(list(tmp_path.iterdir())) == 1
