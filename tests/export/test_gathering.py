"""Outlines to labels: who keeps which id, who gets a pixel, and what is said of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.labels import labels_from_array
from cellmetry.errors import InputError, LabelsError, ParameterError
from cellmetry.export.content import make_content
from cellmetry.export.frame import Frame
from cellmetry.export.gathering import Drawn, gather, label_id

FRAME = Frame((20, 30))


def box(x0: float, y0: float, x1: float, y1: float) -> tuple[np.ndarray]:
    return (np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float),)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("7", 7), ("0007", 7), (" 7 ", 7), ("12-z3", 12), ("12-t2-z3", 12), ("4294967295", 2**32 - 1),
     ("4294967296", None), ("0", None), ("-3", None), ("0123-0456", None), ("cell 7", None), ("", None), ("7.5", None),
     ("99999999999999999999", None), ("٣", None)],
)  # fmt: skip
def test_names_that_are_ids(name: str, wanted: int | None) -> None:
    assert label_id(name) == wanted


def test_ids_come_from_names_and_others_are_numbered_after_them() -> None:
    drawn = [Drawn("wing", (), box(0, 0, 2, 2)), Drawn("40", (), box(4, 0, 6, 2)), Drawn("", (), box(8, 0, 10, 2))]
    found = gather(drawn, FRAME, "smaller")
    assert np.unique(found.labels.read()).tolist() == [0, 40, 41, 42]
    assert found.objects.set_index("label")["name"].to_dict() == {41: "wing", 40: "40", 42: ""}
    assert found.notes == (
        "2 outlines have no label id as their name (the first: 'wing') and were numbered from the next free id, 41.",
    )


def test_a_name_twice_on_a_plane_is_two_objects_and_on_two_planes_one() -> None:
    drawn = [Drawn("3", (0,), box(0, 0, 2, 2)), Drawn("3", (0,), box(4, 0, 6, 2)), Drawn("3", (1,), box(4, 0, 6, 2))]
    found = gather(drawn, Frame((2, 20, 30), "ZYX"), "smaller")
    assert np.unique(found.labels.read()[0]).tolist() == [0, 3, 4]
    assert np.unique(found.labels.read()[1]).tolist() == [0, 3]
    assert "1 outlines have the name of an earlier one" in found.notes[0]
    assert found.objects["z"].tolist() == [0, 0, 1]


@pytest.mark.parametrize(("overlap", "areas"), [("smaller", [91, 9]), ("later", [91, 9]), ("earlier", [100, 0])])
def test_overlaps_follow_the_rule_and_are_counted(overlap: str, areas: list[int]) -> None:
    drawn = [Drawn("1", (), box(0, 0, 10, 10)), Drawn("2", (), box(2, 2, 5, 5))]
    found = gather(drawn, FRAME, overlap)
    assert np.bincount(found.labels.read().ravel(), minlength=3)[1:].tolist() == areas
    assert found.notes[0].startswith("9 pixels lie in more than one outline")
    assert ("lie wholly under others" in " ".join(found.notes)) == (overlap == "earlier")


def test_outlines_outside_are_told_and_all_outside_is_refused() -> None:
    out, cut = Drawn("1", (), box(100, 100, 110, 110)), Drawn("2", (), box(-5, -5, 3, 3))
    found = gather([out, cut, Drawn("3", (), box(5, 5, 5.2, 5.2))], FRAME, "smaller")
    assert np.unique(found.labels.read()).tolist() == [0, 2]
    assert found.notes == (
        "2 outlines have no pixel in the image and are not in the labels (the first: '1').",
        "1 outlines reach beyond the image and were cut at its edge (the first: '2').",
    )
    with pytest.raises(InputError, match="20 × 30"):
        gather([out], FRAME, "smaller")


def test_no_outline_is_no_error() -> None:
    found = gather([], FRAME, "smaller")
    assert found.labels.read().max() == 0
    assert found.notes == ()


def test_no_id_left_is_told() -> None:
    drawn = [Drawn(str(2**32 - 1), (), box(0, 0, 2, 2)), Drawn("", (), box(4, 0, 6, 2))]
    with pytest.raises(LabelsError, match="4294967295"):
        gather(drawn, FRAME, "smaller")


def test_every_column_is_described() -> None:
    drawn = [Drawn("1", (), box(0, 0, 2, 2), values={"colour": "#ff0000", "label": 3.0})]
    objects = gather(drawn, FRAME, "smaller").objects
    assert [column.name for column in objects.attrs["columns"]] == objects.columns.tolist()
    assert objects["label_given"].tolist() == [3.0]


@pytest.mark.parametrize(
    ("shape", "axes", "words"),
    [
        ((3, 4, 5), "YX", "--axes"),
        ((4, 5), "XY", "TZYX"),
        ((0, 5), "YX", "impossible"),
        ((4, 1 << 25), "YX", "impossible"),
    ],
)
def test_impossible_frames_are_refused(shape: tuple[int, ...], axes: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Frame(shape, axes)


def test_tables_are_checked() -> None:
    labels = labels_from_array(np.eye(3, dtype=np.uint32))
    with pytest.raises(ParameterError, match="no column 'label'"):
        make_content(labels, "a", pd.DataFrame({"area": [1]}))
    with pytest.raises(ParameterError, match="no column 'kind'"):
        make_content(labels, "a", pd.DataFrame({"label": [1]}), "kind")
    with pytest.raises(ParameterError, match="two rows for the object 1"):
        make_content(labels, "a", pd.DataFrame({"label": [1, 1]}))
    with pytest.raises(ParameterError, match="needs a table"):
        make_content(labels, "a", None, "kind")


def test_a_row_of_a_volume_stands_for_all_its_planes() -> None:
    labels = labels_from_array(np.ones((2, 3, 4), np.uint32), "ZYX")
    content = make_content(labels, "a", pd.DataFrame({"label": [1], "volume": [24]}))
    assert [plane.fact(1).values for plane in content.planes()] == [{"volume": 24.0}] * 2
    apart = make_content(labels, "a", pd.DataFrame({"label": [1, 1], "z": [0, 1], "area": [5, 6]}))
    assert [plane.fact(1).values for plane in apart.planes()] == [{"area": 5.0}, {"area": 6.0}]
