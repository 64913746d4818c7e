"""Formats of other programs keep the contract: labels there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import MissingInput
from cellmetry.export.content import make_content
from cellmetry.export.formats import FORMATS, recognise_format
from cellmetry.export.frame import frame_of_labels
from cellmetry.testing.exporter import ExporterContract


class TestRois(ExporterContract):
    form, file = "rois", "field_RoiSet.zip"


class TestRoisOnHyperstacks(ExporterContract):
    form, file = "rois", "field_RoiSet.zip"
    options: ClassVar[dict[str, Any]] = {"positions": "hyperstack"}


class TestGeoJson(ExporterContract):
    form, file = "geojson", "field.geojson"


class TestLockedAnnotations(ExporterContract):
    form, file = "geojson", "field.json"
    options: ClassVar[dict[str, Any]] = {"object_type": "annotation", "locked": True}


class TestCoco(ExporterContract):
    form, file = "coco", "field.json"
    keeps_values = False


class TestCocoPolygons(ExporterContract):
    form, file = "coco", "field.json"
    options: ClassVar[dict[str, Any]] = {"form": "polygons"}
    keeps_values = False


class TestSegNpy(ExporterContract):
    form, file = "seg-npy", "field_seg.npy"
    stacks = ("ZYX",)
    largest_id = 2**31 - 1
    keeps_classes = keeps_values = False


class TestLabelTiff(ExporterContract):
    form, file = "labels", "field_labels.tif"
    keeps_classes = keeps_values = False


class TestLabelPng(ExporterContract):
    form, file = "labels", "field_labels.png"
    stacks = ()
    largest_id = 65_535
    keeps_classes = keeps_values = False


@pytest.mark.parametrize(("form", "file"), [("rois", "a.zip"), ("geojson", "a.geojson"), ("coco", "a.json")])
def test_any_label_image_survives_ten_journeys(form: str, file: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("journeys")
    made = FORMATS.load(form)()

    @settings(max_examples=20)
    @given(
        arrays(
            np.uint32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 1, 2, 70_003])
        )
    )
    def travel(array: np.ndarray) -> None:
        labels = labels_from_array(array)
        for _ in range(10):
            made.write(make_content(labels, "a"), folder / file)
            labels = made.read(folder / file, frame_of_labels(labels)).labels
        np.testing.assert_array_equal(labels.read(), array)

    travel()


@pytest.mark.parametrize(("form", "file"), [("rois", "a.zip"), ("geojson", "a.geojson")])
def test_hundreds_of_shapes_survive_ten_journeys(form: str, file: str, tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    array = random_shapes(random, (20, 30))
    labels, made = Labels(array), FORMATS.load(form)()
    for _ in range(10):
        made.write(make_content(labels, "a"), tmp_path / file)
        labels = made.read(tmp_path / file, frame_of_labels(labels)).labels
    np.testing.assert_array_equal(labels.read(), array)


def random_shapes(random: np.random.Generator, cells: tuple[int, int], side: int = 9) -> np.ndarray:
    """Return labels of random shapes in a grid: holes, parts, single pixels, many touching their neighbours."""
    count = cells[0] * cells[1]
    ids = random.permutation(np.arange(1, 3 * count))[:count].astype(np.uint32)
    full = random.uniform(0.02, 1.0, count)[:, None, None]
    shapes = random.random((count, side, side)) < full
    shapes[:, side // 2, side // 2] |= ~shapes.any(axis=(1, 2))
    blocks = np.where(shapes, ids[:, None, None], 0).reshape(*cells, side, side)
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3).reshape(cells[0] * side, cells[1] * side))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="absent"):
        recognise_format(tmp_path / "absent.zip")
