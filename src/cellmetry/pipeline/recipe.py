"""`Recipe`: an ordered list of steps, kept as TOML; the hash of its steps names it."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from copy import deepcopy
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.progress import SILENT
from cellmetry.core.registry import Registry
from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.report.drawing_options import OverlayOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.core.step import Step

__all__ = ["STEPS", "Recipe", "load_recipe", "parse_recipe", "recipe_of_toml", "recipe_text", "shipped_recipes"]

STEPS = Registry(
    kind="step",
    builtin={
        "align_channels": "cellmetry.ops.align:AlignChannels",
        "bleed_through": "cellmetry.ops.bleed_through:BleedThrough",
        "colocalise": "cellmetry.measure.colocalisation:Colocalise",
        "combine_masks": "cellmetry.quantify.masks:CombineMasks",
        "count": "cellmetry.counting.step:Count",
        "cytoplasm": "cellmetry.ops.regions:Cytoplasm",
        "denoise": "cellmetry.ops.denoise:Denoise",
        "dualcellquant": "cellmetry.quantify.dualcellquant.step:DualCellQuant",
        "filter_cells": "cellmetry.measure.filter:FilterCells",
        "flat_field": "cellmetry.quantify.flat_field:FlatField",
        "keep_ids": "cellmetry.ops.keep_ids:KeepIds",
        "keep_image": "cellmetry.ops.keep_image:KeepImage",
        "maps": "cellmetry.engines.maps_step:Maps",
        "mask": "cellmetry.quantify.masks:Mask",
        "measure": "cellmetry.measure.step:Measure",
        "measure_imagej": "cellmetry.measure.imagej_step:MeasureImageJ",
        "measure_nested": "cellmetry.measure.nested:MeasureNested",
        "normalise": "cellmetry.ops.normalise:Normalise",
        "passport": "cellmetry.measure.passport.step:Passport",
        "peaks": "cellmetry.quantify.peaks:Peaks",
        "profile": "cellmetry.quantify.profiles:Profile",
        "quantify": "cellmetry.quantify.quantities:Quantify",
        "radial": "cellmetry.quantify.radial:Radial",
        "relate": "cellmetry.ops.regions:Relate",
        "ring": "cellmetry.ops.regions:Ring",
        "rolling_ball": "cellmetry.ops.rolling_ball:RollingBall",
        "segment": "cellmetry.engines.segment:Segment",
        "split_parts": "cellmetry.ops.relabel:SplitParts",
        "spots": "cellmetry.measure.spots:Spots",
        "subtract_dark": "cellmetry.ops.subtract:SubtractDark",
        "subtract_local": "cellmetry.measure.local_background:SubtractLocal",
        "subtract_region": "cellmetry.ops.subtract_region:SubtractRegion",
        "subtract_value": "cellmetry.ops.subtract:SubtractValue",
        "translocation": "cellmetry.measure.translocation:Translocation",
    },
    group="cellmetry.steps",
)

_MOST_DOTS = 5_000
"""The time that `tomllib` takes for a key grows with the square of its dots."""
_KEYS = {"name", "description", "steps", "overlay"}
_ADDRESS = re.compile(r"(?P<step>[A-Za-z_]\w*)(\[(?P<number>\d+)\])?\.(?P<path>[A-Za-z_][\w.]*)")


@dataclass(frozen=True)
class Recipe:
    """An ordered list of steps with a name.

    Parameters
    ----------
    name, description
        For people; not part of the hash.
    steps
        In the order in which they work.
    overlay
        How the pictures of the results look; not part of the hash.
    """

    name: str
    steps: tuple[Step, ...]
    description: str = ""
    overlay: OverlayOptions = field(default_factory=OverlayOptions)

    @property
    def hash(self) -> str:
        """SHA-256 of the steps and all their parameters, defaults included."""
        text = json.dumps([_as_table(step, full=True) for step in self.steps], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def files_read(self) -> list[Path]:
        """Return the files that the steps read besides the images, each once.

        Raises
        ------
        MissingInput
            If one of them is not there.
        """
        found = [(step.name, file) for step in self.steps for file in step.files_read()]
        for name, file in found:
            if not file.exists():
                raise MissingInput(f"The step {name} reads {file}, but there is no such file; correct its path.")
        return list(dict.fromkeys(file for _, file in found))

    def detectors_used(self, image: Image) -> set[int]:
        """Return the channels of an image on whose detector's largest value the steps depend."""
        return {channel for step in self.steps for channel in step.detectors_used(image)}

    def apply(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return what the steps make of `sample`, one after the other."""
        for step in self.steps:
            sample = step(sample, progress)
        return sample


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with Cellmetry."""
    folder = files("cellmetry.pipeline") / "recipes"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_recipe(source: str | Path, changes: Iterable[str] = ()) -> Recipe:
    """Return a recipe from a TOML file, or a shipped one by its name.

    Parameters
    ----------
    changes
        ``"step.parameter=value"`` each, as after ``--set``; ``"overlay.parameter=value"`` for the pictures.

    Raises
    ------
    MissingInput
        If there is neither a file nor a shipped recipe of this name.
    ParameterError
        If the recipe is not TOML, or a step or parameter is wrong; says the nearest right word.
    """
    path = Path(source)
    if path.suffix.lower() == ".toml":
        if not path.is_file():
            raise MissingInput(f"There is no recipe {path}; `cellmetry recipe list` shows the shipped ones.")
        text = _text_of(path)
    elif str(source) in shipped_recipes():
        text = (files("cellmetry.pipeline") / "recipes" / f"{source}.toml").read_text(encoding="utf-8")
    else:
        raise UnknownName("shipped recipe or .toml file", str(source), shipped_recipes())
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{source} is not valid TOML: {error}.") from error
    return parse_recipe(table, changes, where=str(source), default_name=path.stem)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it so.") from error


def recipe_of_toml(text: str, changes: Iterable[str] = (), *, where: str = "recipe") -> Recipe:
    """Return the recipe in a TOML text that anybody may have sent, with changes as after ``--set``.

    Raises
    ------
    ParameterError
        If it is not TOML, a step or parameter is wrong, or its keys would take endless time to read.
    """
    if text.count(".") > _MOST_DOTS:
        raise ParameterError(f"{where} has more than {_MOST_DOTS:,} dots, nested too deep to be a recipe.")
    try:
        return parse_recipe(tomllib.loads(text), changes, where=where, default_name=where)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{where} is not valid TOML: {error}.") from error
    except RecursionError as error:
        raise ParameterError(f"{where} is nested too deep to be a recipe.") from error


def parse_recipe(
    table: Mapping[str, Any], changes: Iterable[str] = (), *, where: str = "recipe", default_name: str = "recipe"
) -> Recipe:
    """Return a recipe from what its TOML or JSON holds, with changes such as ``segment.diameter_um=12`` made."""
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise UnknownName(f"entry of {where} called", unknown[0], _KEYS)
    entries = table.get("steps", [])
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ParameterError(f'{where} has no steps; each begins with a line [[steps]] and says step = "…".')
    if not isinstance(table.get("overlay", {}), dict):
        raise ParameterError(f"{where}: overlay is a table of parameters; it begins with a line [overlay].")
    entries = deepcopy(entries)
    overlay = {"step": "overlay", **deepcopy(table.get("overlay", {}))}
    for change in changes:
        _make_change([*entries, overlay], change)
    steps = tuple(_parse_step(entry, f"{where}, step {number}") for number, entry in enumerate(entries, 1))
    del overlay["step"]
    looks = parse_parameters(OverlayOptions, overlay, where=f"{where} (overlay)")
    return Recipe(str(table.get("name", default_name)), steps, str(table.get("description", "")), looks)


def recipe_text(recipe: Recipe) -> str:
    """Return the recipe as TOML, every parameter stated."""
    table = {
        "name": recipe.name,
        "description": recipe.description,
        "overlay": recipe.overlay.model_dump(mode="json", exclude_none=True),
        "steps": [_as_table(step, full=False) for step in recipe.steps],
    }
    return tomli_w.dumps(table)


def _as_table(step: Step, *, full: bool) -> dict[str, Any]:
    values = step.model_dump(mode="json", exclude_none=not full)
    return {"step": step.name, **values}


def _parse_step(entry: Mapping[str, Any], where: str) -> Step:
    if not isinstance(entry.get("step"), str):
        raise ParameterError(f'{where} does not say which it is: step = "segment", say.')
    step_type = STEPS.load(entry["step"])
    values = {key: value for key, value in entry.items() if key != "step"}
    step: Step = parse_parameters(step_type, values, where=f"{where} ({entry['step']})")
    return step


def _make_change(entries: list[dict[str, Any]], change: str) -> None:
    """Set one parameter in the steps' tables."""
    address, equals, text = change.partition("=")
    match = _ADDRESS.fullmatch(address.strip())
    if not equals or match is None:
        raise ParameterError(f"--set {change!r} is not of the form step.parameter=value, as in segment.diameter_um=12.")
    entry = _addressed(entries, match["step"], match["number"], change)
    *way, last = match["path"].split(".")
    for part in way:
        entry = entry.setdefault(part, {})
        if not isinstance(entry, dict):
            raise ParameterError(f"--set {change}: {part} has no parameters of its own.")
    entry[last] = _value(text.strip())


def _addressed(entries: list[dict[str, Any]], name: str, number: str | None, change: str) -> dict[str, Any]:
    hits = [entry for entry in entries if entry.get("step") == name]
    if not hits:
        raise UnknownName("step in this recipe called", name, [str(entry.get("step")) for entry in entries])
    if number is None and len(hits) > 1:
        raise ParameterError(f"--set {change}: the recipe has {len(hits)} steps {name}; say {name}[1], {name}[2], ….")
    index = int(number or 1)
    if not 1 <= index <= len(hits):
        raise ParameterError(f"--set {change}: the recipe has {len(hits)} steps {name}.")
    return hits[index - 1]


def _value(text: str) -> Any:
    """Return text as the TOML value it is (number, true, list, quoted text), else as the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
