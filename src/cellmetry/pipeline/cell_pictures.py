"""Pictures of single cells of a finished run: each image is opened once, and only what is shown is read."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError, PixelSizeNeeded
from cellmetry.ops.label_planes import labels_in
from cellmetry.pipeline.finished_run import open_run
from cellmetry.report.cell_tiles import CellPictureOptions, draw_tiles, scaled_tile, tile_limits
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.report.cell_tiles import CellTile

    Window = Callable[[Box], NDArray[Any]]

__all__ = ["CENTRES", "PLACES", "cell_pictures"]

_KEYS = ["image", "label"]
CENTRES = ("centroid_y_px", "centroid_x_px")
"""Columns that say where in its plane a cell lies …"""
PLACES = ("t", "z", "centroid_z_px")
"""… and in which plane, where images are stacks."""


class _Place(NamedTuple):
    """Frame and plane of an image in which cells lie."""

    t: int
    z: int


def cell_pictures(
    run_folder: str | Path, cells: pd.DataFrame, options: CellPictureOptions | None = None
) -> dict[str, bytes]:
    """Return the PNG of each cell under ``image|label``.

    Parameters
    ----------
    cells
        Rows of a table of the run: ``image``, ``label``, ``centroid_y_px``, ``centroid_x_px``, and ``t``, ``z`` or
        ``centroid_z_px`` where the images are stacks.

    Raises
    ------
    ParameterError
        If a column is missing or a cell stands twice.
    PixelSizeNeeded
        If the side is in µm and an image's pixel size is not known.
    MissingInput, UnknownName
        If the run has no such image or labels, or their files are gone.
    """
    options = options or CellPictureOptions()
    need_columns(cells, [*_KEYS, *CENTRES])
    if cells.duplicated(_KEYS).any():
        raise ParameterError("A cell stands twice (same image and label); give the rows of one frame or plane.")
    run = open_run(run_folder)
    tiles: dict[str, CellTile] = {}
    for name, rows in cells.groupby("image", sort=False, observed=True):
        image, labels = run.open_image(str(name)), run.open_labels(str(name), options.labels)
        tiles |= {f"{name}|{label}": tile for label, tile in _tiles(image, labels, rows, options)}
    if len({len(tile.planes) for tile in tiles.values()}) > 1:
        raise ParameterError("The images of these cells have different channels; name those to show in channels.")
    limits = tile_limits(list(tiles.values()), options)
    return {key: draw_tiles(tile, limits, options) for key, tile in tiles.items()}


def _tiles(
    image: Image, labels: Labels, rows: pd.DataFrame, options: CellPictureOptions
) -> Iterator[tuple[int, CellTile]]:
    """Yield the label and the tile of each cell of an image."""
    channels = [image.channel_index(name) for name in options.channels] or list(range(len(image.channels)))
    side = _side(image, options)
    places = _places(rows)
    for place in sorted(set(places)):
        own = rows[[each == place for each in places]]
        whole = len(own) * side**2 > image.sizes["Y"] * image.sizes["X"]
        sources = [_window(image, place, c, whole=whole) for c in channels]
        for label, y, x in own[["label", *CENTRES]].itertuples(index=False):
            wanted, part = _square(image, float(y), float(x), side)
            planes = [_padded(source(part), wanted, part, np.nan) for source in sources]
            ids = labels_in(labels, part, t=place.t, z=place.z)
            inside = _padded(ids == int(label), wanted, part, False)
            yield int(label), scaled_tile(planes, inside, options.picture_px)


def _side(image: Image, options: CellPictureOptions) -> int:
    """Return the side of the square in pixels of the image."""
    if options.side_um is None:
        return ceil(options.side_px)
    if image.pixel_size.x is None:
        raise PixelSizeNeeded("side_um", image.name)
    return max(2, ceil(options.side_um / image.pixel_size.x))


def _places(rows: pd.DataFrame) -> list[_Place]:
    """Return frame and plane of each row; the middle plane of a volume."""
    depth = "z" if "z" in rows else "centroid_z_px"
    t = rows["t"].to_numpy(int) if "t" in rows else np.zeros(len(rows), int)
    z = rows[depth].round().to_numpy(int) if depth in rows else np.zeros(len(rows), int)
    return [_Place(*place) for place in zip(t.tolist(), z.tolist(), strict=True)]


def _window(image: Image, place: _Place, channel: int, *, whole: bool) -> Window:
    """Return what reads parts of a plane: from the file, or from the plane in memory where most of it is shown."""
    if not whole:
        return lambda box: image.plane(t=place.t, c=channel, z=place.z, box=box)
    plane = image.plane(t=place.t, c=channel, z=place.z)
    return lambda box: plane[box.slices]


def _square(image: Image, y: float, x: float, side: int) -> tuple[Box, Box]:
    """Return the square around a point, and the part of it that lies in the image."""
    y0, x0 = round(y - (side - 1) / 2), round(x - (side - 1) / 2)
    wanted = Box(y0, y0 + side, x0, x0 + side)
    height, width = image.sizes["Y"], image.sizes["X"]
    return wanted, Box(max(0, y0), min(height, y0 + side), max(0, x0), min(width, x0 + side))


def _padded(values: NDArray[Any], wanted: Box, part: Box, outside: float) -> NDArray[Any]:
    """Return the part of a square with `outside` where the image ends."""
    if wanted == part:
        return values
    kind = np.dtype(bool) if values.dtype == bool else np.dtype(np.float32)
    full = np.full((wanted.y1 - wanted.y0, wanted.x1 - wanted.x0), outside, kind)
    full[part.y0 - wanted.y0 : part.y1 - wanted.y0, part.x0 - wanted.x0 : part.x1 - wanted.x0] = values
    return full
