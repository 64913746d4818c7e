"""Options that several commands share, each declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Axes",
    "Inputs",
    "Json",
    "Out",
    "PixelSize",
    "Rgb",
    "RgbChoice",
    "Settings",
    "Workers",
]


class RgbChoice(StrEnum):
    """What an RGB file is."""

    colour = "colour"
    channels = "channels"


Inputs = Annotated[list[str], typer.Argument(help="Image files, folders or patterns; file.czi#3 for one scene.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made if missing.")]
Axes = Annotated[str | None, typer.Option(help="Axes of the files where they do not say, as in ZYX.")]
Rgb = Annotated[RgbChoice, typer.Option(help="Whether RGB files are colour pictures or three channels.")]
PixelSize = Annotated[
    float | None, typer.Option("--pixel-size", min=0, help="Side of a pixel in µm; wins over what the files say.")
]
Workers = Annotated[int, typer.Option(min=1, help="Images worked on at the same time. Results do not depend on it.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="step.parameter=value, as in segment.diameter_um=12. May be repeated.")
]
