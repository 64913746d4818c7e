"""`cellmetry count`: how many cells images show, by two counters, with an interval."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellmetry.cli.options import (
    Axes,
    Channel,
    Device,
    DiameterPx,
    DiameterUm,
    Engine,
    Inputs,
    Json,
    Model,
    Pattern,
    PixelSize,
    PixelSizeZ,
    Rgb,
    RgbChoice,
    Roles,
    Settings,
    Workers,
    given,
    reading_of,
)
from cellmetry.cli.outcome import report_outcome
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.counting.count import counting_steps
from cellmetry.counting.shapes import read_shapes
from cellmetry.counting.step import Count
from cellmetry.counting.validity import with_own_calibration
from cellmetry.errors import MissingInput, ParameterError
from cellmetry.io.tables import read_table, write_table
from cellmetry.models.count_calibration import CountCalibration
from cellmetry.pipeline.batch import run as run_recipe
from cellmetry.pipeline.inputs import find_images
from cellmetry.pipeline.recipe import parse_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.step import Step
    from cellmetry.pipeline.reading import Reading
    from cellmetry.pipeline.recipe import Recipe

__all__ = ["count"]

_TABLES = (".csv", ".parquet")
_REGIONS = "regions"
_NOTE = "Cells on this page are labelled objects; counts by density, joint counts and intervals are in counts.csv."


def count(
    inputs: Inputs,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Table to write (.csv, .parquet); maps go to a folder of its name.")
    ],
    engine: Engine = None,
    model: Model = None,
    channel: Channel = None,
    diameter_um: DiameterUm = None,
    diameter_px: DiameterPx = None,
    regions: Annotated[
        str | None,
        typer.Option(
            help="Regions to count in: a label image, a pattern of one for each image (rois/{stem}.tif), or a JSON "
            "file of rectangles and polygons."
        ),
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="JSON file of a calibration, in place of the one of the model.")
    ] = None,
    device: Device = None,
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
    settings: Settings = None,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Count cells: by instances, by density, and by both with an interval; with maps and a preview for each image.

    Example: [bold]cellmetry count images/ --out counts.csv[/bold]
    """
    if out.suffix.lower() not in _TABLES:
        raise ParameterError(f"{out} must end in .csv or .parquet; maps and previews go to a folder beside it.")
    look = given(
        engine=engine, model=model, channel=channel, device=device, diameter_um=diameter_um, diameter_px=diameter_px
    )
    entries = _entries(look, regions, calibration)
    recipe = parse_recipe({"name": "count", "description": _NOTE, "steps": entries}, settings or (), where="count")
    recipe = replace(recipe, steps=with_own_calibration(recipe.steps))
    reading = reading_of(
        axes=axes,
        rgb=rgb,
        pixel_size_um=pixel_size,
        pixel_size_z_um=pixel_size_z,
        pattern=pattern,
        roles=roles,
    )
    folder = out.with_suffix("")
    _refuse_lost_regions(recipe, inputs, reading, folder)
    with terminal_progress(shown=not as_json) as progress:
        result = run_recipe(recipe, inputs, folder, reading=reading, workers=workers, progress=progress)
    table = read_table(folder / "tables" / "counts.parquet")
    write_table(table, out, table.attrs["columns"])
    if not as_json:
        typer.echo(f"Counts: {out}")
    report_outcome(result, as_json=as_json)


def _refuse_lost_regions(recipe: Recipe, inputs: Sequence[str | Path], reading: Reading, folder: Path) -> None:
    """Refuse a drawn region that names an image which is not counted."""
    shapes = [shape for step in recipe.steps if isinstance(step, Count) for shape in step.shapes if shape.image]
    if not shapes:
        return
    names = [PurePosixPath(ref.name) for ref in find_images(inputs, reading, folder).images]
    lost = [shape for shape in shapes if not any(shape.lies_on(name) for name in names)]
    if lost:
        raise ParameterError(
            f"The region {lost[0].name!r} lies on the image {lost[0].image!r}, which is not among the {len(names)} "
            f"images to count; the first is {str(names[0])!r}."
        )


def _entries(look: dict[str, Any], regions: str | None, calibration: Path | None) -> list[dict[str, Any]]:
    """Return the steps of the recipe, as a recipe file has them."""
    drawn = regions is not None and regions.lower().endswith(".json")
    counting = Count(
        shapes=read_shapes(regions) if regions is not None and drawn else (),
        regions=_REGIONS if regions is not None and not drawn else None,
        calibration=None if calibration is None else _read_calibration(calibration),
    )
    finder, last = counting_steps(look, counting)
    entries = [_entry(finder, look)]
    if counting.regions is not None:
        entries.append(_region_entry(str(regions)))
    return [*entries, _entry(last, {})]


def _entry(step: Step, look: dict[str, Any]) -> dict[str, Any]:
    device = {"device": look["device"]} if "device" in look else {}
    return {"step": step.name, **step.model_dump(mode="json", exclude_none=True), **device}


def _region_entry(regions: str) -> dict[str, Any]:
    """Return the step that looks up the label images of regions: one for all images, or one for each by its name."""
    path = Path(regions)
    if "{stem}" in regions:
        options = {"folder": str(path.parent), "pattern": path.name}
    elif path.exists():
        options = {"file": regions}
    else:
        raise MissingInput(f"{regions} does not exist; give a label image, a pattern with {{stem}}, or a JSON file.")
    return {"step": "segment", "engine": "labels", "labels": _REGIONS, "options": options}


def _read_calibration(path: Path) -> CountCalibration:
    """Return the calibration in a JSON file."""
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; give the JSON file of a calibration.")
    try:
        values = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise ParameterError(f"{path} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ParameterError(f"{path} must hold the named values of a calibration.")
    return parse_parameters(CountCalibration, values, where=str(path))
