"""Labels to other programs and back, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cellmetry as cm
from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import DamagedFile, MissingInput, ParameterError, UnknownName
from cellmetry.export.frame import Frame
from cellmetry.io.images import write_image
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.io.tables import read_columns, read_table
from cellmetry.pipeline.exchanging import export_labels, import_labels, read_frame, write_imported
from cellmetry.testing.exporter import label_cases

FILES = {"rois": "a.zip", "geojson": "a.geojson", "coco": "a.json", "seg-npy": "a_seg.npy", "labels": "b.tif"}


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """Return the path of an image of two channels with a pixel size."""
    grey = np.zeros((2, 12, 15), np.uint16)
    write_image(image_from_array(grey, "CYX", pixel_size_um=0.5), tmp_path / "field.tif")
    return tmp_path / "field.tif"


@pytest.mark.parametrize("form", FILES)
def test_files_go_there_and_back_in_the_frame_of_the_image(form: str, field: Path) -> None:
    array = label_cases()["holes"]
    write_labels(labels_from_array(array), field.with_name("in.tif"))
    done = export_labels(field.with_name("in.tif"), field.with_name(FILES[form]), form)
    found = import_labels(done.path, field)
    np.testing.assert_array_equal(found.labels.read(), array)
    assert found.labels.pixel_size.x == 0.5


def test_the_frame_of_an_image_has_its_stack_but_not_its_channels(tmp_path: Path) -> None:
    image = image_from_array(np.zeros((2, 3, 4, 6, 7), np.uint8), "TCZYX", pixel_size_um=0.25)
    write_image(image, tmp_path / "stack.tif")
    frame = read_frame(tmp_path / "stack.tif")
    assert (frame.shape, frame.axes, frame.channels, frame.name) == ((2, 4, 6, 7), "TZYX", 3, "stack.tif")


def test_the_public_verbs_are_the_same(field: Path) -> None:
    labels = labels_from_array(label_cases()["parts"])
    cm.export_labels(labels, field.with_name("a.zip"), "rois")
    np.testing.assert_array_equal(cm.import_labels(field.with_name("a.zip"), field).labels.read(), labels.read())


def test_measured_columns_and_classes_go_along_and_come_back(field: Path) -> None:
    labels = labels_from_array(label_cases()["touching"])
    table = pd.DataFrame({"label": [1, 2, 3], "kind": ["a", "b", "a"], "area_px": [16, 16, 12]})
    table.to_csv(field.with_name("cells.csv"), index=False)
    for form in ("rois", "geojson"):
        path = field.with_name(FILES[form])
        export_labels(labels, path, form, table=field.with_name("cells.csv"), class_column="kind")
        beside = write_imported(import_labels(path, field), field.with_name("out.tif"))
        assert beside == field.with_name("out_objects.csv")
        found = read_table(beside).set_index("label")
        assert found["class"].tolist() == ["a", "b", "a"]
        assert found["area_px"].tolist() == [16, 16, 12]
        assert [column.name for column in read_columns(beside)][:3] == ["label", "name", "class"]


def test_nothing_is_written_beside_labels_of_which_nothing_more_is_said(field: Path) -> None:
    export_labels(labels_from_array(label_cases()["touching"]), field.with_name("a.zip"), "rois")
    assert write_imported(import_labels(field.with_name("a.zip"), field), field.with_name("out.tif")) is None
    assert not field.with_name("out_objects.csv").exists()
    assert read_labels(field.with_name("out.tif")).ids().tolist() == [1, 2, 3]


def test_wrong_names_and_places_are_told(field: Path) -> None:
    labels = labels_from_array(label_cases()["parts"])
    with pytest.raises(UnknownName, match="geojson"):
        export_labels(labels, field.with_name("a.geojson"), "geojso")
    with pytest.raises(UnknownName, match="positions"):
        export_labels(labels, field.with_name("a.zip"), "rois", options={"position": "stack"})
    write_labels(labels, field.with_name("in.tif"))
    with pytest.raises(ParameterError, match="label file itself"):
        export_labels(field.with_name("in.tif"), field.with_name("in.tif"), "labels")
    with pytest.raises(MissingInput, match="absent"):
        import_labels(field.with_name("absent.zip"), field)


def test_a_damaged_part_is_told_with_its_file(field: Path) -> None:
    path = field.with_name("a.geojson")
    path.write_text('{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}')
    with pytest.raises(DamagedFile, match=r"a\.geojson"):
        import_labels(path, Frame((12, 15)))
    assert sorted(each.name for each in field.parent.iterdir()) == ["a.geojson", "field.tif"]


def test_a_failed_export_leaves_nothing(field: Path) -> None:
    labels = labels_from_array(np.zeros((2, 3, 4), np.uint32), "TYX")
    with pytest.raises(OSError, match="Cellpose"):
        export_labels(labels, field.with_name("a_seg.npy"), "seg-npy")
    assert [each.name for each in field.parent.iterdir()] == ["field.tif"]
