"""Each cell's own background: gradients, crowded cells, µm, stacks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import cellmetry as cm
from cellmetry.core.image import Box, PixelSize
from cellmetry.core.labels import Labels
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError, PixelSizeNeeded
from cellmetry.measure.local_background import LocalSubtraction, RingStatistic, SubtractLocal, local_backgrounds
from cellmetry.measure.options import MeasureOptions
from cellmetry.ops.cell_rings import CellRings
from cellmetry.ops.correct import PlaneReader
from cellmetry.ops.regions import Width, ring_labels

SHAPE = (130, 170)


def discs(pitch: int = 40, radius: float = 8.0) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    near = np.hypot(y % pitch - pitch // 2, x % pitch - pitch // 2) <= radius
    return np.where(near, 1 + (y // pitch) * 10 + x // pitch, 0).astype(np.uint32)


def gradient() -> np.ndarray:
    """Return a background that rises in both directions."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (100 + 0.5 * y + 2.0 * x).astype(np.float32)


def sample_of(array: np.ndarray, labels: np.ndarray, axes: str = "YX", label_axes: str = "YX", um=None) -> Sample:
    return Sample(
        cm.image_from_array(array, axes, pixel_size_um=um), {"cells": cm.labels_from_array(labels, label_axes)}
    )


def cells_inside(labels: np.ndarray) -> list[int]:
    """Return the cells whose surroundings the border does not cut."""
    return [n for n in np.unique(labels)[1:] if np.ptp(np.argwhere(labels == n), axis=0).min() >= 14]


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_gradient_goes_and_the_signal_stays(statistic):
    labels = discs()
    image = gradient() + 50 * (labels > 0)
    made = SubtractLocal(width_px=6, gap_px=2, statistic=statistic)(sample_of(image, labels))
    options = MeasureOptions(features=("intensity",))
    measured = cm.measure(made.image, made.labels["cells"], options)
    kept = measured["label"].isin(cells_inside(labels))
    assert kept.sum() == 12
    np.testing.assert_allclose(measured["mean_channel0"][kept], 50, atol=0.6)
    assert cm.measure(cm.image_from_array(image), made.labels["cells"], options)["mean_channel0"].std() > 50


def brute(image: np.ndarray, labels: np.ndarray, rings: np.ndarray, of, least: int) -> dict[int, float]:
    """Return the background of each cell by looking at one after the other."""
    ids = [int(n) for n in np.unique(labels) if n]
    own = {n: float(of(image[rings == n])) for n in ids if (rings == n).sum() >= least}
    return {n: own.get(n, float(np.median(list(own.values())))) for n in ids}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 3.5, 9.0]), st.sampled_from([0.0, 1.0, 2.5]), st.booleans())
def test_as_by_looking_at_each_cell(seed, width, gap, middle):
    rng = np.random.default_rng(seed)
    labels = discs(25, 9.0) * (rng.random(SHAPE) < 0.995)
    image = rng.integers(0, 500, SHAPE).astype(np.uint16)
    sample = sample_of(image, labels)
    rings = ring_labels(sample.labels["cells"], Width(width, gap)).read()
    name = "median" if middle else "mean"
    made = SubtractLocal(width_px=width, gap_px=gap, statistic=name, least_px=15)(sample)
    expected = brute(image, labels, rings, getattr(np, name), 15)
    table = made.tables["local_background"]
    assert table["label"].tolist() == list(expected)
    np.testing.assert_allclose(table["background_channel0"], list(expected.values()), rtol=1e-12)
    assert table["ring_px_channel0"].tolist() == [int((rings == n).sum()) for n in expected]
    owner = np.where(labels > 0, labels, ring_labels(sample.labels["cells"], Width(width + gap)).read())
    level = np.full(SHAPE, np.median(list(expected.values())))
    for n, value in expected.items():
        level[owner == n] = value
    np.testing.assert_allclose(made.image.read(), image - level, atol=1e-3)


def test_crowded_cells_get_the_median_of_the_others_and_are_counted():
    labels = np.zeros((60, 90), np.uint32)
    labels[10:20, 10:20], labels[40:50, 10:20], labels[10:50, 50:80] = 1, 2, 3
    labels[20:30, 60:70] = 4  # inside 3
    image = np.full(labels.shape, 10, np.uint8)
    image[30:] = 20
    made = SubtractLocal(width_px=3)(sample_of(image, labels))
    table = made.tables["local_background"].set_index("label")
    assert table["ring_px_channel0"][4] == 0
    assert table["background_channel0"].to_dict() == {1: 10, 2: 20, 3: 15, 4: 15}
    assert any("1 of 4 cells of image have fewer than 20 pixels" in note for note in made.warnings)
    with pytest.raises(ParameterError, match="No cell of image has 5000 pixels"):
        SubtractLocal(width_px=3, least_px=5000)(sample_of(image, labels))


