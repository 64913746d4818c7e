"""Cellpose's _seg.npy as we write it: what NumPy gives to Cellpose's window."""

from __future__ import annotations

import pickletools
from pathlib import Path

import numpy as np
import pytest

from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import LabelsError, OutputError
from cellmetry.export.cellpose_npy import read_cellpose_seg
from cellmetry.export.content import make_content
from cellmetry.export.forms.seg_npy import SegNpy
from cellmetry.export.frame import Frame
from cellmetry.ops.synthetic import make_cells
from cellmetry.testing.exporter import label_cases


def write(labels: Labels, path: Path, **options: str) -> dict:
    SegNpy(**options).write(make_content(labels, "a"), path)
    return np.load(path, allow_pickle=True).item()


def test_numpy_loads_what_cellposes_window_asks_for(tmp_path: Path) -> None:
    array = np.asarray(make_cells((300, 360), 12, seed=3).labels, np.uint32)
    found = write(labels_from_array(array), tmp_path / "field_seg.npy")
    np.testing.assert_array_equal(found["masks"], array)
    assert found["masks"].dtype == found["outlines"].dtype == np.uint16
    assert found["filename"] == "field.tif"
    assert len(found["colors"]) == len(found["ismanual"]) == found["masks"].max() == 12
    assert found["masks"].flags.writeable
    assert found["est_diam"] == pytest.approx(np.median(np.sqrt(np.bincount(array.ravel())[1:])) * 2 / np.sqrt(np.pi))
    assert read_cellpose_seg(tmp_path / "field_seg.npy").filename == "field.tif"


def test_outlines_are_the_pixels_at_the_edge_of_each_object(tmp_path: Path) -> None:
    array = label_cases()["border"].copy()
    array[4:8, 4:9], array[5:7, 9:12] = 5, 6
    outlines = write(labels_from_array(array), tmp_path / "a_seg.npy")["outlines"]
    wanted = np.zeros_like(array)
    for row, column in np.ndindex(*array.shape):
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = all(0 <= y < 12 and 0 <= x < 15 and array[y, x] == array[row, column] for y, x in around)
        wanted[row, column] = 0 if inside else array[row, column]
    np.testing.assert_array_equal(outlines, wanted)
    assert list(dict.fromkeys(outlines[outlines > 0])) == list(dict.fromkeys(array[array > 0]))


def test_stacks_have_a_plane_for_each_object_and_frames_are_refused(tmp_path: Path) -> None:
    array = np.zeros((3, 8, 9), np.uint32)
    array[1:, 2:4, 2:5] = 70_000
    found = write(Labels(array, "ZYX"), tmp_path / "a_seg.npy")
    assert found["masks"].shape == (3, 8, 9)
    assert found["masks"].dtype == np.int32
    assert len(found["zdraw"]) == 1
    with pytest.raises(OutputError, match="TYX"):
        write(Labels(array, "TYX"), tmp_path / "a_seg.npy")


def test_old_numpy_finds_the_functions_by_their_old_names(tmp_path: Path) -> None:
    write(labels_from_array(label_cases()["parts"]), tmp_path / "a_seg.npy")
    data = (tmp_path / "a_seg.npy").read_bytes()
    calls = {argument for code, argument, _ in pickletools.genops(data[128:]) if code.name == "GLOBAL"}
    assert calls == {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}


def test_a_name_that_cellpose_does_not_find_is_told(tmp_path: Path) -> None:
    content = make_content(labels_from_array(label_cases()["parts"]), "a")
    assert "IMAGE_seg.npy" in SegNpy().write(content, tmp_path / "a.npy")[0]
    assert SegNpy(image="b.png").write(content, tmp_path / "a_seg.npy") == ()
    assert read_cellpose_seg(tmp_path / "a_seg.npy").filename == "b.png"


def test_masks_of_another_size_are_refused(tmp_path: Path) -> None:
    write(labels_from_array(label_cases()["parts"]), tmp_path / "a_seg.npy")
    for frame in (Frame((12, 16)), Frame((2, 12, 15), "ZYX")):
        with pytest.raises(LabelsError, match="a_seg.npy"):
            SegNpy().read(tmp_path / "a_seg.npy", frame)
