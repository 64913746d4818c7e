"""Windows and planes of any image come back from its tiles as they are."""

from __future__ import annotations

import re

import httpx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.client.connection import Connection
from cellmetry.client.pixels import Window, read_planes, read_tiles


def serving(array, axes, tile):
    """A connection to tiles of an array."""
    height, width = array.shape[-2:]
    size = min(tile, height), min(tile, width)
    level = {"shape": [height, width], "tile": list(size), "tiles": [-(-height // size[0]), -(-width // size[1])]}
    sizes = {axis.lower(): array.shape[axes.index(axis)] if axis in axes else 1 for axis in "TCZ"}
    told = {"dtype": array.dtype.name, "axes": axes, "version": None, "levels": [level], **sizes}

    def answer(request):
        found = re.search(r"/tiles/0/(\d+)/(\d+)/(\d+)/(\d+)/(\d+)$", request.url.path)
        if found is None:
            return httpx.Response(200, json=told)
        *place, row, column = map(int, found.groups())
        where = dict(zip("TCZ", place, strict=True))
        plane = array[tuple(where[axis] for axis in axes[:-2])]
        part = plane[row * size[0] : (row + 1) * size[0], column * size[1] : (column + 1) * size[1]]
        if not part.any():
            return httpx.Response(204)
        whole = np.zeros(size, array.dtype)
        whole[: part.shape[0], : part.shape[1]] = part
        return httpx.Response(200, content=whole.tobytes())

    return Connection("http://x", transport=httpx.MockTransport(answer))


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    tile=st.integers(1, 8),
    edges=st.tuples(*[st.integers(-3, 24)] * 4),
)
def test_a_window_is_what_slicing_gives(shape, tile, edges):
    array = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(shape)
    window = Window(*edges)
    found = read_tiles(serving(array, "YX", tile), "/images/i/tiles", (0, 0, 0), window=window)
    y0, x0 = max(window.y0, 0), max(window.x0, 0)
    assert (found == array[y0 : max(window.y1, 0), x0 : max(window.x1, 0)]).all()
    assert found.shape == array[y0 : max(window.y1, 0), x0 : max(window.x1, 0)].shape


@settings(max_examples=30, deadline=None)
@given(lead=st.permutations("TCZ"), count=st.integers(0, 3))
def test_all_planes_have_the_axes_that_the_image_states(lead, count):
    axes = "".join(lead[:count]) + "YX"
    shape = [{"T": 2, "C": 3, "Z": 4}[axis] for axis in axes[:-2]] + [5, 6]
    array = np.arange(np.prod(shape), dtype=np.uint32).reshape(shape)
    assert np.array_equal(read_planes(serving(array, axes, 4), "/images/i/tiles", "TCZ"), array)