def test_an_image_without_cells_stays_and_says_so():
    image = gradient()
    made = SubtractLocal(width_px=3)(sample_of(image, np.zeros(SHAPE, np.uint8)))
    np.testing.assert_array_equal(made.image.read(), image)
    assert made.tables["local_background"].empty
    assert list(made.tables["local_background"].columns) == ["label", "background_channel0", "ring_px_channel0"]
    assert any("no cells" in note for note in made.warnings)


def test_widths_in_um_follow_each_axis():
    labels = np.zeros((60, 60), np.uint32)
    labels[30, 30] = 1
    image = np.zeros((60, 60), np.uint16)
    image[27:34, 24:37] = 7  # 3 rows of 1 µm and 6 columns of 0.5 µm around
    flat = cm.image_from_array(image)
    sized = cm.Image(flat.source, "YX", flat.channels, PixelSize(0.5, 1.0))
    sample = Sample(sized, {"cells": Labels(labels)})
    table = SubtractLocal(width_um=3.0, least_px=1)(sample).tables["local_background"]
    y, x = np.mgrid[:60, :60]
    distance = np.hypot(y - 30, (x - 30) * 0.5)
    assert table["ring_px_channel0"].tolist() == [int(((distance > 0) & (distance <= 3)).sum())]
    assert table["background_channel0"].tolist() == [7]
    with pytest.raises(PixelSizeNeeded):
        SubtractLocal(width_um=3.0)(Sample(flat, {"cells": Labels(labels)}))


def test_each_plane_of_a_movie_and_of_a_stack():
    labels = discs()
    frames = np.stack([gradient(), gradient() + 30])
    moved = np.stack([labels, np.where(labels > 9, labels, 0)])
    made = SubtractLocal(width_px=4)(sample_of(frames, moved, "TYX", "TYX"))
    table = made.tables["local_background"]
    assert list(table.columns[:2]) == ["label", "t"]
    assert table.groupby("t")["label"].apply(list).tolist() == [np.unique(frame)[1:].tolist() for frame in moved]
    both = table[table["label"] == 12].set_index("t")["background_channel0"]
    assert both[1] - both[0] == pytest.approx(30)
    # Labels without Z lie on every plane; those with Z have rings in each.
    for cells, axes in ((labels, "YX"), (np.stack([labels, labels]), "ZYX")):
        stack = SubtractLocal(width_px=4)(sample_of(frames, cells, "ZYX", axes))
        assert list(stack.tables["local_background"].columns[:2]) == ["label", "z"]
        np.testing.assert_allclose(*stack.image.read(), atol=1e-3)


def test_only_the_channels_asked_for_and_each_its_own_background():
    labels = discs()
    image = np.stack([gradient(), np.full(SHAPE, 40.0, np.float32), gradient()])
    image[1, 0, :] = np.nan
    made = SubtractLocal(width_px=5, channels=(1, "channel0"))(sample_of(image, labels, "CYX"))
    assert np.nansum(np.abs(made.image.plane(c=1))) == 0
    np.testing.assert_array_equal(made.image.plane(c=2), image[2])
    table = made.tables["local_background"]
    assert {"background_channel0", "background_channel1"} < set(table.columns)
    assert "background_channel2" not in table
    described = {column.name: column for column in table.attrs["columns"]}
    assert set(described) == set(table.columns)
    assert described["ring_px_channel1"].unit == "px"
    assert described["background_channel1"].unit == "intensity"


def test_negatives_may_be_clipped():
    labels = discs()
    noise = np.random.default_rng(0).poisson(50, SHAPE).astype(np.uint16)
    assert SubtractLocal(width_px=5)(sample_of(noise, labels)).image.read().min() < 0
    assert SubtractLocal(width_px=5, negatives="clip")(sample_of(noise, labels)).image.read().min() == 0


def test_a_part_equals_the_part_of_the_whole():
    labels = discs(25, 9.0)
    image = cm.image_from_array(np.random.default_rng(0).poisson(50, SHAPE).astype(np.uint16))
    rings = CellRings(image, cm.labels_from_array(labels), Width(6, 1))
    table = local_backgrounds(rings, RingStatistic())
    reader = LocalSubtraction(rings, table, {0: "channel0"}).prepare(PlaneReader(image, 0, 0, 0))
    whole = reader(image.plane_box)
    for box in (Box(0, 7, 0, 5), Box(60, 61, 3, 170), Box(100, 130, 90, 140)):
        np.testing.assert_array_equal(reader(box), whole[box.slices])


def test_widths_in_no_or_two_units_are_errors():
    for wrong in ({}, {"width_px": 2, "width_um": 2}, {"width_um": 2, "gap_px": 1}, {"width_px": 2, "gap_um": 1}):
        with pytest.raises(ValidationError, match="either in px"):
            SubtractLocal(**wrong)
