"""ImageJ's outlines: single files and zips, their shapes, and hostile ones."""

from __future__ import annotations

import itertools
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import roifile

from cellmetry.errors import CellmetryError, DamagedFile, LimitExceeded, MissingInput, UnsupportedFormat
from cellmetry.export.polygons import polygon_area
from cellmetry.export.roi_paths import path_rings
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
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("zeros.roi", bytes(300_000_000))
    with pytest.raises(LimitExceeded, match="300,000,000"):
        read_rois(tmp_path / "set.zip")


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.roi", bytes(10_000_000))
    data = (tmp_path / "set.zip").read_bytes()
    size = (10_000_000).to_bytes(4, "little")
    (tmp_path / "set.zip").write_bytes(data.replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(DamagedFile, match="set.zip"):
        read_rois(tmp_path / "set.zip")


def many_entries(count: int, *, long: bool) -> bytes:
    """Return a zip that lists `count` entries, all of them the same; `long` as ZIP64 does it."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 5, 0) + b"a.roi"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b"a.roi"
    start, size = len(local), len(entry) * count
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, size, start, 0)
    if long:
        record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
        locator = struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
        end = record + locator + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + entry * count + end


@pytest.mark.parametrize("long", [False, True])
def test_a_million_entries_are_refused_before_they_are_listed(tmp_path: Path, long: bool) -> None:
    (tmp_path / "set.zip").write_bytes(many_entries(1_000_000, long=long))
    tracemalloc.start()
    with pytest.raises(LimitExceeded, match="set.zip"):
        read_rois(tmp_path / "set.zip")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


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


@pytest.mark.parametrize("count", [-1, -70_000, 2**31 - 1])
def test_a_lying_large_number_of_points_is_refused(tmp_path: Path, count: int) -> None:
    data = bytearray(polygon([(1, 1), (4, 1), (4, 4)]))
    data[16:18], data[18:22] = bytes(2), count.to_bytes(4, "big", signed=True)
    (tmp_path / "lie.roi").write_bytes(data)
    with pytest.raises(DamagedFile, match=r"lie\.roi"):
        read_rois(tmp_path / "lie.roi")


@pytest.mark.parametrize("length", [-44, 42, 2**31 - 1])
def test_a_lying_length_of_a_composite_is_refused(fiji: Path, tmp_path: Path, length: int) -> None:
    data = bytearray((fiji / "composite-brush-donut.roi").read_bytes())
    data[36:40] = length.to_bytes(4, "big", signed=True)
    (tmp_path / "lie.roi").write_bytes(data)
    with pytest.raises(DamagedFile, match=r"lie\.roi"):
        read_rois(tmp_path / "lie.roi")


def test_a_lying_length_of_a_name_is_refused(tmp_path: Path) -> None:
    data = bytearray(polygon([(1, 1), (4, 1), (4, 4)]))
    second = int.from_bytes(data[60:64], "big")
    data[second + 20 : second + 24] = (10_000).to_bytes(4, "big")
    (tmp_path / "lie.roi").write_bytes(data)
    with pytest.raises(DamagedFile, match=r"lie\.roi"):
        read_rois(tmp_path / "lie.roi")


@pytest.mark.parametrize("path", [[7.0, 1, 1], [1.0, 1, 1], [0.5, 1, 1], [0, 1], [0, np.nan, 1], [0, 1, 1, 3, 1, 1, 1]])
def test_wrong_paths_are_refused(path: list[float]) -> None:
    with pytest.raises(ValueError, match="composite"):
        path_rings(np.array(path, np.float32))


def test_curves_of_a_composite_become_chords() -> None:
    k = 20 * 4 / 3 * (np.sqrt(2) - 1)  # a quarter of a circle of radius 20
    corners = [(20, 0), (0, 20), (-20, 0), (0, -20), (20, 0)]
    path = [0.0, 50, 30]
    for (ax, ay), (bx, by) in itertools.pairwise(corners):
        s, t = k / 20, k / 20
        path += [3, 30 + ax + s * bx, 30 + ay + s * by, 30 + bx + t * ax, 30 + by + t * ay, 30 + bx, 30 + by]
    (ring,) = path_rings(np.array([*path, 4], np.float32))
    assert abs(polygon_area(ring)) == pytest.approx(np.pi * 400, rel=1e-3)
    (flat,) = path_rings(np.array([0, 0, 0, 2, 5, 10, 10, 0, 4], np.float32))
    assert flat[:, 1].max() == pytest.approx(5, abs=0.1)


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


@pytest.mark.parametrize("name", ["composite-brush-donut", "composite-oval-in-rect", "composite-two-ellipses"])
def test_composites_of_fiji_have_the_paths_that_fiji_states(fiji: Path, name: str) -> None:
    stated = json.loads((fiji / f"{name}.json").read_text())[name]["paths"]
    (roi,) = read_rois(fiji / f"{name}.roi")
    assert len(roi.rings) == len(stated)
    for ring, wanted in zip(roi.rings, stated, strict=True):
        points = np.array(wanted)
        np.testing.assert_allclose(ring[: len(points)], points[: len(ring)], atol=1e-5)
        assert abs(len(ring) - len(points)) <= 1  # the first point may stand again at the end


@pytest.mark.parametrize(
    "name", ["ellipse-left", "oval-left", "oval-top", "rectangle", "point", "polyline", "freeline"]
)
def test_other_files_of_fiji_are_read_as_roifile_reads_them(fiji: Path, name: str) -> None:
    wanted = roifile.roiread(fiji / f"{name}.roi")
    (roi,) = read_rois(fiji / f"{name}.roi")
    assert roi.name == (wanted.name or name)
    if name.startswith(("oval", "rectangle")):
        low, high = roi.rings[0].min(axis=0), roi.rings[0].max(axis=0)
        assert [*low, *high] == [wanted.left, wanted.top, wanted.right, wanted.bottom]
    else:
        np.testing.assert_array_equal(roi.rings[0], wanted.coordinates())
    stated = json.loads((fiji / f"{name}.json").read_text())[name]
    if "x" in stated:
        np.testing.assert_allclose(roi.rings[0], np.column_stack([stated["x"], stated["y"]]), atol=1e-5)


def test_a_zip_of_fiji_is_read_as_roifile_reads_it(fiji: Path) -> None:
    path = fiji / "usiigaci_set21_RoiSet.zip"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there")
    for roi, wanted in zip(read_rois(path), roifile.roiread(path), strict=True):
        assert roi.name == wanted.name
        np.testing.assert_array_equal(roi.rings[0], wanted.coordinates())
