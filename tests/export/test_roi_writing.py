"""ROI files as ImageJ writes them: read by roifile, by us, and by ImageJ itself where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import roifile
from roifile import ROI_OPTIONS, ROI_TYPE

from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import InputError, OutputError
from cellmetry.export.content import make_content
from cellmetry.export.forms.rois import Rois
from cellmetry.export.frame import Frame, frame_of_labels
from cellmetry.export.roi_properties import format_properties, parse_properties
from cellmetry.export.roi_writing import RoiFacts, pack_roi
from cellmetry.export.rois import read_rois, roi_instance
from cellmetry.ops.instances import paint_instances
from cellmetry.testing.exporter import label_cases

IMAGEJ = Path("/usr/share/java/ij.jar")
SQUARE = [[np.array([[2, 3], [9, 3], [9, 8], [2, 8]], np.int32)]]
FAR = {"near": 40, "signed": 32_760, "unsigned": 40_000, "past 16 bits": 65_530, "far": 100_000}


def write(array: np.ndarray, path: Path, **options: object) -> Path:
    Rois(**options).write(make_content(labels_from_array(array), "a"), path)
    return path


def far_labels(start: int) -> np.ndarray:
    """Return a simple object and one with a hole, `start` columns to the right."""
    labels = np.zeros((30, start + 40), np.uint32)
    labels[3:9, start : start + 20], labels[5, start + 4] = 1, 0
    labels[12:20, start + 1 : start + 12] = 70_001
    labels[25, start + 30] = 9
    return labels


def test_an_object_is_a_traced_roi_on_corners_of_pixels() -> None:
    read = roifile.ImagejRoi.frombytes(pack_roi(SQUARE, RoiFacts("7")))
    assert read.roitype == ROI_TYPE.TRACED
    assert (read.name, read.left, read.top, read.right, read.bottom) == ("7", 2, 3, 9, 8)
    np.testing.assert_array_equal(read.coordinates(), SQUARE[0][0])
    assert not read.options & ROI_OPTIONS.SUB_PIXEL_RESOLUTION


def test_facts_are_read_by_roifile() -> None:
    facts = RoiFacts("Zelle µ", 5, 2, 3, 200, "#ff8000", {"area um2": 1.5})
    read = roifile.ImagejRoi.frombytes(pack_roi(SQUARE, facts))
    assert (read.name, read.position, read.z_position, read.t_position) == ("Zelle µ", 5, 2, 3)
    assert (read.group, read.hexcolor(read.stroke_color)) == (200, "#ff8000")
    assert read.props == "area\\ um2: 1.5\n"


@pytest.mark.parametrize("start", FAR.values(), ids=FAR)
def test_far_coordinates_are_exact(start: int, tmp_path: Path) -> None:
    labels = far_labels(start)
    path = write(labels, tmp_path / "a.zip")
    for read in roifile.roiread(path):
        rows, columns = np.nonzero(labels == int(read.name))
        points = np.concatenate(read.coordinates(multi=True))
        assert points.min(axis=0).tolist() == [columns.min(), rows.min()]
        assert points.max(axis=0).tolist() == [columns.max() + 1, rows.max() + 1]
    found = Rois().read(path, Frame(labels.shape))
    np.testing.assert_array_equal(found.labels.read(), labels)


def test_coordinates_that_no_float_holds_are_refused() -> None:
    far = [[SQUARE[0][0] + np.array([1 << 24, 0], np.int32)]]
    with pytest.raises(OutputError, match="16,777,216"):
        pack_roi(far, RoiFacts("7"))


def test_an_outline_of_very_many_corners_comes_back(tmp_path: Path) -> None:
    comb = np.zeros((4, 40_000), np.uint32)
    comb[2:], comb[:2, ::2] = 5, 5
    path = write(comb, tmp_path / "a.zip")
    (read,) = roifile.roiread(path)
    assert read.composite
    np.testing.assert_array_equal(Rois().read(path, Frame(comb.shape)).labels.read(), comb)


def test_more_rois_than_a_short_zip_may_list_come_back(tmp_path: Path) -> None:
    labels = np.zeros((2 * 265, 2 * 265), np.uint32)
    labels[::2, ::2] = np.arange(1, 265**2 + 1).reshape(265, 265)  # 70,225 objects
    path = write(labels, tmp_path / "a.zip")
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 265**2
    np.testing.assert_array_equal(Rois().read(path, Frame(labels.shape)).labels.read(), labels)


def test_positions_say_the_plane_of_a_stack(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 6, 7), np.uint32)
    array[1, 2, 2:4, 2:5] = 4
    cases = [
        (Labels(array[1], "ZYX"), {}, (3, 0, 0)),
        (Labels(array[:, 2], "TYX"), {}, (2, 0, 0)),
        (Labels(array, "TZYX"), {}, (0, 3, 2)),
        (Labels(array, "TZYX"), {"positions": "stack"}, (6, 0, 0)),
        (Labels(array[1], "ZYX"), {"positions": "hyperstack"}, (0, 3, 1)),
    ]
    for labels, options, wanted in cases:
        made = Rois(**options)
        made.write(make_content(labels, "a"), tmp_path / "a.zip")
        (read,) = roifile.roiread(tmp_path / "a.zip")
        assert (read.position, read.z_position, read.t_position) == wanted
        found = made.read(tmp_path / "a.zip", frame_of_labels(labels)).labels
        np.testing.assert_array_equal(found.read(), labels.read())


def test_positions_of_a_stack_of_channels_are_counted_with_them(tmp_path: Path) -> None:
    roi = roifile.ImagejRoi.frombytes(pack_roi(SQUARE, RoiFacts("7", position=6)))
    roi.tofile(tmp_path / "a.roi")
    found = Rois().read(tmp_path / "a.roi", Frame((3, 12, 12), "ZYX", channels=3)).labels.read()
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [1]  # plane 6 of C C C  C C C is the second along Z


@pytest.mark.parametrize(
    ("facts", "frame", "words"),
    [
        (RoiFacts("7"), Frame((3, 12, 12), "ZYX"), "does not say on which plane"),
        (RoiFacts("7", position=4), Frame((3, 12, 12), "ZYX"), "plane 4"),
        (RoiFacts("7", z=4, t=1), Frame((3, 12, 12), "ZYX"), "Z 4"),
        (RoiFacts("7", position=2), Frame((12, 12)), "plane 2"),
        (RoiFacts("7", z=2, t=1), Frame((12, 12)), "--like"),
    ],
)
def test_a_plane_that_is_not_there_is_refused(facts: RoiFacts, frame: Frame, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.roi").write_bytes(pack_roi(SQUARE, facts))
    with pytest.raises(InputError, match=words):
        Rois().read(tmp_path / "a.roi", frame)


def test_the_plane_in_a_name_of_the_roi_manager_counts(tmp_path: Path) -> None:
    (tmp_path / "a.roi").write_bytes(pack_roi(SQUARE, RoiFacts("0002-0005-0006")))
    found = Rois().read(tmp_path / "a.roi", Frame((3, 12, 12), "ZYX")).labels.read()
    assert np.unique(found[1]).tolist() == [0, 1]


def test_classes_are_groups_with_colours(tmp_path: Path) -> None:
    table = pd.DataFrame({"label": [1, 2, 3], "kind": ["b", "a", None], "size": [1.5, np.nan, 3]})
    content = make_content(labels_from_array(label_cases()["touching"]), "a", table, "kind")
    Rois().write(content, tmp_path / "a.zip")
    found = {roi.name: roi for roi in read_rois(tmp_path / "a.zip")}
    assert [found[name].group for name in "123"] == [2, 1, 0]
    assert found["1"].colour != found["2"].colour
    assert found["3"].colour == ""
    assert [dict(found[name].properties) for name in "123"] == [
        {"class": "b", "size": "1.5"},
        {"class": "a"},
        {"size": "3.0"},
    ]


def test_more_classes_than_groups_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"label": np.arange(1, 257), "kind": [f"class {k}" for k in range(256)]})
    labels = labels_from_array(np.arange(257, dtype=np.uint32)[None])
    with pytest.raises(OutputError, match="255 groups"):
        Rois().write(make_content(labels, "a", table, "kind"), tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["area um2", "a:b=c", "#x", "µ", "a\\b", "two\nlines"])
@pytest.mark.parametrize("value", ["1.5", " led by a blank", "a\\b: c", "two\nlines", ""])
def test_properties_are_written_and_read(name: str, value: str) -> None:
    assert parse_properties(format_properties({name: value, "last": 2})) == {name: value, "last": "2"}


def test_properties_are_read_as_java_reads_them() -> None:
    text = "# a comment\nkey = value\nother:x\nlong: a\\\n   b\numl\\u00e4ut: \\u00fc\nempty\n"
    wanted = {"key": "value", "other": "x", "long": "ab", "umläut": "ü", "empty": ""}
    assert parse_properties(text) == wanted


def imagej(path: Path, shape: tuple[int, int], folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return what ImageJ says of each ROI of a zip, and the labels that it makes of them, numbered from 1."""
    java = shutil.which("java")
    if java is None or not IMAGEJ.is_file():
        pytest.skip("no ImageJ here")
    code = Path(__file__).parent / "java" / "Masks.java"
    command = [java, "-Djava.awt.headless=true", "-cp", str(IMAGEJ), str(code), str(path), str(shape[1]), str(shape[0])]
    subprocess.run([*command, str(folder / "said.tsv"), str(folder / "labels")], check=True, capture_output=True)
    said = pd.read_csv(folder / "said.tsv", sep="\t", keep_default_na=False)
    return said, np.fromfile(folder / "labels", ">u2").reshape(shape).astype(np.int64)


