"""ImageJ's outlines: single files and zips, their shapes, and hostile ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import roifile

from cellmetry.errors import CellmetryError, DamagedFile, LimitExceeded, MissingInput, UnsupportedFormat
from cellmetry.export.rois import read_rois, roi_instance
from cellmetry.io.labels import read_labels
from cellmetry.ops.instances import paint_instances
from cellmetry.ops.matching import match_labels


def polygon(points: list[tuple[float, float]], name: str = "cell") -> bytes:
    return roifile.ImagejRoi.frompoints(np.array(points, np.float32), name=name).tobytes()


def whole(path: Path, shape: tuple[int, int] = (20, 20)) -> np.ndarray:
    return paint_instances([roi_instance(roi, shape) for roi in read_rois(path)], shape).labels


def test_a_zip_keeps_names_and_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("b.roi", polygon([(1, 1), (4, 1), (4, 4), (1, 4)], "second"))
        archive.writestr("a.roi", polygon([(6, 6), (10, 6), (10, 10), (6, 10)], "first"))
        archive.writestr("__MACOSX/._a.roi", b"rubbish")
        archive.writestr("readme.txt", b"text")
    rois = read_rois(tmp_path / "set.zip")
    assert [roi.name for roi in rois] == ["second", "first"]
    labels = whole(tmp_path / "set.zip")
    assert np.bincount(labels.ravel())[1:].tolist() == [9, 16]
    assert labels[1:4, 1:4].min() == 1


def test_a_folder_of_files_is_read(tmp_path: Path) -> None:
    (tmp_path / "rois").mkdir()
    (tmp_path / "rois" / "one.roi").write_bytes(polygon([(0, 0), (3, 0), (3, 2), (0, 2)]))
    assert np.count_nonzero(whole(tmp_path / "rois")) == 6


def test_rectangles_and_ovals(tmp_path: Path) -> None:
    for kind, area in ((roifile.ROI_TYPE.RECT, 2400), (roifile.ROI_TYPE.OVAL, np.pi * 600)):
        roi = roifile.ImagejRoi(roitype=kind, left=2, top=3, right=62, bottom=43, version=227)
        (tmp_path / "shape.roi").write_bytes(roi.tobytes())
        assert np.count_nonzero(whole(tmp_path / "shape.roi", (90, 90))) == pytest.approx(area, rel=0.01)


def test_points_and_lines_are_no_areas(tmp_path: Path) -> None:
    roi = roifile.ImagejRoi.frompoints(np.array([(1.0, 2.0), (3.0, 4.0)], np.float32))
    roi.roitype = roifile.ROI_TYPE.POINT
    (tmp_path / "points.roi").write_bytes(roi.tobytes())
    (found,) = read_rois(tmp_path / "points.roi")
    assert found.kind == "points"
    with pytest.raises(UnsupportedFormat, match="not an area"):
        roi_instance(found, (9, 9))


@pytest.mark.parametrize(
    "name", ["../../evil.roi", "/etc/evil.roi", "..\\evil.roi", "C:/evil.roi", "a/../../evil.roi", "inner.zip"]
)
def test_hostile_names_are_refused_and_nothing_is_unpacked(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr(name, polygon([(1, 1), (4, 1), (4, 4)]))
    with pytest.raises(DamagedFile, match="set.zip"):
        read_rois(tmp_path / "set.zip")
    assert [path.name for path in tmp_path.parent.rglob("evil.roi")] == []


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link.roi")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(DamagedFile, match="outside"):
        read_rois(tmp_path / "set.zip")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.roi", bytes(100_000_000))
    with pytest.raises(LimitExceeded, match="100,000,000"):
        read_rois(tmp_path / "set.zip")


@pytest.mark.parametrize("length", [5, 40, 66, 80])
def test_cut_files_are_refused_in_words(tmp_path: Path, length: int) -> None:
    points = [(float(np.cos(t) * 9 + 10), float(np.sin(t) * 9 + 10)) for t in np.linspace(0, 6, 30)]
    (tmp_path / "cut.roi").write_bytes(polygon(points)[:length])
    with pytest.raises(DamagedFile, match=r"cut\.roi"):
        read_rois(tmp_path / "cut.roi")


def test_a_lying_number_of_points_is_refused(tmp_path: Path) -> None:
    data = bytearray(polygon([(1, 1), (4, 1), (4, 4)]))
    data[16:18] = (60_000).to_bytes(2, "big")
    (tmp_path / "lie.roi").write_bytes(data)
    with pytest.raises(DamagedFile, match=r"lie\.roi"):
        read_rois(tmp_path / "lie.roi")


def test_a_negative_size_is_refused(tmp_path: Path) -> None:
    roi = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.OVAL, left=14, top=11, right=2, bottom=3, version=227)
    (tmp_path / "negative.roi").write_bytes(roi.tobytes())
    with pytest.raises(DamagedFile, match="negative"):
        read_rois(tmp_path / "negative.roi")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.zip").write_bytes(content)
    with pytest.raises(CellmetryError, match=r"other\.zip"):
        read_rois(tmp_path / "other.zip")
    with pytest.raises(MissingInput):
        read_rois(tmp_path / "absent.zip")


def test_a_zip_of_fiji_gives_the_cells_that_were_drawn(shared: Path) -> None:
    path = shared / "data" / "formats" / "imagej_roi" / "usiigaci_set21_RoiSet.zip"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there")
    truth = read_labels(shared / "data" / "usiigaci" / "labels" / "set21.png").read().astype(np.int32)
    rois = read_rois(path)
    painted = paint_instances([roi_instance(roi, truth.shape) for roi in rois], truth.shape)
    assert painted.hidden == painted.empty == ()
    found = match_labels(truth, painted.labels, iou=0.9)
    assert (found.tp, found.fp, found.fn) == (46, 2, 2)  # of two cells the label image was changed later


BOXED = ["composite-brush-donut", "composite-oval-in-rect", "composite-two-ellipses", "oval", "oval-left", "oval-top",
         "rectangle"]  # fmt: skip


@pytest.fixture
def fiji(shared: Path) -> Path:
    folder = shared / "data" / "formats" / "imagej_roi"
    if not folder.is_dir():
        pytest.skip("no ROI files there")
    return folder


@pytest.mark.parametrize("name", BOXED)
def test_files_of_fiji_lie_in_the_boxes_that_fiji_states(fiji: Path, name: str) -> None:
    stated = json.loads((fiji / f"{name}.json").read_text())[name]
    (roi,) = read_rois(fiji / f"{name}.roi")
    found = roi_instance(roi, (500, 500))
    top, left = max(stated["top"], 0), max(stated["left"], 0)
    bottom, right = stated["top"] + stated["height"], stated["left"] + stated["width"]
    box = (found.y, found.x, found.y + found.mask.shape[0], found.x + found.mask.shape[1])
    assert np.abs(np.subtract(box, (top, left, bottom, right))).max() <= 1
    assert top <= box[0] < box[2] <= bottom
    assert left <= box[1] < box[3] <= right


@pytest.mark.parametrize("name", ["polygon", "freehand"])
def test_files_of_fiji_have_the_points_that_fiji_states(fiji: Path, name: str) -> None:
    stated = json.loads((fiji / f"{name}.json").read_text())[name]
    (roi,) = read_rois(fiji / f"{name}.roi")
    assert roi.rings[0].tolist() == [list(point) for point in zip(stated["x"], stated["y"], strict=True)]


def test_the_hole_of_a_composite_stays_open(fiji: Path) -> None:
    (roi,) = read_rois(fiji / "composite-brush-donut.roi")
    assert not roi_instance(roi, (20, 20)).mask.all()
    assert len(roi.rings) == 2
