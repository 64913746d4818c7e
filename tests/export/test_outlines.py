"""Drawn outlines to labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cellmetry.errors import DamagedFile
from cellmetry.export.outlines import OutlineForm, labels_from_outlines


def rings(*discs: tuple[float, float, float], shape: tuple[int, int] = (100, 120), thick: float = 1.5) -> np.ndarray:
    """Return a picture with a bright ring of each radius around each centre."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.any([np.abs(np.hypot(y - cy, x - cx) - r) < thick / 2 for cy, cx, r in discs], axis=0) * np.uint8(255)


def made(picture: np.ndarray, **form: Any) -> np.ndarray:
    return labels_from_outlines(picture, OutlineForm(**form)).labels


@pytest.mark.parametrize("invert", [False, True])
def test_both_shades_give_the_same_objects(invert: bool) -> None:
    picture = rings((30, 30, 15), (60, 80, 25))
    labels = made(255 - picture if invert else picture)
    assert labels.max() == 2
    assert np.bincount(labels.ravel())[1:].tolist() == pytest.approx([np.pi * 225, np.pi * 625], rel=0.05)


def test_touching_cells_share_a_line_and_stay_two() -> None:
    picture = np.zeros((30, 40), np.uint8)
    picture[5, 5:35] = picture[25, 5:35] = picture[5:26, [5, 20, 34]] = 255
    labels = made(picture)
    assert labels.max() == 2
    assert np.count_nonzero(labels == 0) == 30 * 40 - 21 * 30 + 6  # the line's corners and joints are nearer to ground
    assert not (made(picture, line_pixels="object")[5:26, 5:35] == 0).any()
    assert made(picture, line_pixels="background")[:, 20].max() == 0


def test_nested_outlines_are_objects_or_holes() -> None:
    picture = rings((50, 60, 40), (50, 60, 15), (50, 60, 5))
    labels = made(picture)
    assert sorted({labels[50, 60], labels[50, 70], labels[50, 85]}) == [1, 2, 3]
    holes = made(picture, nested="holes")
    assert holes[50, 70] == 0
    assert len({holes[50, 60], holes[50, 85]}) == holes.max() == 2


def test_cells_cut_by_the_edge_are_objects_and_the_ground_is_not() -> None:
    picture = rings((50, 60, 20), (0, 30, 15), (99, 119, 18))
    found = labels_from_outlines(picture)
    assert found.labels.max() == 3
    assert found.at_border == 2
    assert found.labels[2, 30] > 0
    assert found.labels[97, 115] > 0
    assert found.labels[0, 119] == found.labels[50, 5] == 0
    assert made(picture, border="background").max() == 1


def test_ground_between_cells_at_the_edge_stays_ground() -> None:
    picture = rings((8, 20, 14), (8, 49, 14), (8, 78, 14), (60, 60, 25))
    found = labels_from_outlines(picture)
    assert found.labels.max() == 4
    assert found.labels[95, 2] == found.labels[0, 34] == 0
    assert found.unsure[0, 34]
    assert not found.unsure[95, 2]


def test_dented_areas_at_the_edge_are_left_open() -> None:
    picture = rings((60, 60, 25))
    picture[0:21, 30] = picture[20, 30:71] = picture[0:21, 70] = picture[12, 40:61] = 255
    picture[0:13, [40, 60]] = 255
    found = labels_from_outlines(picture)
    assert found.unsure[15, 35]
    assert found.labels[15, 35] == 0
    assert not labels_from_outlines(picture, OutlineForm(border="background")).unsure.any()


def test_an_open_outline_is_told_and_makes_no_object() -> None:
    picture = rings((50, 60, 20))
    picture[48:53, 70:] = 0
    found = labels_from_outlines(picture)
    assert (found.labels.max(), found.open_lines) == (0, 1)


def test_gaps_between_lines_are_no_objects() -> None:
    picture = rings((50, 40, 20), thick=3)
    picture[50, 40 - 20] = 0
    found = labels_from_outlines(picture)
    assert (found.labels.max(), found.small_areas) == (1, 1)


def test_a_line_of_even_width_is_split_between_both_sides() -> None:
    picture = np.zeros((20, 20), np.uint8)
    picture[4:16, 4:16] = 1
    picture[6:14, 6:14] = 0
    assert np.count_nonzero(made(picture)) == 100
    assert np.count_nonzero(made(picture, line_pixels="object")) == 144
    assert np.count_nonzero(made(picture, line_pixels="background")) == 64


def test_filled_cells_are_refused_and_an_empty_picture_is_not() -> None:
    y, x = np.mgrid[:100, :100]
    with pytest.raises(DamagedFile, match="no drawing of outlines"):
        made(((y - 50) ** 2 + (x - 50) ** 2 < 900) * 255)
    assert made(np.zeros((10, 10), np.uint8)).max() == 0
    assert made(np.zeros((0, 0), np.uint8)).shape == (0, 0)


def test_sixteen_bit_and_more_than_65535_objects() -> None:
    picture = np.full((1100, 1100), 60_000, np.uint16)
    picture[1::4, 1::4] = picture[2::4, 1::4] = picture[1::4, 2::4] = picture[2::4, 2::4] = 0
    labels = made(picture, least_area_px=1, lines="bright", line_pixels="background")
    assert labels.max() == 275 * 275
