"""One recipe by the command line, Python, a job of the server and one call: the same labels to the last pixel."""

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
    from collections.abc import Iterator
    from pathlib import Path

RECIPES = {
    "whole-cells": ["segment.diameter_px=14", "segment.cleanup.min_area_px=20"],
    "nuclei": ["segment.diameter_px=14"],
}
"""Of the engine `classical`, and of the model that comes with Cellmetry."""
NAMES = ("a0", "a1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, seeding: Any) -> Path:
    """A folder with two images."""
    place: Path = tmp_path_factory.mktemp("recipes")
    (place / "images").mkdir()
    y, x = np.mgrid[:128, :128]
    for seed, name in enumerate(NAMES):
        light = sum(
            3000 * np.exp(-((y - 20 - 40 * row) ** 2 + (x - 20 - 30 * column) ** 2) / 40)
            for row in range(3)
            for column in range(4)
        )
        noise = np.random.default_rng(seed).normal(400, 10, (128, 128))
        (place / "images" / f"{name}.tif").write_bytes(seeding.tiff((light + noise).astype(np.uint16)))
    return place


@pytest.fixture(scope="module")
def client(serving: Any, place: Path) -> Iterator[Any]:
    """A client of a server."""
    with serving.real_server(place / "home", "--root", str(place)) as server:
        yield server.client()


@pytest.mark.parametrize("recipe", RECIPES)
def test_labels_are_the_same_by_every_way(client: Any, seeding: Any, place: Path, recipe: str) -> None:
    changes = RECIPES[recipe]
    files = [place / "images" / f"{name}.tif" for name in NAMES]
    ran = run(load_recipe(recipe, changes), files, place / f"{recipe} python")
    hashes = [each.labels_sha256["cells"] for each in ran.outcomes]
    assert len(set(hashes)) == 2
    assert all(each.n_objects == {"cells": 12} for each in ran.outcomes)
    assert _by_command(recipe, changes, files, place / f"{recipe} cli") == hashes
    assert _by_job(client, seeding, recipe, changes, files) == hashes
    assert [_by_call(client, recipe, changes, file, place / f"{file.stem} {recipe}.tif") for file in files] == hashes


def _by_command(recipe: str, changes: list[str], files: list[Path], out: Path) -> list[str]:
    options = [word for each in changes for word in ("--set", each)]
    command = [sys.executable, "-m", "cellmetry", "run", recipe, *map(str, files), "--out", str(out), *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [labels_hash(read_labels(out / "labels" / f"{file.stem}_labels.tif")) for file in files]


def _by_job(client: Any, seeding: Any, recipe: str, changes: list[str], files: list[Path]) -> list[str]:
    study = seeding.new_study(client, recipe)
    seeding.upload(client, study, {file.name: file.read_bytes() for file in files})
    seeding.do_job(client, study, "segment", recipe=recipe, set=changes)
    names = {each["id"]: each["name"] for each in client.get(f"studies/{study}/images").json()}
    found = {names[each["image"]]: each["sha256"] for each in client.get(f"studies/{study}/labels").json()}
    return [found[name] for name in sorted(found)]


def _by_call(client: Any, recipe: str, changes: list[str], file: Path, out: Path) -> str:
    sent = {"files": (file.name, file.read_bytes())}
    answer = client.post("predict", files=sent, data={"recipe": recipe, "set": changes})
    assert answer.status_code == 200, answer.text
    out.write_bytes(answer.content)
    return labels_hash(read_labels(out))
