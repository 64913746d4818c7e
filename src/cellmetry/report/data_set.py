"""Pictures of a data set: a contact sheet of its items with their truth, and the sizes of its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Picture
from PIL import ImageDraw

from cellmetry.errors import InputError
from cellmetry.io.atomic import atomic_write
from cellmetry.learn.dataset import read_image, read_truth
from cellmetry.learn.thumbnails import block_means
from cellmetry.report.composite import contrast_limits, stretch
from cellmetry.report.outlines import draw_outlines, map_objects

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.learn.dataset import DataSet, Item

__all__ = ["contact_sheet", "write_contact_sheet", "write_size_histogram"]

_SIDE = 240
_CAPTION = 18
_GAP = 6
_LINE = np.array([[0, 0, 0], [255, 176, 0]], np.uint8)
_TICKS = [digit * 10**power for power in range(5) for digit in (1, 2, 5)]
_GROUND, _TEXT = (24, 24, 24), (220, 220, 220)


def write_contact_sheet(data_set: DataSet, path: Path, *, most: int = 48) -> None:
    """Write a PNG with up to `most` items, evenly taken from all, their objects outlined."""
    sheet = contact_sheet(data_set, most=most)
    with atomic_write(path) as temporary:
        Picture.fromarray(sheet).save(temporary, format="PNG", optimize=True)


def contact_sheet(data_set: DataSet, *, most: int = 48) -> NDArray[np.uint8]:
    """Return the picture of `write_contact_sheet`, shape (Y, X, 3)."""
    places = np.unique(np.linspace(0, len(data_set.items) - 1, min(most, len(data_set.items))).astype(int))
    columns = min(8, len(places))
    rows = -(-len(places) // columns)
    step_x, step_y = _SIDE + _GAP, _SIDE + _CAPTION + _GAP
    sheet = Picture.new("RGB", (columns * step_x + _GAP, rows * step_y + _GAP), _GROUND)
    pen = ImageDraw.Draw(sheet)
    for number, place in enumerate(places):
        item = data_set.items[place]
        x, y = _GAP + number % columns * step_x, _GAP + number // columns * step_y
        picture, caption = _thumbnail(item)
        sheet.paste(picture, (x + (_SIDE - picture.width) // 2, y + (_SIDE - picture.height) // 2))
        pen.text((x, y + _SIDE + 2), caption[:38], fill=_TEXT)
    return np.asarray(sheet)


def write_size_histogram(areas: NDArray[np.int64], path: Path) -> None:
    """Write a PNG with the number of objects by diameter of the circle of equal area, on a logarithmic axis."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    diameters = np.sqrt(4 * areas / np.pi)
    if len(diameters):
        low, high = float(diameters.min()), float(diameters.max())
        axes.hist(diameters, bins=np.geomspace(low * 0.98, high * 1.02, 50).tolist(), color="#0072b2")
        axes.set_xscale("log")
        axes.set_xticks([tick for tick in _TICKS if low * 0.98 <= tick <= high * 1.02], minor=False)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
    axes.set_xlabel("diameter of the circle of equal area [px]")
    axes.set_ylabel("objects")
    axes.set_title(f"{len(areas):,} objects", fontsize=10)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def _thumbnail(item: Item) -> tuple[Picture.Image, str]:
    try:
        image, truth = read_image(item), read_truth(item)
    except InputError:
        return Picture.new("RGB", (_SIDE, _SIDE), (96, 0, 0)), f"{item.name}: cannot be read"
    scale = _SIDE / max(image.shape)
    shape = (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))
    small = block_means(image, shape) if scale < 1 else _nearest(image, shape)
    grey = np.rint(stretch(small, contrast_limits(small, 1.0, 99.8)) * 255).astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    if item.kind == "points":
        return _dotted(rgb, truth * scale), f"{item.name}: {len(truth)}"
    if truth.shape != image.shape:
        return Picture.fromarray(rgb), f"{item.name}: truth of another size"
    objects = map_objects(_nearest(truth, shape).astype(np.uint32))
    colours = np.repeat(_LINE, [1, len(objects.ids) - 1], axis=0)
    count = len(np.unique(truth[truth > 0])) if item.kind == "labels" else "foreground"
    return Picture.fromarray(draw_outlines(rgb, objects, colours, width=1.0)), f"{item.name}: {count}"


def _nearest(truth: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the truth at the size of the picture, the pixel at the centre of each of the picture's."""
    rows, columns = (((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip(shape, truth.shape, strict=True))
    return truth[np.ix_(rows, columns)]


def _dotted(rgb: NDArray[np.uint8], points: NDArray[np.float64]) -> Picture.Image:
    picture = Picture.fromarray(rgb)
    pen = ImageDraw.Draw(picture)
    for y, x in points:
        pen.ellipse((x - 2, y - 2, x + 2, y + 2), outline=tuple(_LINE[1].tolist()))
    return picture
