"""Pixels of images and ids of labels from the tiles of a server."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.client.connection import Connection

__all__ = ["Window", "read_planes", "read_tiles"]

_NO_CONTENT = 204


class Window(NamedTuple):
    """Rows ``y0`` to ``y1 - 1`` and columns ``x0`` to ``x1 - 1`` of a level."""

    y0: int
    y1: int
    x0: int
    x1: int


def read_tiles(
    connection: Connection,
    path: str,
    place: Sequence[int],
    *,
    level: int = 0,
    window: Window | None = None,
    version: int | None = None,
) -> NDArray[Any]:
    """Return a window of a plane, shape (Y, X), from the tiles below a resource; all of the plane if none is given.

    Parameters
    ----------
    path
        Of the resource ``…/tiles``.
    place
        Planes as the addresses of tiles have them: t, c, z of an image, t, z of labels.
    version
        Of labels; the one that is the present one at the first tile, for all of them, if left out.
    """
    told = connection.get(path)
    return _plane(connection, path, _Plane(told, tuple(place), level, window, version))


def read_planes(connection: Connection, path: str, axes: str, *, version: int | None = None) -> NDArray[Any]:
    """Return all planes below a resource ``…/tiles`` with the axes that it states.

    Parameters
    ----------
    axes
        Those of a tile's address, as TCZ.
    """
    told = connection.get(path)
    sizes = [int(told[axis.lower()]) for axis in axes]
    planes = [
        _plane(connection, path, _Plane(told, place, 0, None, version))
        for place in product(*(range(size) for size in sizes))
    ]
    stack = np.stack(planes).reshape(*sizes, *planes[0].shape)
    own = [told["axes"].index(axis) for axis in axes if axis in told["axes"]]
    kept = stack.reshape(
        [size for axis, size in zip(axes, sizes, strict=True) if axis in told["axes"]] + [*stack.shape[-2:]]
    )
    return np.moveaxis(kept, range(kept.ndim), [*own, told["axes"].index("Y"), told["axes"].index("X")])


class _Plane(NamedTuple):
    """Which part of which plane; `told` is what the resource says of its tiles."""

    told: dict[str, Any]
    place: tuple[int, ...]
    level: int
    window: Window | None
    version: int | None


def _plane(connection: Connection, path: str, plane: _Plane) -> NDArray[Any]:
    told = plane.told
    if not 0 <= plane.level < len(told["levels"]):
        raise ParameterError(f"There is no level {plane.level}; they are counted from 0 to {len(told['levels']) - 1}.")
    said = told["levels"][plane.level]
    (height, width), (tile_y, tile_x) = said["shape"], said["tile"]
    y0, y1, x0, x1 = plane.window or (0, height, 0, width)
    y0, y1, x0, x1 = max(y0, 0), min(y1, height), max(x0, 0), min(x1, width)
    version = told["version"] if plane.version is None else plane.version
    query = {} if version is None else {"version": version, "epoch": told["epoch"]}
    dtype = np.dtype(told["dtype"]).newbyteorder("<")
    found = np.zeros((max(y1 - y0, 0), max(x1 - x0, 0)), dtype.newbyteorder("="))
    lead = "/".join(str(each) for each in (plane.level, *plane.place))
    for row in range(y0 // tile_y, -(-y1 // tile_y)):
        for column in range(x0 // tile_x, -(-x1 // tile_x)):
            answer = connection.ask("GET", f"{path}/{lead}/{row}/{column}", params=query)
            if answer.status_code == _NO_CONTENT:
                continue
            tile = np.frombuffer(answer.content, dtype).reshape(tile_y, tile_x)
            top, left = row * tile_y, column * tile_x
            inside = Window(max(y0, top), min(y1, top + tile_y), max(x0, left), min(x1, left + tile_x))
            found[inside.y0 - y0 : inside.y1 - y0, inside.x0 - x0 : inside.x1 - x0] = tile[
                inside.y0 - top : inside.y1 - top, inside.x0 - left : inside.x1 - left
            ]
    return found