def test_imagej_takes_the_same_pixels(tmp_path: Path) -> None:
    small = np.random.default_rng(0).integers(0, 40, (40, 60))
    array = np.kron(small, np.ones((2, 3), int)).astype(np.uint32)
    array[:12, :12], array[3, 3] = 0, 99
    said, labels = imagej(write(array, tmp_path / "a.zip"), array.shape, tmp_path)
    ids = np.concatenate([[0], said["name"]])
    np.testing.assert_array_equal(ids[labels], array)
    assert said["area"].tolist() == np.bincount(array.ravel())[ids[1:]].tolist()
    assert set(said["type"]) == {"Composite", "Traced"}


@pytest.mark.parametrize("start", FAR.values(), ids=FAR)
def test_imagej_takes_the_same_pixels_far_out(start: int, tmp_path: Path) -> None:
    array = far_labels(start)
    said, labels = imagej(write(array, tmp_path / "a.zip"), array.shape, tmp_path)
    np.testing.assert_array_equal(np.concatenate([[0], said["name"]])[labels], array)


def test_imagej_reads_positions_and_properties(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 6, 7), np.uint32)
    array[1, 2, 2:4, 2:5] = 4
    table = pd.DataFrame({"label": [4], "mean GFP": [2.5]})
    Rois().write(make_content(Labels(array, "TZYX"), "a", table), tmp_path / "a.zip")
    said, _ = imagej(tmp_path / "a.zip", (6, 7), tmp_path)
    assert said.loc[0, ["name", "z", "t"]].tolist() == [4, 3, 2]
    assert said.loc[0, "properties"] == "mean GFP: 2.5|"


