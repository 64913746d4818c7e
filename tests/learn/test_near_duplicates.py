"""Near-duplicates: found in every disguise, and strangers are never taken for one another."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cellmetry.learn.dataset import read_data_set, read_image
from cellmetry.learn.near_duplicates import Link, connected_groups, find_links
from cellmetry.learn.thumbnails import block_means
from cellmetry.ops.synthetic import FieldOptions, make_cells


def field(seed: int, shape: tuple[int, int] = (256, 256), cells: int = 25) -> NDArray[np.float32]:
    return np.asarray(make_cells(shape, cells, FieldOptions(diameter_px=16), seed=seed).image[0], np.float32)


def links_of(planes: list[NDArray[np.float32]]) -> tuple[Link, ...]:
    return find_links(lambda index: planes[index], len(planes))


def pairs(found: tuple[Link, ...]) -> set[tuple[int, int]]:
    return {(link.first, link.second) for link in found}


@pytest.fixture(scope="module")
def strangers() -> list[NDArray[np.float32]]:
    return [field(seed) for seed in range(10, 22)]


def test_strangers_are_not_linked(strangers: list[NDArray[np.float32]]) -> None:
    assert links_of(strangers) == ()


def test_strangers_one_of_which_is_inverted_are_not_linked(strangers: list[NDArray[np.float32]]) -> None:
    assert links_of([65535 - strangers[0], *strangers[1:]]) == ()


@pytest.mark.parametrize(
    "disguise",
    [
        lambda plane: np.floor(plane / plane.max() * 255),
        lambda plane: plane * 3 + 500,
        np.rot90,
        lambda plane: plane[::-1],
        lambda plane: np.rot90(plane[:, ::-1], 3),
        lambda plane: block_means(plane, (128, 128)),
        lambda plane: np.kron(plane, np.ones((2, 2))),
        lambda plane: plane**0.7,
        lambda plane: 255 - np.floor(plane / plane.max() * 255),
        lambda plane: np.rot90(65535 - plane[:, ::-1]),
    ],
)
def test_the_same_field_is_found_in_disguise(strangers: list[NDArray[np.float32]], disguise: object) -> None:
    twin = np.asarray(disguise(strangers[0]), np.float32)  # type: ignore[operator]
    found = links_of([*strangers, twin])
    assert pairs(found) == {(0, len(strangers))}
    assert "same field" in {link.kind for link in found}


def discs(centres: NDArray[np.float64], seed: int, side: int = 256) -> NDArray[np.float32]:
    """Return bright discs on a dark ground."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(100, 6, (side, side))
    ys, xs = np.mgrid[:side, :side]
    for y, x in centres:
        plane[(ys - y) ** 2 + (xs - x) ** 2 < rng.uniform(7, 12) ** 2] += rng.uniform(600, 1200)
    return plane.astype(np.float32)


def in_rows(seed: int, across: int = 7, side: int = 256) -> NDArray[np.float32]:
    """Return discs in rows and columns, each a little off its place: another image for each seed."""
    step = side / across
    places = (np.indices((across, across)).reshape(2, -1).T + 0.5) * step
    return discs(places + np.random.default_rng(seed).uniform(-3, 3, places.shape), seed + 100)


def test_cells_in_rows_and_columns_are_not_one_field_but_their_copies_are() -> None:
    planes = [in_rows(seed) for seed in range(8)]
    assert links_of(planes) == ()
    noisy = planes[0] * 2 + np.random.default_rng(1).normal(0, 300, planes[0].shape).astype(np.float32)
    twins = [noisy, np.rot90(planes[1]), planes[2].max() - planes[2], block_means(planes[3], (128, 128))]
    assert pairs(links_of([*planes, *twins])) == {(0, 8), (1, 9), (2, 10), (3, 11)}


def test_one_bright_cell_at_the_same_place_is_not_one_field_but_its_copy_is() -> None:
    one, other = discs(np.array([[80.0, 80.0]]), 1), discs(np.array([[82.0, 81.0]]), 2)
    assert links_of([one, other]) == ()
    assert pairs(links_of([one, other, one**0.7])) == {(0, 2)}


def test_tiles_that_touch_are_chained_and_crops_that_overlap_linked(strangers: list[NDArray[np.float32]]) -> None:
    wide = field(3, (512, 512), 110)
    tiles = [wide[:256, :256], wide[:256, 256:], wide[256:, :256], wide[256:, 256:]]
    found = links_of([*strangers, *tiles])
    n = len(strangers)
    assert {(n, n + 1), (n, n + 2), (n + 1, n + 3), (n + 2, n + 3)} == pairs(found)
    assert {link.kind for link in found} == {"neighbouring tiles"}
    crops = links_of([*strangers, wide[:256, :256], wide[100:356, 60:316]])
    assert [(link.first, link.second, link.kind) for link in crops] == [(n, n + 1, "overlapping crops")]


def test_flat_and_tiny_images_break_nothing() -> None:
    planes = [np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32), np.ones((5, 3), np.float32)]
    assert links_of([*planes, np.full((64, 64), np.nan, np.float32)]) == ()
    assert links_of([]) == ()


def test_groups_are_what_is_connected() -> None:
    assert connected_groups(5, [(0, 3), (3, 4)]).tolist() == [0, 1, 2, 0, 0]
    assert connected_groups(3, []).tolist() == [0, 1, 2]


def test_fields_that_two_public_sets_share_are_all_found(shared: Path) -> None:
    known = list(csv.DictReader((shared / "data" / "same_fields.csv").read_text("utf-8").splitlines()))
    names = [[row[key] for row in known] for key in ("dsb2018", "bbbc039")]
    planes = []
    for key, wanted in zip(("dsb2018", "bbbc039"), names, strict=True):
        items = {item.name: item for item in read_data_set(shared / "data" / key).items}
        planes += [read_image(items[name]) for name in wanted]
    same = {(link.first, link.second) for link in links_of(planes) if link.kind == "same field"}
    assert same == {(k, k + len(known)) for k in range(len(known))}
    assert len(known) == 14
