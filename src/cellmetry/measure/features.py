"""Which functions make which group of columns, in the order of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellmetry.measure.edge import edge
from cellmetry.measure.intensity import distribution, intensity, mass
from cellmetry.measure.neighbours import nearest, touching
from cellmetry.measure.shape import feret, shape
from cellmetry.measure.size import position, size
from cellmetry.measure.texture import texture

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block
    from cellmetry.measure.fields import Field
    from cellmetry.measure.options import Feature, MeasureOptions

    Columns = dict[str, NDArray[Any]]
    ObjectFeature = Callable[[Block], Columns]
    ChannelFeature = Callable[[Block, NDArray[Any], MeasureOptions], Columns]

__all__ = ["measure_channel", "measure_objects", "measure_together"]

_OBJECT: dict[Feature, ObjectFeature] = {
    "size": size,
    "position": position,
    "shape": shape,
    "feret": feret,
    "neighbours": touching,
}
_CHANNEL: dict[Feature, ChannelFeature] = {
    "intensity": intensity,
    "distribution": distribution,
    "mass": mass,
    "edge": edge,
    "texture": texture,
}
_PLANE_ONLY: frozenset[Feature] = frozenset({"shape", "feret", "edge", "neighbours", "texture"})


def _wanted(group: Feature, field: Field, options: MeasureOptions) -> bool:
    return group in options.features and not (field.volume and group in _PLANE_ONLY)


def measure_objects(block: Block, options: MeasureOptions) -> Columns:
    """Return the columns that need no pixels: those of the labels alone."""
    out: Columns = {}
    for group, feature in _OBJECT.items():
        if _wanted(group, block.field, options):
            out.update(feature(block))
    return out


def measure_channel(block: Block, channel: int, options: MeasureOptions) -> Columns:
    """Return the columns of one channel, without its name."""
    wanted = [feature for group, feature in _CHANNEL.items() if _wanted(group, block.field, options)]
    out: Columns = {}
    if not wanted:
        return out
    pixels = block.read_channel(channel)
    for feature in wanted:
        out.update(feature(block, pixels, options))
    return out


def measure_together(centroids: NDArray[np.float64], field: Field, options: MeasureOptions) -> Columns:
    """Return the columns that relate the objects of a whole field, given by their centroids, to one another."""
    return nearest(centroids, field) if _wanted("neighbours", field, options) else {}
