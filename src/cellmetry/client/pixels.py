"""Pixels of images and ids of labels from the tiles of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.client.connection import Connection

__all__ = ["Window", "read_tiles"]

_NO_CONTENT = 204


class Window(NamedTuple):
    """Rows ``y0`` to ``y1 - 1`` and columns ``x0`` to ``x1 - 1`` of a level."""

    y0: int
    y1: int
    x0: int
    x1: int


def read_tiles(
    connection: Connection, path: str, place: Sequence[int], *, level: int, window: Window | None, **query: Any
) -> NDArray[Any]:
    """Return a window of a plane, shape (Y, X), from the tiles below a resource; all of the plane if none is given.

    Parameters
    ----------
    path
        Of the resource ``…/tiles``.
    place
        Planes as the addresses of tiles have them: t, c, z of an image, t, z of labels.
    """
    told = connection.get(path)
    said = told["levels"][level]
    (height, width), (tile_y, tile_x) = said["shape"], said["tile"]
    y0, y1, x0, x1 = window or (0, height, 0, width)
    y1, x1 = min(y1, height), min(x1, width)
    dtype = np.dtype(told["dtype"]).newbyteorder("<")
    found = np.zeros((max(y1 - y0, 0), max(x1 - x0, 0)), dtype.newbyteorder("="))
    lead = "/".join(str(each) for each in (level, *place))
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
