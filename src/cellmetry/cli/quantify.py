"""`cellmetry quantify`: a target channel, and a reference, in each cell: masks, rings, ratios, profiles."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellmetry.cli.options import (
    Axes,
    DetectorBits,
    Device,
    DiameterPx,
    DiameterUm,
    Engine,
    Json,
    Model,
    Out,
    Pattern,
    PixelSize,
    PixelSizeZ,
    Rgb,
    RgbChoice,
    Settings,
    Workers,
    given,
    reading_of,
)
from cellmetry.cli.outcome import report_outcome
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.engines.segment import Segment
from cellmetry.errors import ParameterError
from cellmetry.pipeline.batch import run as run_recipe
from cellmetry.pipeline.inputs import Found
from cellmetry.pipeline.quantification import QuantificationPlan, RolePlan
from cellmetry.pipeline.quantification_compat import dualcellquant_entry
from cellmetry.pipeline.recipe import load_recipe, parse_recipe
from cellmetry.pipeline.roles import find_by_channel, find_by_file, split_channel
from cellmetry.pipeline.work import Layout

if TYPE_CHECKING:
    from cellmetry.pipeline.reading import Reading

__all__ = ["quantify"]

log = logging.getLogger(__name__)

_SEGMENT = "segment"
_CELLS, _MASKS, _PARTS, _PROFILES = "Cells", "Pixels and masks", "Parts of cells, ratios, judgement", "Profiles"


class CompatChoice(StrEnum):
    """Programs whose rules can be followed exactly."""

    dualcellquant = "dualcellquant"


Mode = Annotated[
    str | None,
    typer.Option(
        help="Mask: none, global_ or per_cell_ with percentile, otsu, triangle, li or mean_sd, or value; for both "
        "channels, or with --mask-target, --mask-reference for one.",
        rich_help_panel=_MASKS,
    ),
]


def _in(panel: str, text: str, *names: str) -> Any:
    """Return an option in a part of the help."""
    return typer.Option(*names, help=text, rich_help_panel=panel)


def _both(text: str, *names: str) -> Any:
    return typer.Option(*names, help=f"{text} With -target or -reference for one channel.", rich_help_panel=_MASKS)


def _one(name: str) -> Any:
    return typer.Option(name, help="For one channel.", rich_help_panel="For one channel")


def quantify(
    out: Out,
    target: Annotated[
        str, typer.Option(help="Target: FILE or FILE:CHANNEL; with INPUTS, a channel of them by name or index.")
    ],
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Images of several channels, for a batch: files, folders or patterns.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Reference, likewise; without it the target alone is measured.")
    ] = None,
    labels: Annotated[
        str | None,
        _in(_CELLS, "Label image of the cells; a pattern with {stem} for several images."),
    ] = None,
    engine: Engine = None,
    segment_on: Annotated[
        str | None,
        typer.Option(
            help="What is segmented: target, reference, or FILE[:CHANNEL]; with INPUTS a channel.",
            rich_help_panel=_CELLS,
        ),
    ] = None,
    segment_by: Annotated[
        str | None,
        typer.Option(
            help="Recipe whose step segment finds the cells, as in whole-cells; other options change it.",
            rich_help_panel=_CELLS,
        ),
    ] = None,
    model: Model = None,
    diameter_px: DiameterPx = None,
    diameter_um: DiameterUm = None,
    device: Device = None,
    mask: Mode = None,
    mask_target: Annotated[str | None, _one("--mask-target")] = None,
    mask_reference: Annotated[str | None, _one("--mask-reference")] = None,
    percentile: Annotated[
        float | None, _both("Threshold of percentile modes: 75 keeps the brightest quarter.", "--percentile")
    ] = None,
    percentile_target: Annotated[float | None, _one("--percentile-target")] = None,
    percentile_reference: Annotated[float | None, _one("--percentile-reference")] = None,
    sd: Annotated[float | None, _both("Threshold of mean_sd modes: so many SD above the mean.", "--sd")] = None,
    sd_target: Annotated[float | None, _one("--sd-target")] = None,
    sd_reference: Annotated[float | None, _one("--sd-reference")] = None,
    value: Annotated[float | None, _both("Threshold of the mode value.", "--value")] = None,
    value_target: Annotated[float | None, _one("--value-target")] = None,
    value_reference: Annotated[float | None, _one("--value-reference")] = None,
    saturation: Annotated[
        str | None,
        _both(
            "Pixels of the original from here on are left out: 254 (on the scale 0-255), native:4000 (as stored) or "
            "99% (of the detector's maximum); 100% if left out.",
            "--saturation",
        ),
    ] = None,
    saturation_target: Annotated[str | None, _one("--saturation-target")] = None,
    saturation_reference: Annotated[str | None, _one("--saturation-reference")] = None,
    min_object: Annotated[
        int | None, _both("Connected parts of a mask with fewer pixels are dropped; 50 if left out.", "--min-object")
    ] = None,
    min_object_target: Annotated[int | None, _one("--min-object-target")] = None,
    min_object_reference: Annotated[int | None, _one("--min-object-reference")] = None,
    background: Annotated[
        str | None,
        _both(
            "none, rolling-ball:50 (ImageJ's; or :native, :unit after it), dark:5 (mean of the darkest 5 %), "
            "manual:T[,R] (values), local:2:8 (ring round each cell: gap, width in px).",
            "--background",
        ),
    ] = None,
    background_target: Annotated[str | None, _one("--background-target")] = None,
    background_reference: Annotated[str | None, _one("--background-reference")] = None,
    normalise: Annotated[str | None, _in(_MASKS, "none, z, robust, minmax or percentile.")] = None,
    save_corrected: Annotated[
        int | None,
        _in(_MASKS, "Write the corrected image with 32, 16 or 8 bits, to maps/."),
    ] = None,
    radial: Annotated[
        str | None,
        typer.Option(
            help="Part of the cell or ring round it: 90:100 in per cent, -0.5:0.5um or -2:0px from its edge.",
            rich_help_panel=_PARTS,
        ),
    ] = None,
    radial_on: Annotated[
        str | None,
        _in(_PARTS, "What the radial part restricts: target, reference, and (several with commas), or none."),
    ] = None,
    radial_clip: Annotated[bool | None, _in(_PARTS, "Leave out what lies outside of the cells.")] = None,
    profile: Annotated[
        str | None,
        _in(_PROFILES, "Radial profile, WINDOW:STEP: 5:1 in per cent, 0.5:0.1um or 2:1px."),
    ] = None,
    profile_range: Annotated[str | None, _in(_PROFILES, "Where the profile begins and ends, as in 0:150.")] = None,
    smooth: Annotated[
        str | None,
        typer.Option(
            help="Savitzky-Golay of the profile, WINDOWS (odd):ORDER; 5:2 if left out, 0:0 for none.",
            rich_help_panel=_PROFILES,
        ),
    ] = None,
    peaks: Annotated[str | None, _in(_PROFILES, "Peaks of the profile: first_local_top or global_max.")] = None,
    peak_range: Annotated[str | None, _in(_PROFILES, "Where peaks are looked for, as in 60:100.")] = None,
    ratio: Annotated[
        str | None,
        _in(_PARTS, "ratio_of_means (if left out), mean_of_ratios or epsilon_smoothed."),
    ] = None,
    ratio_epsilon: Annotated[float | None, _in(_PARTS, "What epsilon_smoothed adds to both channels.")] = None,
    passport: Annotated[
        bool | None,
        typer.Option(
            "--passport/--no-passport",
            help="Whether each cell is judged: saturation, focus, ….",
            rich_help_panel=_PARTS,
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Condition that a cell must meet to stay in the table: 'not flag_saturation', 'cell_area_um2 > 50'; "
            "dropped cells are listed. Repeatable.",
            rich_help_panel=_PARTS,
        ),
    ] = None,
    keep_ids: Annotated[
        float | None,
        typer.Option(
            help="Let cells keep their ids from plane to plane (Z, or else T): least IoU, as in 0.2.",
            rich_help_panel=_CELLS,
        ),
    ] = None,
    seed_labels: Annotated[
        Path | None,
        _in(_CELLS, "With --keep-ids: label image whose ids the first plane takes."),
    ] = None,
    compat: Annotated[
        CompatChoice | None, typer.Option(help="Follow the rules and column names of another program exactly.")
    ] = None,
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    detector_bits: DetectorBits = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    settings: Settings = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Whether to write overlays, plots and the page of them.")
    ] = True,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Measure a target channel, and its ratio to a reference, in each cell and in masks and rings of it.

    Examples
    --------
    [bold]cellmetry quantify --target gfp.tif --reference rfp.tif --labels cells.tif --out results/[/bold]

    [bold]cellmetry quantify plate/ --pattern '{well}_{channel}.tif' --target 1 --reference 2 --out results/[/bold]
    """
    common = {
        "mask": mask,
        "percentile": percentile,
        "sd": sd,
        "value": value,
        "saturation": saturation,
        "min_object": min_object,
        "background": background,
    }
    of_target = {
        "mask": mask_target,
        "percentile": percentile_target,
        "sd": sd_target,
        "value": value_target,
        "saturation": saturation_target,
        "min_object": min_object_target,
        "background": background_target,
    }
    of_reference = {
        "mask": mask_reference,
        "percentile": percentile_reference,
        "sd": sd_reference,
        "value": value_reference,
        "saturation": saturation_reference,
        "min_object": min_object_reference,
        "background": background_reference,
    }
    roles = {"target": target} | given(reference=reference)
    if reference is None and given(**of_reference):
        raise ParameterError("An option of the reference was given, but no --reference.")
    plan = _plan(
        target=given(**common) | given(**of_target),
        reference=None if reference is None else given(**common) | given(**of_reference),
        choices=given(
            normalise=normalise,
            save_corrected=save_corrected,
            radial=radial,
            radial_on=_restricted(radial_on),
            radial_clip=radial_clip,
            profile=profile,
            profile_range=_pair("--profile-range", profile_range, float),
            smooth=_pair("--smooth", smooth, int),
            peaks=peaks,
            peak_range=_pair("--peak-range", peak_range, float),
            ratio=ratio,
            epsilon=ratio_epsilon,
            passport=passport,
            keep=keep,
        ),
    )
    look = given(engine=engine, model=model, diameter_px=diameter_px, diameter_um=diameter_um, device=device)
    if labels is not None and segment_by is not None:
        raise ParameterError("--labels gives the cells, so leave out --segment-by.")
    segment_channel = _segment_channel(labels, segment_on, look, roles)
    reading = reading_of(
        axes=axes,
        rgb=rgb,
        pixel_size_um=pixel_size,
        pixel_size_z_um=pixel_size_z,
        pattern=pattern,
        detector_bits=detector_bits,
    )
    found = _images(inputs, roles, reading, out)
    ids = _id_steps(keep_ids, seed_labels, compat, found)
    entries = [_finder(labels, segment_by, look, segment_channel), *ids, *_entries(plan, compat, roles, inputs)]
    changes = _addressed(settings or [], entries)
    recipe = parse_recipe({"name": "quantify", "steps": entries}, changes, where="quantify")
    layout = Layout(
        labels="masks",
        overlays=pictures,
        stems=len(found.images) > 1 or inputs is not None,
        arrays=True,
        quantification=True,
        bare=compat is not None,
    )
    with terminal_progress(shown=not as_json) as progress:
        result = run_recipe(recipe, found, out, layout=layout, workers=workers, progress=progress)
    report_outcome(result, as_json=as_json)


