"""Options that several commands share, each declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.pipeline.reading import Reading

__all__ = [
    "Axes",
    "Channel",
    "DetectorBits",
    "Device",
    "DiameterPx",
    "DiameterUm",
    "Engine",
    "Inputs",
    "Json",
    "LabelChoice",
    "LabelsAs",
    "Model",
    "NonCommercial",
    "Out",
    "Pattern",
    "PixelSize",
    "PixelSizeZ",
    "Rgb",
    "RgbChoice",
    "Roles",
    "Settings",
    "Workers",
    "given",
    "named_values",
    "reading_of",
]


class LabelChoice(StrEnum):
    """How label images are written."""

    tif = "tif"
    npy = "npy"
    zarr = "ome.zarr"


class RgbChoice(StrEnum):
    """What an RGB file is."""

    colour = "colour"
    channels = "channels"


Inputs = Annotated[list[str], typer.Argument(help="Image files, folders or patterns; file.czi#3 for one scene.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made if missing.")]
Axes = Annotated[str | None, typer.Option(help="Axes of the files where they do not say, as in ZYX.")]
Rgb = Annotated[RgbChoice, typer.Option(help="Whether RGB files are colour pictures or three channels.")]
PixelSizeZ = Annotated[float | None, typer.Option("--pixel-size-z", help="Distance of planes in µm, likewise.")]
PixelSize = Annotated[
    float | None, typer.Option("--pixel-size", help="Side of a pixel in µm; wins over what the files say.")
]
DetectorBits = Annotated[
    int | None,
    typer.Option("--detector-bits", help="Bits of the detector (12, say), for saturation; wins over what files say."),
]
Pattern = Annotated[
    str | None,
    typer.Option(help="File-name pattern that makes one image of several files: '{well}_{field}_w{channel}.tif'."),
]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="Name of a channel: 1=DNA, by its index, name or value in file names. Repeatable."),
]
Workers = Annotated[int, typer.Option(min=1, help="Images worked on at the same time. Results do not depend on it.")]
Engine = Annotated[str | None, typer.Option(help="Engine; `cellmetry engines` lists them.")]
Model = Annotated[str | None, typer.Option(help="Model of the engine, by name or path.")]
Channel = Annotated[str | None, typer.Option(help="Channel to look at, by name or index.")]
DiameterUm = Annotated[float | None, typer.Option(help="Usual diameter of an object in µm.")]
DiameterPx = Annotated[float | None, typer.Option(help="Usual diameter of an object in pixels.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]
LabelsAs = Annotated[
    LabelChoice, typer.Option("--labels-as", help="Form of the label images; huge ones are always ome.zarr.")
]
NonCommercial = Annotated[
    bool,
    typer.Option("--non-commercial", help="Commercial use is forbidden, as licences with NC say; carried into models."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="step.parameter=value, as in segment.diameter_um=12. May be repeated.")
]


def given(**options: Any) -> dict[str, Any]:
    """Return the options that the user gave; those left out take the defaults of the step."""
    return {name: value for name, value in options.items() if value is not None}


def named_values(settings: list[str]) -> dict[str, str | None]:
    """Return names and values from texts such as ``min_solidity=0.8``; ``none`` is no value.

    Raises
    ------
    ParameterError
        If a text has another form.
    """
    pairs: dict[str, str | None] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--set {text!r} is not of the form name=value, as in min_solidity=0.8.")
        pairs[name] = None if value == "none" else value
    return pairs


def reading_of(*, rgb: RgbChoice, roles: list[str] | None = None, **given: Any) -> Reading:
    """Return how images are opened, from the values of the options above; errors in plain words."""
    return parse_parameters(Reading, {**given, "rgb": rgb.value, "roles": _parse_roles(roles)}, where="options")


def _parse_roles(roles: list[str] | None) -> dict[str, str]:
    """Return channel → name from texts such as ``1=DNA``.

    Raises
    ------
    ParameterError
        If a text has another form.
    """
    pairs = [text.partition("=") for text in roles or ()]
    wrong = next(
        (text for text, (key, equals, name) in zip(roles or (), pairs, strict=True) if not key or not name), None
    )
    if wrong is not None:
        raise ParameterError(f"--role {wrong!r} is not of the form channel=name, as in 1=DNA.")
    return {key: name for key, _, name in pairs}
