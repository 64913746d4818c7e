"""What training reads of an item: checked against its image, kept until a file changes."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from cellmetry.errors import LabelsError
from cellmetry.learn.dataset import Item
from cellmetry.learn.fields import DENSITY_UNIT, PLANES, make_planes, prepare_fields, read_item

if TYPE_CHECKING:
    from pathlib import Path

PERCENTILES = (1.0, 99.8)


@pytest.fixture
def item(tmp_path: Path) -> Item:
    """Return an image of 20 × 30 pixels with two cells."""
    labels = np.zeros((20, 30), np.uint16)
    labels[2:8, 2:8], labels[10:18, 14:28] = 1, 2
    tifffile.imwrite(tmp_path / "image.tif", (100 + 50 * labels).astype(np.uint16))
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    return Item("a", tmp_path / "image.tif", tmp_path / "labels.tif")


def test_planes_hold_the_truth_of_labels(item: Item) -> None:
    planes, sizes = make_planes(item, PERCENTILES)
    by_name = dict(zip(PLANES, planes.astype(np.float64), strict=True))
    labels = tifffile.imread(item.truth)
    assert (sizes.height, sizes.width, sizes.cells) == (20, 30, 2)
    assert np.array_equal(by_name["foreground"] > 0, labels > 0)
    assert by_name["density"].sum() / DENSITY_UNIT == pytest.approx(2, abs=0.01)
    length = np.hypot(by_name["flow_y"], by_name["flow_x"])
    assert not length[labels == 0].any()
    assert np.isclose(length[labels > 0], 1, atol=0.01).mean() > 0.9
    assert by_name["importance"].min() > 0


def test_nothing_counts_where_nothing_was_annotated(item: Item, tmp_path: Path) -> None:
    seen = np.zeros((20, 30), np.uint8)
    seen[:, :12] = 255
    tifffile.imwrite(tmp_path / "seen.tif", seen)
    planes, _ = make_planes(replace(item, annotated=tmp_path / "seen.tif"), PERCENTILES)
    assert np.array_equal(planes[PLANES.index("importance")] > 0, seen > 0)


@pytest.mark.parametrize("changed", ["image.tif", "labels.tif"])
def test_planes_are_made_again_when_a_file_has_changed(item: Item, tmp_path: Path, changed: str) -> None:
    def prepared() -> Path:
        return prepare_fields([("set", item)], tmp_path / "cache", percentiles=PERCENTILES)[0].path

    first = prepared()
    assert prepared() == first
    later = (tmp_path / changed).stat().st_mtime_ns + 10**9
    os.utime(tmp_path / changed, ns=(later, later))
    assert prepared() != first


@pytest.mark.parametrize(("part", "words"), [("truth", "; truth must"), ("annotated", "; the annotated region must")])
def test_what_is_of_another_size_than_its_image_is_refused(item: Item, tmp_path: Path, part: str, words: str) -> None:
    tifffile.imwrite(tmp_path / "small.tif", np.ones((9, 30), np.uint8))
    with pytest.raises(LabelsError, match=f"small.tif is 30 × 9 pixels .*image.tif 30 × 20{words}"):
        read_item(replace(item, **{part: tmp_path / "small.tif"}))


def test_a_point_outside_its_image_is_refused_by_the_name_of_its_file(item: Item, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("x,y\n29.4,19.4\n30,5\n")
    with pytest.raises(LabelsError, match=r"points\.csv: 1 of 2 points lie outside .*image\.tif"):
        make_planes(replace(item, truth=tmp_path / "points.csv", kind="points"), PERCENTILES)