def _plan(*, target: dict[str, Any], reference: dict[str, Any] | None, choices: dict[str, Any]) -> QuantificationPlan:
    """Return the plan, with errors that name the option."""
    parse_parameters(RolePlan, target, where="options")
    if reference is not None:
        parse_parameters(RolePlan, reference, where="options")
    plan = parse_parameters(QuantificationPlan, {"target": target, "reference": reference, **choices}, where="options")
    for sentence in plan.unused():
        log.warning(sentence)
    return plan


def _pair(option: str, text: str | None, kind: type) -> tuple[Any, Any] | None:
    """Return two numbers from a text such as ``0:150``."""
    if text is None:
        return None
    first, _, second = text.partition(":")
    try:
        return kind(first), kind(second)
    except ValueError as error:
        raise ParameterError(f"{option} takes two numbers with a colon between them, not {text!r}.") from error


def _restricted(text: str | None) -> list[str] | None:
    """Return what the radial part restricts; nothing for ``none``."""
    if text is None:
        return None
    return [] if text.strip() == "none" else [part.strip() for part in text.split(",")]


def _addressed(settings: list[str], entries: list[dict[str, Any]]) -> list[str]:
    """Return the changes with numbers where the command made several steps of one name.

    ``segment.…`` means the step that finds the cells, not the one that looks a seed up; ``mask.…`` every mask.
    """
    out = []
    for text in settings:
        name, dot, rest = text.partition(".")
        several = [entry for entry in entries if entry["step"] == name]
        if not dot or len(several) < 2:
            out.append(text)
            continue
        meant = [entry for entry in several if name != "segment" or entry.get("labels", "cells") == "cells"]
        out += [f"{name}[{several.index(entry) + 1}].{rest}" for entry in meant]
    return out


