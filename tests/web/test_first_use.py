"""A person's first use: from the page that opens to a table of their own images; and the labels others would get."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cellmetry.core.labels import labels_hash
from cellmetry.io.labels import read_labels
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe

if TYPE_CHECKING:
    from pathlib import Path

COUNT_CLICKS = "addEventListener('click', (event) => (window.clicks = (window.clicks ?? 0) + event.isTrusted), true)"
JOB = "cellmetry.study.jobs.all.find((job) => job.kind === 'segment')"
SET = ['segment.engine="classical"', "segment.diameter_um=10"]


@pytest.fixture
def folder(tmp_path: Path, pictures: Any) -> Path:
    """A folder of three images with nine squares each."""
    folder = tmp_path / "wound"
    folder.mkdir()
    for k in range(3):
        (folder / f"field {k}.tif").write_bytes(
            pictures.tiff(np.roll(pictures.squares(96, seed=k), 3 * k, axis=1), um=0.5)
        )
    return folder


def drop_in(page: Any, folder: Path, until: Any) -> None:
    """Choose a folder on the start page, and wait until its images were read."""
    with page.expect_file_chooser() as asked:
        page.get_by_role("button", name="Choose folder").click()
    asked.value.set_files(folder)
    until(page, "cellmetry.study?.images.ready.length === 3")


def test_from_the_first_page_to_a_table_in_at_most_six_clicks(page: Any, folder: Path, until: Any) -> None:
    page.evaluate(COUNT_CLICKS)
    drop_in(page, folder, until)
    steps = page.get_by_role("navigation", name="Steps")
    steps.get_by_role("button", name="Segment").click()
    page.get_by_role("button", name="Apply to all").click()
    until(page, f"{JOB}?.state === 'done'", 120)
    steps.get_by_role("button", name="Measure").click()
    page.get_by_label("Controls").get_by_role("button", name="Measure", exact=True).click()
    area = page.get_by_role("grid", name="Table cells").get_by_role("columnheader", name="Area").first
    area.wait_for(timeout=60_000)
    page.get_by_text("27 rows", exact=True).wait_for()
    assert page.evaluate("window.clicks") <= 6


def test_labels_are_those_of_python_and_the_command_line(
    page: Any, folder: Path, until: Any, api: Any, tmp_path: Path
) -> None:
    drop_in(page, folder, until)
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Segment").click()
    page.get_by_text("More settings").click()
    page.get_by_label("Engine").select_option("classical")
    page.get_by_label("Diameter of a cell").fill("10")
    page.get_by_role("button", name="Apply to all").click()
    until(page, f"{JOB}?.state === 'done'", 120)
    study = page.evaluate("cellmetry.study.id")
    names = {each["id"]: each["name"] for each in api.get(f"studies/{study}/images").json()}
    found = {
        names[each["image"]].removeprefix("wound/"): each["sha256"]
        for each in api.get(f"studies/{study}/labels").json()
    }

    files = sorted(folder.iterdir())
    outcomes = run(load_recipe("any", SET), files, tmp_path / "python").outcomes
    assert found == {file.stem: each.labels_sha256["cells"] for file, each in zip(files, outcomes, strict=True)}
    assert len(set(found.values())) == 3
    assert set(found.values()) == set(_by_command(files, tmp_path / "cli"))


def _by_command(files: list[Path], out: Path) -> list[str]:
    options = [word for each in SET for word in ("--set", each)]
    command = [sys.executable, "-m", "cellmetry", "run", "any", *map(str, files), "--out", str(out), *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [labels_hash(read_labels(out / "labels" / f"{file.stem}_labels.tif")) for file in files]
