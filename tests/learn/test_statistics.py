"""Checking data sets: each problem is found, counted and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellmetry.learn.dataset import DataSet, DataSetCard, Item
from cellmetry.learn.statistics import CheckOptions, check_data_set
from cellmetry.report.data_set import contact_sheet, write_contact_sheet, write_size_histogram


def labelled() -> np.ndarray:
    """Return labels with one plain, one torn, one surrounded, one surrounding, one tiny and one cut object."""
    labels = np.zeros((60, 60), np.uint16)
    labels[5:15, 5:15] = 1
    labels[20:24, 5:10], labels[28:32, 5:10] = 2, 2
    labels[30:50, 30:50] = 4
    labels[36:44, 36:44] = 3
    labels[5:7, 40:42] = 5
    labels[50:60, 5:15] = 9
    return labels


@pytest.fixture
def data_set(tmp_path: Path) -> DataSet:
    labels = labelled()
    tifffile.imwrite(tmp_path / "image.tif", np.arange(3600, dtype=np.uint16).reshape(60, 60))
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    items = tuple(Item(name, tmp_path / "image.tif", tmp_path / "labels.tif") for name in ("a", "b"))
    return DataSet(DataSetCard(name="x"), tmp_path, items)


def test_objects_are_counted_and_judged(data_set: DataSet) -> None:
    found = check_data_set(data_set)
    row = found.items.iloc[0]
    assert row[["objects", "tiny", "disconnected", "overlapping", "cut"]].tolist() == [6, 1, 1, 1, 1]
    assert sorted(found.areas.tolist()) == sorted(2 * [100, 40, 64, 336, 4, 100])
    assert row["covered"] == pytest.approx(644 / 3600)
    assert row["median_area_px"] == 82
    assert found.usable
    said = found.summary()
    assert said["objects"] == 12
    assert said["area_px"]["median"] == 82
    assert {problem["kind"] for problem in said["problems"]} == {"tiny", "disconnected", "overlapping", "cut"}
    assert check_data_set(data_set, CheckOptions(smallest_px=0, tiny_share=0)).items["tiny"].sum() == 0


def test_what_cannot_be_used_is_an_error(data_set: DataSet, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "small.tif", np.ones((50, 60), np.uint16))
    tifffile.imwrite(tmp_path / "flat.tif", np.full((60, 60), 7, np.uint16))
    (tmp_path / "broken.tif").write_bytes(b"II*\0nonsense")
    (tmp_path / "points.csv").write_text("x,y\n3,3\n3,4\n70,5\n")
    first = data_set.items[0]
    bad = (
        replace(first, name="size", truth=tmp_path / "small.tif"),
        replace(first, name="region", annotated=tmp_path / "small.tif"),
        replace(first, name="flat", image=tmp_path / "flat.tif"),
        replace(first, name="broken", image=tmp_path / "broken.tif"),
        replace(first, name="dots", truth=tmp_path / "points.csv", kind="points"),
    )
    found = check_data_set(replace(data_set, items=(first, *bad)))
    kinds = {problem.item: problem.kind for problem in found.problems if problem.severity == "error"}
    expected = {"size": "size mismatch", "region": "size mismatch", "flat": "flat image", "broken": "unreadable"}
    assert kinds == {**expected, "dots": "outside"}
    assert not found.usable
    assert "60 × 50 pixels, its image 60 × 60" in found.items.set_index("name").loc["size", "problem"]
    assert found.items.set_index("name").loc["dots", "overlapping"] == 1
    assert contact_sheet(replace(data_set, items=(first, *bad))).shape[2] == 3


def test_empty_truth_is_noted_and_a_set_without_objects_refused(data_set: DataSet, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "empty.tif", np.zeros((60, 60), np.uint16))
    empty = replace(data_set.items[0], name="empty", truth=tmp_path / "empty.tif")
    found = check_data_set(replace(data_set, items=(*data_set.items, empty)))
    assert found.usable
    assert [problem.item for problem in found.problems if problem.kind == "empty"] == ["empty"]
    assert not check_data_set(replace(data_set, items=(empty,))).usable
    foreground = replace(data_set.items[0], kind="foreground")
    assert check_data_set(replace(data_set, items=(foreground,))).usable


def test_pictures_are_written(data_set: DataSet, tmp_path: Path) -> None:
    write_contact_sheet(data_set, tmp_path / "sheet.png")
    write_size_histogram(check_data_set(data_set).areas, tmp_path / "sizes.png")
    write_size_histogram(np.zeros(0, np.int64), tmp_path / "none.png")
    sheet = contact_sheet(data_set)
    assert (sheet == [255, 176, 0]).all(axis=2).sum() > 100
    for name in ("sheet", "sizes", "none"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