def _segment_channel(
    labels: str | None, segment_on: str | None, look: dict[str, Any], roles: dict[str, str]
) -> str | None:
    """Return the role of the channel that is segmented, adding one for a channel of its own; None with labels."""
    if labels is not None:
        if look or segment_on is not None:
            raise ParameterError("--labels gives the cells, so leave out --engine, --segment-on and their options.")
        return None
    if segment_on in (None, *roles):
        return segment_on or ("reference" if "reference" in roles else "target")
    roles[_SEGMENT] = str(segment_on)
    return _SEGMENT


def _finder(labels: str | None, by: str | None, look: dict[str, Any], channel: str | None) -> dict[str, Any]:
    """Return the step that finds or looks up the cells."""
    if labels is not None:
        path = Path(labels)
        options = {"folder": str(path.parent), "pattern": path.name} if "{stem}" in labels else {"file": labels}
        return {"step": "segment", "engine": "labels", "options": options}
    return {"step": "segment", **_segment_of(by), "channel": channel, **look}


def _segment_of(recipe: str | None) -> dict[str, Any]:
    """Return the parameters of the step `segment` of a recipe; none without one."""
    if recipe is None:
        return {}
    steps = [step for step in load_recipe(recipe).steps if isinstance(step, Segment)]
    if len(steps) != 1:
        raise ParameterError(f"The recipe {recipe} has {len(steps)} steps segment; --segment-by takes one with one.")
    return steps[0].model_dump(mode="json", exclude_none=True)


