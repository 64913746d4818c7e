"""`cellmetry import`: outlines drawn in other programs become labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Json, PixelSize, named_values
from cellmetry.core.image import PixelSize as Size
from cellmetry.core.labels import count_objects
from cellmetry.errors import ParameterError
from cellmetry.export.formats import FORMATS
from cellmetry.export.frame import Frame
from cellmetry.pipeline.exchanging import import_labels, read_frame, write_imported

__all__ = ["import_outlines"]


def import_outlines(
    file: Annotated[Path, typer.Argument(help="ROI zip, .roi, GeoJSON, COCO JSON, _seg.npy or label image.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Label image to write: .tif, .npy or .zarr.")],
    like: Annotated[Path | None, typer.Option(help="Image on which the outlines were drawn.")] = None,
    shape: Annotated[str | None, typer.Option(help="In its place: height,width in pixels; with --axes also Z, T.")] = (
        None
    ),
    axes: Annotated[str, typer.Option(help="Axes of --shape, as in ZYX.")] = "YX",
    pixel_size: PixelSize = None,
    form: Annotated[
        str | None, typer.Option("--from", help=f"Format, if not by content: {', '.join(FORMATS.builtin)}.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Option of the format, as in overlap=later. Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make labels of outlines that Fiji, QuPath, Cellpose or others saved; names that are ids give the ids back.

    Example: [bold]cellmetry import a_RoiSet.zip --like a.tif --out a_labels.tif[/bold]
    """
    frame = _frame(like, shape, axes, pixel_size)
    found = import_labels(file, frame, form=form, options=named_values(settings or []))
    beside = write_imported(found, out)
    count = count_objects(found.labels)
    if as_json:
        said = {"out": str(out), "n_objects": count, "objects": None if beside is None else str(beside)}
        typer.echo(json.dumps({**said, "notes": list(found.notes)}, indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    for sentence in found.notes:
        console.print(Text(f"note: {sentence}", style="yellow"))
    console.print(Text(f"{count} objects: {out}" + (f"; what else was said of them: {beside}" if beside else "")))


def _frame(like: Path | None, shape: str | None, axes: str, pixel_size: float | None) -> Frame:
    """Return the frame of the image, or of a size such as ``512,512``."""
    if (like is None) == (shape is None):
        raise ParameterError("Give the image on which the outlines were drawn (--like), or its size (--shape H,W).")
    given = Size(pixel_size, pixel_size)
    if like is not None:
        found = read_frame(like)
        size = found.pixel_size if pixel_size is None else Size(pixel_size, pixel_size, found.pixel_size.z)
        return Frame(found.shape, found.axes, size, found.channels, found.name)
    sides = str(shape).split(",")
    if not all(side.strip().isdigit() for side in sides):
        raise ParameterError(f"--shape {shape!r} is not of the form H,W in pixels, as in 512,512.")
    return Frame(tuple(int(side) for side in sides), axes.upper(), given)
