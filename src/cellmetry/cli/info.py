"""`cellmetry info`: what files hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.options import Axes, Inputs, Json, Rgb, RgbChoice, reading_of
from cellmetry.errors import InputError
from cellmetry.io.discover import find_inputs

if TYPE_CHECKING:
    from cellmetry.core.image import Image

__all__ = ["info"]

EXIT_SOME_FAILED = 3


def info(inputs: Inputs, axes: Axes = None, rgb: Rgb = RgbChoice.colour, as_json: Json = False) -> None:
    """Show what image files hold: scenes, axes, shape, channels, pixel size, warnings.

    Example: [bold]cellmetry info plate/ --json[/bold]
    """
    reading = reading_of(axes=axes, rgb=rgb)
    found: list[Image] = []
    failed: list[str] = []
    for file in find_inputs(inputs):
        try:
            found += [reading.open(file.path, file.scene)] if file.scene is not None else reading.scenes(file.path)
        except InputError as error:
            failed.append(str(error))
    if not found:
        raise InputError(" ".join(failed))
    if as_json:
        typer.echo(json.dumps({"images": [describe(image) for image in found], "failed": failed}, indent=1))
    else:
        _show(found, failed)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def describe(image: Image) -> dict[str, Any]:
    """Return what an image is, as JSON values."""
    return {
        "path": image.path,
        "scene": image.scene,
        "name": image.name,
        "axes": image.axes,
        "shape": list(image.shape),
        "dtype": str(image.dtype),
        "bit_depth": image.bit_depth,
        "colour": image.colour,
        "channels": [{"name": channel.name, "colour": channel.colour} for channel in image.channels],
        "pixel_size_um": image.pixel_size._asdict(),
        "acquired": None if image.acquired is None else image.acquired.isoformat(),
        "levels": [list(level) for level in image.source.level_shapes],
        "warnings": list(image.warnings),
        "metadata": {key: str(value) for key, value in image.metadata.items()},
    }


def _show(images: list[Image], failed: list[str]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("image", "axes", "shape", "type", "channels", "pixel size (µm)"):
        table.add_column(heading, overflow="fold")
    for image in images:
        table.add_row(*(Text(cell) for cell in _row(image)))
    console = Console()
    console.print(table)
    for image in images:
        for warning in image.warnings:
            console.print(Text(f"warning: {image.name}: {warning}", style="yellow"))
    for sentence in failed:
        console.print(Text(f"failed: {sentence}", style="red"))


def _row(image: Image) -> tuple[str, ...]:
    kind = f"{image.dtype}{', colour picture' if image.colour else ''}"
    if image.bit_depth not in (image.dtype.itemsize * 8, 1):
        kind += f", {image.bit_depth} bit"
    sizes = [size for size in (image.pixel_size.x, image.pixel_size.y, image.pixel_size.z) if size is not None]
    shape = " × ".join(str(size) for size in image.shape)
    pixel_size = " × ".join(f"{size:.4g}" for size in sizes) or "unknown"
    return image.name, image.axes, shape, kind, ", ".join(image.channel_names), pixel_size