def ovals() -> list[roifile.ImagejRoi]:
    return [
        roifile.ImagejRoi(roitype=ROI_TYPE.OVAL, left=30 * w, top=30 * h, right=31 * w, bottom=31 * h, version=227)
        for h in range(1, 25)
        for w in range(1, 25)
    ]  # fmt: skip


def freehands() -> list[roifile.ImagejRoi]:
    random, made = np.random.default_rng(1), []
    for k in range(300):
        turn = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 15)))
        points = random.uniform(3, 15, (len(turn), 1)) * np.column_stack([np.cos(turn), np.sin(turn)])
        middle = np.array([20 + 40 * (k % 20), 20 + 40 * (k // 20)])
        made.append(roifile.ImagejRoi.frompoints((points + middle).astype(np.float32)))
    return made


@pytest.mark.parametrize("drawn", [ovals, freehands])
def test_what_fiji_draws_has_the_pixels_that_imagej_gives_it(drawn: object, tmp_path: Path) -> None:
    shape = (820, 820)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, roi in enumerate(drawn()):
            archive.writestr(f"{number}.roi", roi.tobytes())
    _, labels = imagej(tmp_path / "a.zip", shape, tmp_path)
    ours = paint_instances([roi_instance(roi, shape) for roi in read_rois(tmp_path / "a.zip")], shape, overlap="later")
    np.testing.assert_array_equal(ours.labels, labels)


def test_a_centre_on_an_edge_belongs_to_the_left_of_it_as_in_imagej(tmp_path: Path) -> None:
    triangle = roifile.ImagejRoi.frompoints(np.array([(0, 4), (4, 0), (8, 4)], int))  # edges pass through centres
    triangle.tofile(tmp_path / "a.roi")
    (roi,) = read_rois(tmp_path / "a.roi")
    found = paint_instances([roi_instance(roi, (5, 9))], (5, 9)).labels
    wanted = [[4], [3, 4, 5], [2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7]]
    assert [np.flatnonzero(row).tolist() for row in found[:4]] == wanted
