from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.counting import objects as objects_module
from cellmetry.counting.differences import block_differences, differences_image
from cellmetry.counting.objects import plane_objects
from cellmetry.counting.regions import OUTSIDE, CountedPlane, in_labels, in_shapes, in_whole, outside_shapes
from cellmetry.counting.shapes import read_shapes
from cellmetry.errors import MissingInput, ParameterError
from cellmetry.ops.density import density_from_labels, point_mass_in_blocks
from cellmetry.ops.shapes import Shape, inside, shape_box


def field(rows: int = 6, columns: int = 9, pitch: int = 20) -> np.ndarray:
    """Return discs of radius 6 on a grid, ids from 1 in reading order."""
    y, x = np.mgrid[: rows * pitch, : columns * pitch]
    near = np.hypot(y % pitch - pitch // 2, x % pitch - pitch // 2) <= 6
    return np.where(near, (y // pitch) * columns + x // pitch + 1, 0)


def plane_of(labels: np.ndarray, density: np.ndarray | None = None) -> CountedPlane:
    found = plane_objects(labels_from_array(labels))
    density = density_from_labels(labels) if density is None else density
    return CountedPlane(labels.shape, found, image_from_array(density))


def test_objects_are_found_whatever_the_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = labels_from_array(field())
    whole = plane_objects(labels)
    monkeypatch.setattr(objects_module, "BAND", 7)
    banded = plane_objects(labels)
    np.testing.assert_allclose(banded.centres, whole.centres)
    np.testing.assert_array_equal(banded.areas, whole.areas)
    assert whole.centres[0].tolist() == [10, 10]
    assert len(whole.areas) == 54
    assert plane_objects(labels_from_array(np.zeros((5, 5), int))).areas.size == 0


def test_stacks_are_counted_plane_by_plane_and_one_plane_stands_for_all() -> None:
    stack = Labels(np.stack([field(), field() * 0, field()]).astype(np.uint32), "TYX")
    assert [len(plane_objects(stack, t=t).areas) for t in range(3)] == [54, 0, 54]
    single = labels_from_array(field())
    assert len(plane_objects(single, t=2, z=5).areas) == 54


def test_whole_planes() -> None:
    counts = in_whole(plane_of(field()))
    assert (counts.region, counts.area_px, counts.instances) == ("", 120 * 180, 54)
    assert counts.density == pytest.approx(54, abs=1e-3)
    nothing = in_whole(CountedPlane((120, 180), None, None))
    assert np.isnan(nothing.instances)
    assert np.isnan(nothing.density)


def test_labelled_regions_count_centroids_and_density() -> None:
    regions = np.zeros((120, 180), np.uint16)
    regions[:40, :100], regions[60:, 100:] = 500, 2
    few, many = in_labels(plane_of(field()), labels_from_array(regions))
    assert (few.region, few.area_px, few.instances) == ("2", 60 * 80, 12)
    assert (many.region, many.area_px, many.instances) == ("500", 40 * 100, 10)
    assert many.density == pytest.approx(10, rel=0.01)


def test_regions_that_fill_the_plane_share_out_both_counts() -> None:
    rng = np.random.default_rng(0)
    plane = plane_of(field())
    regions = labels_from_array(rng.integers(1, 9, (120, 180)))
    found = in_labels(plane, regions)
    assert sum(each.instances for each in found) == 54
    assert sum(each.density for each in found) == pytest.approx(in_whole(plane).density, rel=1e-9)
    assert sum(each.area_px for each in found) == 120 * 180


def test_drawn_regions() -> None:
    left = Shape(name="left", rectangle=(0, 0, 120, 100))
    corner = Shape(name="corner", polygon=((0, 0), (0, 180), (120, 0)))
    away = Shape(name="away", rectangle=(500, 500, 600, 600))
    found = in_shapes(plane_of(field()), (left, corner, away))
    assert [each.area_px for each in found] == [120 * 100, 120 * 180 / 2, 0]
    assert found[0].instances == 30
    assert found[0].density == pytest.approx(30, rel=0.01)
    assert found[1].density == pytest.approx(27, abs=0.5)
    assert (found[2].instances, found[2].density) == (0, 0)


def test_a_rectangle_holds_the_pixels_it_names() -> None:
    shape = Shape(name="a", rectangle=(2, 3, 10, 20))
    assert shape_box(shape, (50, 50)) == (2, 10, 3, 20)
    held = inside(shape, np.arange(50)[:, None] + 0.5, np.arange(50)[None] + 0.5)
    assert held.sum() == 8 * 17
    assert held[2:10, 3:20].all()


_PLACES = st.floats(0, 40, width=16)


@given(st.lists(st.tuples(_PLACES, _PLACES), min_size=3, max_size=8), st.floats(0, 40))
def test_a_polygon_cut_in_two_halves_holds_the_same_points(corners, level) -> None:
    """Turning the order of corners round, or beginning elsewhere, changes nothing."""
    y, x = np.mgrid[:40, :40] + 0.5
    first = inside(Shape(name="a", polygon=tuple(corners)), y, x)
    turned = (*corners[2:], *corners[:2])
    np.testing.assert_array_equal(inside(Shape(name="a", polygon=turned), y, x), first)
    assert not inside(Shape(name="a", polygon=tuple(corners)), y + 41, x).any()


def test_regions_are_read_from_json(tmp_path: Path) -> None:
    path = tmp_path / "drawn.json"
    drawn = [{"name": "a", "rectangle": [0, 0, 5, 9]}, {"name": "b", "polygon": [[0, 0], [9, 0], [0, 9]], "image": "x"}]
    path.write_text(json.dumps(drawn))
    first, second = read_shapes(path)
    assert first.rectangle == (0, 0, 5, 9)
    assert (second.image, second.polygon[1]) == ("x", (9, 0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("{}", "must hold a list of regions"),
        ("[]", "must hold a list of regions"),
        ('[{"name": "a"}]', "region 1: .*give either a rectangle or a polygon"),
        ('[{"name": "a", "rectangle": [5, 0, 5, 9]}]', "upper < lower"),
        ('[{"name": "a", "polygon": [[0, 0], [1, 1]]}]', "three corners at least"),
        ('[{"name": "a", "circle": 3}]', "circle"),
    ],
)
def test_bad_region_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "drawn.json"
    path.write_text(text)
    with pytest.raises(ParameterError, match=said):
        read_shapes(path)
    with pytest.raises(MissingInput):
        read_shapes(tmp_path / "none.json")


def test_counters_that_agree_differ_nowhere() -> None:
    assert np.abs(block_differences(plane_of(field()), 64)).max() < 0.01


def test_a_merged_pair_shows_where_it_is() -> None:
    labels = field()
    truth = density_from_labels(labels)
    labels[labels == 2] = 1
    labels[labels == 54] = 0
    found = block_differences(plane_of(labels, truth), 40)
    assert found.shape == (3, 5)
    assert found[0, 0] == pytest.approx(1 / np.sqrt(1 + 3.5), rel=0.02)
    assert found[2, 4] == pytest.approx(1 / np.sqrt(1 + 1.5), rel=0.02)
    assert np.abs(np.delete(found.ravel(), [0, 14])).max() < 0.02


def test_the_image_of_differences_has_blocks_for_pixels() -> None:
    image = image_from_array(np.zeros((2, 100, 130)), "TYX", pixel_size_um=0.5, name="movie")
    made = differences_image(image, [np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)], 64)
    assert (made.axes, made.shape, made.name) == ("TYX", (2, 2, 3), "movie")
    assert made.pixel_size.x == 32
    assert made.plane(t=1).min() == 1


@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(8, 64))
def test_blocks_hold_each_point_once(seed: int, points: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-0.5, [89.5, 69.5], (points, 2))
    blocks = point_mass_in_blocks(centres, rng.uniform(0.01, 20, points), (90, 70), side)
    assert blocks.shape == (-(-90 // side), -(-70 // side))
    assert blocks.sum() == pytest.approx(points)
    assert blocks.min() >= 0


def test_what_lies_outside_is_the_rest_also_where_regions_overlap() -> None:
    plane = plane_of(field())
    left = Shape(name="left", rectangle=(0, 0, 120, 60))
    top = Shape(name="top", polygon=((0, 0), (0, 180), (40, 180), (40, 0)))
    rest = outside_shapes(plane, (left, top))
    assert (rest.region, rest.area_px, rest.instances) == (OUTSIDE, 80 * 120, 24)
    assert rest.density == pytest.approx(24, abs=0.1)
    [one] = in_shapes(plane, (left,))
    whole, other = in_whole(plane), outside_shapes(plane, (left,))
    assert one.instances + other.instances == whole.instances
    assert one.density + other.density == pytest.approx(whole.density)