def _id_steps(
    keep_ids: float | None, seed_labels: Path | None, compat: CompatChoice | None, found: Found
) -> list[dict[str, Any]]:
    """Return the steps that let ids run through the planes of the images."""
    if keep_ids is None:
        if seed_labels is not None:
            raise ParameterError("--seed-labels gives the first plane its ids; say with --keep-ids how.")
        return []
    axes = found.images[0].open().axes
    axis = next((axis for axis in "ZT" if axis in axes), None)
    if axis is None:
        raise ParameterError(f"--keep-ids needs planes along Z or T; {found.images[0].name} has the axes {axes}.")
    step: dict[str, Any] = {"step": "keep_ids", "axis": axis, "least_iou": keep_ids}
    step |= {"rules": "dualcellquant"} if compat is not None else {}
    if seed_labels is None:
        return [step]
    seed = {"step": "segment", "engine": "labels", "labels": "seed", "options": {"file": str(seed_labels)}}
    return [seed, step | {"seed": "seed"}]


def _entries(
    plan: QuantificationPlan, compat: CompatChoice | None, roles: dict[str, str], inputs: list[str] | None
) -> list[dict[str, Any]]:
    """Return the steps that measure, by our rules or those of another program."""
    picks = {role: text if inputs else split_channel(text)[1] for role, text in roles.items()}
    return plan.entries() if compat is None else [dualcellquant_entry(plan, picks)]


def _images(inputs: list[str] | None, roles: dict[str, str], reading: Reading, out: Path) -> Found:
    """Return the images: those of the inputs with channels in roles, or the one that the files make up."""
    if inputs:
        return find_by_channel(inputs, roles, reading, out)
    if reading.pattern is not None:
        raise ParameterError("--pattern makes images of the files of INPUTS; name their folder before the options.")
    return find_by_file(roles, reading)
