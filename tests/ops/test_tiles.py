"""The tile plan: cores cover the plane once, read regions hold their core and start aligned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.ops.tiles import grow, plan_tiles


@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    size=st.integers(1, 90),
    margin=st.integers(0, 40),
    align=st.integers(1, 16),
)
def test_cores_cover_every_pixel_once(height: int, width: int, size: int, margin: int, align: int) -> None:
    seen = np.zeros((height, width), int)
    for tile in plan_tiles((height, width), size, margin, align):
        seen[tile.core.slices] += 1
        assert tile.read.y0 % align == 0
        assert tile.read.x0 % align == 0
        assert tile.read.y0 <= max(0, tile.core.y0 - margin)
        assert tile.read.x1 == min(width, tile.core.x1 + margin)
    assert (seen == 1).all()


def test_a_small_image_is_one_tile() -> None:
    [tile] = plan_tiles((50, 70), 1024, 64)
    assert tile.core == tile.read == Box(0, 50, 0, 70)


def test_growing_stops_at_the_plane() -> None:
    assert grow(Box(10, 20, 30, 40), 15, (30, 100), align=8) == Box(0, 30, 8, 55)


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least 1"):
        list(plan_tiles((10, 10), 0, 0))
