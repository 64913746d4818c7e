"""Each operation on a few objects, against what is to come out; and what each refuses."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from numcodecs.zstd import Zstd
from scipy import ndimage

from cellmetry.errors import LimitExceeded, ParameterError, UnknownName
from cellmetry.study.editing.registry import EDIT_OPERATIONS, operation_schemas, parse_operation
from cellmetry.study.store.objects import find_object


def two_squares():
    """Objects 1 and 2 of 20 × 20 pixels with 4 pixels between them, and 3 far away."""
    array = np.zeros((96, 128), np.uint32)
    array[10:30, 10:30] = 1
    array[10:30, 34:54] = 2
    array[60:80, 90:110] = 3
    return array


@pytest.fixture
def squares(open_study):
    return open_study(two_squares())


def disc(shape, y, x, radius):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2 <= radius**2


def test_brush_makes_a_new_object_on_background_only(squares):
    squares.edit("brush", points=[(20, 32)], radius=5)
    expected = two_squares()
    expected[disc(expected.shape, 20, 32, 5) & (expected == 0)] = 4
    assert np.array_equal(squares.now, expected)
    assert squares.labels.next_id == 5


def test_brush_adds_to_an_object_and_over_others(squares):
    squares.edit("brush", points=[(20, 25), (20, 40)], radius=3, id=1, over=True)
    now = squares.now
    assert (now[18:22, 25:42] == 1).all()
    assert (now[10:16, 34:54] == 2).all()
    assert squares.labels.next_id == 4


def test_a_brush_of_half_a_pixel_leaves_a_line_without_gaps(squares):
    squares.edit("brush", points=[(40.5, 3.5), (70.5, 60.5), (50.5, 80.5)], radius=0.5)
    _, count = ndimage.label(squares.now == 4, np.ones((3, 3)))
    assert count == 1
    assert squares.now[40, 3] == squares.now[50, 80] == 4


def test_erase_of_one_object_and_of_all(squares):
    squares.edit("erase", points=[(20, 32)], radius=6, id=2)
    now = squares.now
    assert (now == 1).sum() == 400
    assert (now == 2).sum() == 400 - (disc(now.shape, 20, 32, 6) & (two_squares() == 2)).sum()
    squares.edit("erase", points=[(20, 20), (20, 45)], radius=30)
    assert np.unique(squares.now).tolist() == [0, 3]


def test_draw_takes_the_pixels_whose_centre_is_inside(squares):
    squares.edit("draw", points=[(40, 40), (40, 50), (45, 50), (45, 40)])
    expected = two_squares()
    expected[40:45, 40:50] = 4
    assert np.array_equal(squares.now, expected)


def test_a_self_crossing_outline_is_read_by_the_even_odd_rule(squares):
    bow = [(40, 40), (50, 60), (40, 60), (50, 40)]
    twice = [(60, 10), (60, 40), (80, 40), (80, 10), (60, 10), (60, 30), (80, 30), (80, 10)]
    squares.edit("draw", points=bow)
    assert squares.now[45, 42] == squares.now[45, 57] == 4
    assert squares.now[42, 50] == squares.now[48, 50] == 0
    squares.edit("draw", points=twice)
    assert (squares.now[60:80, 30:40] == 5).all()
    assert not (squares.now[60:80, 10:30] == 5).any()


def test_holes_are_filled_and_objects_in_them_stay(open_study):
    array = np.zeros((64, 64), np.uint32)
    array[10:50, 10:50] = 1
    array[15:25, 15:25] = 0
    array[17:20, 17:20] = 2
    array[30:40, 30:60] = 0  # open to the side
    study = open_study(array)
    study.edit("fill_holes", ids=[1])
    expected = array.copy()
    expected[15:25, 15:25] = 1
    expected[17:20, 17:20] = 2
    assert np.array_equal(study.now, expected)


def test_the_background_in_a_ring_is_filled_not_that_without_bounds(open_study):
    array = np.zeros((600, 600), np.uint32)
    ring = disc(array.shape, 300, 300, 205) & ~disc(array.shape, 300, 300, 200)
    array[ring] = 1
    study = open_study(array)
    study.edit("fill", point=(300, 300))
    assert np.array_equal(study.now == 2, disc(array.shape, 300, 300, 200))
    with pytest.raises(ParameterError, match="objects do not bound it"):
        study.edit("fill", point=(2, 2), largest_px=1000)
    study.edit("fill", point=(2, 2), id=1)
    assert (study.now > 0).all()
    with pytest.raises(ParameterError, match="in object 2"):
        study.edit("fill", point=(300, 300))


def test_open_background_is_no_gap_between_cells(open_study):
    array = np.zeros((300, 300), np.uint32)
    array[100:120, 100:160], array[130:150, 100:160] = 1, 2
    array[120:130, 100:105], array[120:130, 155:160] = 3, 4
    study = open_study(array)
    with pytest.raises(ParameterError, match="open background"):
        study.edit("fill", point=(10, 10), most_cells=4)
    study.edit("fill", point=(125, 130), most_cells=4)
    assert (study.now[120:130, 105:155] == 5).all()
    empty = open_study(np.zeros((64, 64), np.uint32))
    with pytest.raises(ParameterError, match="open background"):
        empty.edit("fill", point=(10, 10), most_cells=4)


def test_merge_keeps_the_first(squares):
    result = squares.edit("merge", ids=[3, 1, 3, 2])
    assert np.array_equal(squares.now, np.where(two_squares() > 0, 3, 0))
    assert result.ids == (1, 2, 3)
    assert find_object(squares.store, squares.labels, 3).area_px == 1200


def test_merge_along_a_stroke_keeps_where_it_begins(squares):
    squares.edit("merge_along", points=[(20, 50), (20, 12)])
    expected = two_squares()
    expected[expected == 1] = 2
    assert np.array_equal(squares.now, expected)


def test_a_line_splits_all_it_crosses(squares):
    squares.edit("split", points=[(18, 2), (18, 60)])
    now = squares.now
    assert sorted(np.unique(now)) == [0, 1, 2, 3, 4, 5]
    assert (now > 0).sum() == 1200
    for label in (1, 2):
        assert (now[20:30][two_squares()[20:30] == label] == label).all()  # the larger piece
    assert (now[10:17, 10:30] == 4).all()
    assert (now[10:17, 34:54] == 5).all()


def test_a_line_splits_only_the_object_named(squares):
    squares.edit("split", points=[(0, 20), (40, 20.5), (20, 44), (40, 60)], id=1)
    assert sorted(np.unique(squares.now)) == [0, 1, 2, 3, 4]
    assert (squares.now == 2).sum() == 400


def dumbbell():
    array = np.zeros((64, 96), np.uint32)
    array[disc(array.shape, 32, 28, 16) | disc(array.shape, 32, 56, 14)] = 7
    return array


@pytest.mark.parametrize("seeds", [(), [(32, 25), (32, 60)]])
def test_watershed_cuts_at_the_neck(open_study, seeds):
    study = open_study(dumbbell())
    study.edit("watershed", id=7, seeds=seeds)
    now = study.now
    assert np.array_equal(now > 0, dumbbell() > 0)
    assert (now[disc(now.shape, 32, 28, 10)] == 7).all()
    assert (now[disc(now.shape, 32, 56, 9)] == 8).all()


def test_parts_apart(open_study):
    array = np.zeros((64, 64), np.uint32)
    array[2:5, 2:5] = array[10:30, 10:30] = array[40:50, 40:50] = 1
    array[7, 7] = 2
    study = open_study(array)
    study.edit("part_apart", id=1)
    now = study.now
    assert (now[10:30, 10:30] == 1).all()
    assert sorted([now[3, 3], now[45, 45]]) == [3, 4]
    with pytest.raises(ParameterError, match="of one part"):
        study.edit("part_apart", id=2)


def test_delete_and_lasso(squares):
    lasso = [(5, 5), (5, 58), (32, 58), (32, 40), (12, 40), (12, 32), (32, 32), (32, 5)]  # round 1, through 2
    squares.edit("delete_inside", points=lasso)
    assert np.unique(squares.now).tolist() == [0, 2, 3]
    squares.edit("delete_inside", points=lasso, touching=True)
    assert np.unique(squares.now).tolist() == [0, 3]
    with pytest.raises(ParameterError, match="No object lies"):
        squares.edit("delete_inside", points=lasso)
    squares.edit("delete", ids=[3])
    assert not squares.now.any()


def test_grow_stops_at_others_and_shares_by_distance(squares):
    squares.edit("grow", ids=[1], pixels=10)
    now, before = squares.now, two_squares()
    away = ndimage.distance_transform_edt(before != 1)
    assert (now[before == 2] == 2).all()
    gained = (now == 1) & (before == 0)
    assert (away[gained] <= 10).all()
    left = (before == 0) & (away <= 10) & ~gained
    rows, columns = np.nonzero(left)
    assert (columns > 53).all() or not rows.size  # only past the other object
    squares.edit("grow", ids=[3], pixels=3)
    around = ndimage.distance_transform_edt(before != 3) <= 3
    assert np.array_equal(squares.now == 3, around)


def test_two_that_grow_meet_in_the_middle(squares):
    squares.edit("grow", ids=[1, 2], pixels=8)
    now = squares.now
    assert (now[10:30, 30:32] == 1).all()
    assert (now[10:30, 32:34] == 2).all()


def test_shrink_takes_the_rim_but_not_at_the_edge_of_the_image(open_study):
    array = two_squares()
    array[0:20, 60:80] = 4
    study = open_study(array)
    study.edit("shrink", ids=[1, 4], pixels=2)
    now = study.now
    assert np.array_equal(np.argwhere(now == 1).min(axis=0), [12, 12])
    assert np.array_equal(np.argwhere(now == 1).max(axis=0), [27, 27])
    assert np.array_equal(np.argwhere(now == 4).min(axis=0), [0, 62])
    with pytest.raises(ParameterError, match="Nothing would be left"):
        study.edit("shrink", ids=[1, 2], pixels=12)
    assert np.array_equal(study.now, now)


def test_relabel_takes_new_ids_and_no_used_ones(squares):
    squares.edit("relabel", id=1)
    assert (squares.now[10:30, 10:30] == 4).all()
    squares.edit("relabel", id=2, to=100)
    assert (squares.now[10:30, 34:54] == 100).all()
    with pytest.raises(ParameterError, match="merge them"):
        squares.edit("relabel", id=3, to=100)
    with pytest.raises(ParameterError, match="not used again; take 101"):
        squares.edit("relabel", id=3, to=1)
    squares.edit("draw", points=[(40, 40), (40, 50), (45, 50), (45, 40)])
    assert squares.now[42, 45] == 101


def test_planes_of_a_stack(open_study):
    array = np.zeros((3, 64, 64), np.uint32)
    array[0, 5:15, 5:15] = 1
    array[1, 6:16, 6:16] = 1
    array[1, 30:40, 30:40] = 2
    study = open_study(array, "ZYX")
    study.edit("copy_plane", z=1)
    assert np.array_equal(study.now[2], array[1])
    study.edit("copy_plane", z=1, ids=[2], step=-1)
    assert (study.now[0][30:40, 30:40] == 2).all()
    study.edit("relabel", id=1, z=2)
    assert np.unique(study.now[2]).tolist() == [0, 2, 3]
    study.edit("relabel", id=3, z=2, to=1)
    assert np.array_equal(study.now[2], array[1])
    study.edit("delete", ids=[1], planes="z")
    assert not (study.now == 1).any()
    study.edit("brush", points=[(50, 50)], radius=3, id=2, z=2)
    assert study.now[2, 50, 50] == 2
    with pytest.raises(ParameterError, match="no other plane 3 along Z"):
        study.edit("copy_plane", z=2)
    with pytest.raises(ParameterError, match="no plane t=0, z=3"):
        study.edit("delete", ids=[1], z=3)


def test_a_program_replaces_a_window(squares):
    values = np.arange(1, 7, dtype="<u4").reshape(2, 3) + 40
    squares.edit("replace", box=(0, 2, 5, 8), values=values.ravel().tolist())
    assert np.array_equal(squares.now[0:2, 5:8], values)
    packed = base64.b64encode(Zstd().encode(np.zeros((50, 60), "<u4"))).decode()
    squares.edit("replace", box=(0, 50, 0, 60), zstd=packed)
    assert np.unique(squares.now).tolist() == [0, 3]
    assert squares.labels.next_id == 47
    for wrong in (packed[:-8], "####", "", base64.b64encode(b"not zstd at all").decode()):
        with pytest.raises(ParameterError, match=r"ids in base64"):
            squares.edit("replace", box=(0, 50, 0, 60), zstd=wrong)
    with pytest.raises(ParameterError, match="does not say 12400 bytes"):
        squares.edit("replace", box=(0, 50, 0, 62), zstd=packed)


SQUARE = [(40, 40), (40, 50), (45, 50), (45, 40)]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("delete", {"ids": [1, 99]}),
        ("merge", {"ids": [1, 99]}),
        ("merge", {"ids": [1, 1]}),
        ("brush", {"points": [(5, 5)], "radius": 3, "id": 99}),
        ("draw", {"points": SQUARE, "id": 99}),
        ("erase", {"points": [(5, 5)], "radius": 3, "id": 99}),
        ("fill", {"point": (1, 1), "id": 99}),
        ("fill", {"point": (-1, 1)}),
        ("fill_holes", {"ids": [99]}),
        ("split", {"points": [(0, 0), (50, 50)], "id": 99}),
        ("split", {"points": [(15, 0), (15, 20)]}),
        ("watershed", {"id": 99}),
        ("watershed", {"id": 1}),
        ("watershed", {"id": 1, "seeds": [(15, 15)]}),
        ("watershed", {"id": 1, "seeds": [(15, 15), (5, 5)]}),
        ("part_apart", {"id": 99}),
        ("grow", {"ids": [99], "pixels": 2}),
        ("shrink", {"ids": [99], "pixels": 2}),
        ("relabel", {"id": 99}),
        ("copy_plane", {}),
        ("brush", {"points": [(-50, -50)], "radius": 3}),
        ("brush", {"points": [(20, 20)], "radius": 3}),
        ("draw", {"points": [(500, 500), (500, 510), (510, 510)]}),
        ("draw", {"points": [(1, 1), (1, 9), (1, 5)]}),
        ("merge_along", {"points": [(20, 12), (20, 20)]}),
        ("delete_inside", {"points": SQUARE}),
        ("replace", {"box": [0, 97, 0, 1], "values": [0] * 97}),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(squares, name, parameters):
    with pytest.raises(ParameterError):
        squares.edit(name, **parameters)
    assert squares.labels.version == 0
    assert np.array_equal(squares.now, two_squares())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("draw", {"points": [(1, 1), (5, 5)]}),
        ("draw", {"points": [(float(k % 97), float(k % 89)) for k in range(1_000_000)]}),
        ("draw", {"points": [(1, 1), (1, float("nan")), (5, 5)]}),
        ("draw", {"points": [(1, 1), (1, 1e308), (5, 5)]}),
        ("draw", {"points": [(1, 1), (1, float("inf")), (5, 5)]}),
        ("brush", {"points": [], "radius": 3}),
        ("brush", {"points": [(1, 1)], "radius": 1e9}),
        ("brush", {"points": [(1, 1)], "radius": 0}),
        ("delete", {"ids": []}),
        ("delete", {"ids": [0]}),
        ("delete", {"ids": [-1]}),
        ("delete", {"ids": [2**40]}),
        ("replace", {"box": [0, 5000, 0, 5000], "zstd": ""}),
        ("replace", {"box": [0, 2, 0, 2], "values": [1, 2, 3]}),
        ("replace", {"box": [0, 2, 0, 2]}),
        ("replace", {"box": [2, 2, 0, 2], "values": []}),
        ("grow", {"ids": [1], "pixels": 2, "more": 1}),
        ("shrunk", {}),
    ],
)
def test_wrong_parameters_are_refused_in_a_short_sentence(name, parameters):
    with pytest.raises((ParameterError, UnknownName)) as told:
        parse_operation(name, parameters)
    assert len(str(told.value)) < 600


def test_every_operation_has_a_schema_with_words_for_each_parameter():
    schemas = operation_schemas()
    assert list(schemas) == list(EDIT_OPERATIONS)
    for name, schema in schemas.items():
        assert schema["additionalProperties"] is False
        assert all(field.get("description") for field in schema["properties"].values()), name


def test_too_large_an_edit_is_refused(open_study, monkeypatch):
    study = open_study(two_squares())
    monkeypatch.setattr("cellmetry.study.store.patching.MOST_PIXELS", 5000)
    with pytest.raises(LimitExceeded, match="do it in parts"):
        study.edit("delete_inside", points=[(0, 0), (0, 128), (96, 128), (96, 0)])
    study.edit("delete", ids=[1])
