"""Pictures of masks show each edge in its colour, also where several lie on each other, and say what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.report.masks import MASK_COLOURS, MaskOptions, draw_masks
from cellmetry.report.panels import Swatch, add_legend

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image

BARE = MaskOptions(
    ids=False, scale_bar=False, outline_px=1, enlarge_to=1, legend=False, fill=0.0, outline_colour="#ffffff"
)
RED, GREEN = "#ff0000", "#00ff00"


def _black(shape: tuple[int, ...] = (90, 120)) -> Image:
    return image_from_array(np.zeros(shape, np.uint16))


def _box(y: slice, x: slice, value: int = 1, shape: tuple[int, int] = (90, 120)) -> NDArray[np.uint32]:
    labels = np.zeros(shape, np.uint32)
    labels[y, x] = value
    return labels


@pytest.fixture
def cell() -> Labels:
    return labels_from_array(_box(slice(20, 70), slice(30, 90)))


def _is(rgb: NDArray[np.uint8], colour: str) -> NDArray[np.bool_]:
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    found: NDArray[np.bool_] = (rgb == wanted).all(axis=-1)
    return found


def test_cell_edge_and_mask_edge_have_their_own_colours_and_places(cell: Labels) -> None:
    mask = labels_from_array(_box(slice(40, 60), slice(50, 70)))
    rgb = draw_masks(_black(), cell, {"target_mask": mask}, BARE)
    assert rgb.shape == (90, 120, 3)
    assert rgb.dtype == np.uint8
    assert np.flatnonzero(_is(rgb, "#ffffff")[50]).tolist() == [30, 89]
    assert np.flatnonzero(_is(rgb, MASK_COLOURS["target_mask"])[50]).tolist() == [50, 69]


def test_ring_outside_of_its_cell_is_drawn_and_bounds_those_of_neighbours() -> None:
    ring = _box(slice(10, 80), slice(10, 60), 1) + _box(slice(10, 80), slice(60, 110), 2)
    options = BARE.model_copy(update={"mask_colours": (RED,), "outlines": False})
    rgb = draw_masks(_black(), labels_from_array(_box(slice(40, 50), slice(30, 40))), {"ring": Labels(ring)}, options)
    assert np.flatnonzero(_is(rgb, RED)[30]).tolist() == [10, 59, 60, 109]


def test_lines_on_the_same_pixels_take_turns_so_that_none_is_hidden(cell: Labels) -> None:
    options = BARE.model_copy(update={"mask_colours": (RED, GREEN)})
    rgb = draw_masks(_black(), cell, {"a": cell, "b": cell}, options)
    edge = np.zeros((90, 120), bool)
    edge[20:70, 30:90] = True
    edge[21:69, 31:89] = False
    counts = [int(_is(rgb, colour)[edge].sum()) for colour in ("#ffffff", RED, GREEN)]
    assert sum(counts) == edge.sum()
    assert min(counts) > 0.2 * edge.sum()


def test_inside_of_a_mask_is_tinted_by_the_mean_of_the_colours_there(cell: Labels) -> None:
    options = BARE.model_copy(update={"mask_colours": (RED, GREEN), "fill": 0.5})
    half = labels_from_array(_box(slice(20, 70), slice(30, 60)))
    rgb = draw_masks(_black(), cell, {"a": cell, "b": half}, options)
    assert rgb[45, 75].tolist() == [128, 0, 0]
    assert rgb[45, 45].tolist() == [64, 64, 0]
    assert not rgb[5].any()


def test_white_edge_is_seen_on_a_white_image(cell: Labels) -> None:
    white = image_from_array(np.full((90, 120), 100, np.uint16))
    options = BARE.model_copy(update={"limits": ((0.0, 100.0),)})
    rgb = draw_masks(white, cell, {}, options)
    assert _is(rgb, "#ffffff")[45, 30]
    assert rgb[45, 29].max() < 130
    assert rgb[45, 31].max() < 130


def test_usual_masks_keep_their_colours_whatever_is_drawn_with_them(cell: Labels) -> None:
    small = labels_from_array(_box(slice(40, 50), slice(50, 60)))
    for masks in ({"radial_mask": small}, {"other": cell, "radial_mask": small}):
        rgb = draw_masks(_black(), cell, masks, BARE)
        assert _is(rgb, MASK_COLOURS["radial_mask"])[40, 55]


def test_legend_stands_below_and_has_every_colour(cell: Labels) -> None:
    options = BARE.model_copy(update={"legend": True, "mask_colours": (RED, GREEN)})
    bare = draw_masks(_black(), cell, {"a": cell, "b": cell}, BARE.model_copy(update={"mask_colours": (RED, GREEN)}))
    rgb = draw_masks(_black(), cell, {"a": cell, "b": cell}, options)
    np.testing.assert_array_equal(rgb[:90, :120], bare)
    panel = rgb[90:]
    assert all(_is(panel, colour).any() for colour in ("#ffffff", RED, GREEN))


def test_legend_breaks_into_lines_and_widens_narrow_pictures() -> None:
    red = np.array([255, 0, 0], np.uint8)
    three = [Swatch(f"mask number {place}", red, 0.2) for place in range(3)]
    wide = add_legend(np.zeros((50, 1000, 3), np.uint8), three)
    narrow = add_legend(np.zeros((50, 8, 3), np.uint8), three)
    assert wide.shape[1] == 1000
    assert narrow.shape[1] > 90
    rows = [int(np.diff(_is(rgb[50:], "#ff0000").any(axis=1).astype(int)).clip(0).sum()) for rgb in (wide, narrow)]
    assert rows == [1, 3]


@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (7, 300)])
def test_no_cell_no_mask_and_tiny_images_are_drawn(shape: tuple[int, int]) -> None:
    none = labels_from_array(np.zeros(shape, np.uint32))
    rgb = draw_masks(_black(shape), none, {"target_mask": none})
    assert rgb.shape[2] == 3
    assert draw_masks(_black(shape), none, {}).dtype == np.uint8


def test_large_images_are_shrunk_with_their_masks() -> None:
    labels = np.zeros((4096, 4096), np.uint32)
    labels[1000:3000, 1000:3000] = 1
    options = BARE.model_copy(update={"mask_colours": (RED,), "longest_side": 512})
    rgb = draw_masks(_black((4096, 4096)), Labels(labels), {"a": Labels(labels)}, options)
    assert rgb.shape == (512, 512, 3)
    assert _is(rgb, RED).any()


def test_the_plane_asked_for_is_drawn() -> None:
    labels = np.zeros((3, 40, 40), np.uint32)
    labels[2, 10:30, 10:30] = 1
    image = image_from_array(np.zeros((3, 40, 40), np.uint16), "ZYX")
    cells = Labels(labels, "ZYX")
    options = BARE.model_copy(update={"place": False})
    assert not draw_masks(image, cells, {"a": cells}, options).any()
    assert draw_masks(image, cells, {"a": cells}, options, z=2).any()


def test_what_does_not_fit_is_refused(cell: Labels) -> None:
    with pytest.raises(LabelsError, match="are not of the size"):
        draw_masks(_black(), cell, {"a": labels_from_array(np.zeros((5, 5), np.uint32))})
    with pytest.raises(ParameterError, match="mask_colours has 1 entries for 2 masks"):
        draw_masks(_black(), cell, {"a": cell, "b": cell}, MaskOptions(mask_colours=(RED,)))


def test_nothing_is_changed_in_place(cell: Labels) -> None:
    pixels = np.random.default_rng(0).integers(0, 99, (90, 120), dtype=np.uint16)
    before = pixels.copy(), cell.read().copy()
    draw_masks(image_from_array(pixels), cell, {"target_mask": cell})
    np.testing.assert_array_equal(pixels, before[0])
    np.testing.assert_array_equal(cell.read(), before[1])
