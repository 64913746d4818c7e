"""The object table with CellProfiler's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage.measure import regionprops_table

from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import OutputError, UnsupportedFormat
from cellmetry.export.content import make_content
from cellmetry.export.forms.object_csv import OBJECT_COLUMNS, ObjectCsv, object_table
from cellmetry.export.frame import Frame
from cellmetry.io.tables import read_table
from cellmetry.ops.synthetic import make_cells
from cellmetry.testing.exporter import label_cases

SAME = {
    "ObjectNumber": "label", "Location_Center_X": "centroid-1", "Location_Center_Y": "centroid-0",
    "AreaShape_Area": "area", "AreaShape_EquivalentDiameter": "equivalent_diameter_area",
    "AreaShape_BoundingBoxMinimum_X": "bbox-1", "AreaShape_BoundingBoxMaximum_X": "bbox-3",
    "AreaShape_BoundingBoxMinimum_Y": "bbox-0", "AreaShape_BoundingBoxMaximum_Y": "bbox-2",
    "AreaShape_BoundingBoxArea": "area_bbox", "AreaShape_Extent": "extent",
}  # fmt: skip


def test_values_are_those_of_scikit_image_which_cellprofiler_uses(tmp_path: Path) -> None:
    array = np.asarray(make_cells((300, 360), 12, seed=3).labels, np.uint32)
    ObjectCsv().write(make_content(labels_from_array(array), "a"), tmp_path / "a.csv")
    found = read_table(tmp_path / "a.csv")
    names = {name.split("-")[0] for name in SAME.values()}
    wanted = regionprops_table(array.astype(int), properties=tuple(names))
    for name, theirs in SAME.items():
        np.testing.assert_allclose(found[name], wanted[theirs], err_msg=name)


def test_every_column_is_described_and_planes_are_images() -> None:
    array = np.zeros((2, 3, 6, 7), np.uint32)
    array[:, 1:, 2:4, 2:5] = 4
    table = pd.DataFrame({"label": [4], "kind": ["x"], "mean_GFP": [2.5]})
    made = object_table(make_content(Labels(array, "TZYX"), "a", table, "kind"))
    assert [column.name for column in made.attrs["columns"]] == made.columns.tolist()
    assert made["ImageNumber"].tolist() == [2, 3, 5, 6]
    assert made["Metadata_T"].tolist() == [0, 0, 1, 1]
    assert made["Metadata_Z"].tolist() == [1, 2, 1, 2]
    assert made["mean_GFP"].tolist() == [2.5] * 4
    assert made["Classify_Class"].tolist() == ["x"] * 4


def test_no_object_gives_the_header() -> None:
    made = object_table(make_content(labels_from_array(label_cases()["empty"]), "a"))
    assert len(made) == 0
    assert made.columns[1] == OBJECT_COLUMNS[1].name


def test_a_column_that_it_makes_itself_is_refused() -> None:
    table = pd.DataFrame({"label": [1], "AreaShape_Area": [3.0]})
    with pytest.raises(OutputError, match="AreaShape_Area"):
        object_table(make_content(labels_from_array(label_cases()["one object"]), "a", table))


def test_a_table_is_no_outline(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat, match="no labels can be made"):
        ObjectCsv().read(tmp_path / "a.csv", Frame((3, 3)))
