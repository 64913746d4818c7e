"""`measure_imagej`: the table that ImageJ's Measure makes of the same objects, with its column names.

Written from ImageJ's published descriptions of its measurements and checked against its printed numbers. Objects are
taken as traced selections: polygons along the sides of pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numba import njit

from cellmetry.core.progress import SILENT
from cellmetry.errors import AxesError
from cellmetry.measure.blocks import Block, blocks_of, empty_block, find_objects, rows_of_block
from cellmetry.measure.ellipse import imagej_axes, spread_of
from cellmetry.measure.fields import fields_of
from cellmetry.measure.hull import hulls_of
from cellmetry.measure.intensity import central_moments, first_moments, weighted_sums
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.ranks import mode_and_median
from cellmetry.measure.shape import feret_angle, imagej_perimeter
from cellmetry.measure.size import centroids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress

__all__ = ["measure_imagej"]

_ORDER = [
    *("label", "Area", "Mean", "StdDev", "Mode", "Min", "Max", "X", "Y", "XM", "YM", "Perim."),
    *("BX", "BY", "Width", "Height", "Major", "Minor", "Angle", "Circ.", "Feret", "IntDen"),
    *("Median", "Skew", "Kurt", "%Area", "RawIntDen", "FeretX", "FeretY", "FeretAngle"),
    *("MinFeret", "AR", "Round", "Solidity"),
]


def measure_imagej(
    image: Image, labels: Labels, channel: str | int = 0, *, progress: Progress = SILENT
) -> pd.DataFrame:
    """Return ImageJ's measurements of one channel of a plane, in pixels, one row for each object.

    Raises
    ------
    AxesError
        If the labels are not one plane.
    """
    fields = fields_of(image, labels, MeasureOptions(volume=False))
    if len(fields) != 1:
        raise AxesError(f"ImageJ's Measure is of one plane; {image.name} has {len(fields)}: give one at a time.")
    field, index = fields[0], image.channel_index(channel)
    rows = rows_of_block(field)
    progress.start("measure", 2 * -(-image.sizes["Y"] // rows))
    parts = []
    for block in blocks_of(field, find_objects(field, rows, progress), rows):
        parts.append(_measure(block, index))
        progress.advance()
    table = pd.concat(parts) if parts else _measure(empty_block(field), index)
    return table.sort_values("label", kind="stable", ignore_index=True)[_ORDER]


def _measure(block: Block, channel: int) -> pd.DataFrame:
    pixels = block.read_channel(channel)
    columns = {"label": block.objects.ids.astype(np.int64), **_outline(block), **_values(block, pixels)}
    return pd.DataFrame(columns)


def _outline(block: Block) -> dict[str, NDArray[Any]]:
    area = block.areas.astype(np.float64)
    centre = centroids(block) + 0.5
    low, high = block.objects.low, block.objects.high
    perimeter, hulls = imagej_perimeter(block), hulls_of(block)
    ellipse = imagej_axes(spread_of(block), area, (1.0, 1.0))
    return {
        "Area": area,
        "X": centre[:, 2],
        "Y": centre[:, 1],
        "Perim.": perimeter,
        "BX": low[:, 2],
        "BY": low[:, 1],
        "Width": high[:, 2] - low[:, 2],
        "Height": high[:, 1] - low[:, 1],
        "Major": ellipse.major,
        "Minor": ellipse.minor,
        "Angle": (90 + np.degrees(ellipse.orientation)) % 180,
        "Circ.": np.minimum(4 * np.pi * area / perimeter**2, 1.0),
        "Feret": hulls.longest,
        "FeretX": hulls.begin_x,
        "FeretY": hulls.begin_y,
        "FeretAngle": feret_angle(hulls, 1.0, 1.0),
        "MinFeret": hulls.shortest,
        "AR": ellipse.major / ellipse.minor,
        "Round": 4 * area / (np.pi * ellipse.major**2),
        "Solidity": area / hulls.area,
    }


def _values(block: Block, pixels: NDArray[Any]) -> dict[str, NDArray[Any]]:
    n, total, low, high = first_moments(block, pixels).T
    ranks = mode_and_median(block, pixels)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        second, third, fourth = central_moments(block, pixels, mean).T
        variance = second / n
        weighted = weighted_sums(block, pixels)
        return {
            "Mean": mean,
            "StdDev": np.where(n > 1, np.sqrt(second / (n - 1)), 0.0),
            "Mode": ranks[:, 0],
            "Min": low,
            "Max": high,
            "XM": weighted[:, 3] / weighted[:, 0] + block.objects.low[:, 2] + 0.5,
            "YM": weighted[:, 2] / weighted[:, 0] + block.objects.low[:, 1] + 0.5,
            "IntDen": total,
            "RawIntDen": total,
            "Median": ranks[:, 1],
            "Skew": third / n / variance**1.5,
            "Kurt": fourth / n / variance**2 - 3,
            "%Area": 100 * _nonzero(pixels, block.runs) / n,
        }


@njit(cache=True, nogil=True)
def _nonzero(image: Any, runs: Any) -> Any:
    start, z, y, x0, x1 = runs
    out = np.zeros(start.size - 1, np.int64)
    for k in range(out.size):
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i], x1[i]):
                out[k] += image[z[i], y[i], x] != 0
    return out
