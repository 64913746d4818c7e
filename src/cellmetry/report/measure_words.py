"""What a column of a table measures, as a sentence of a paper names it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellmetry.core.columns import Column

__all__ = ["measure_words"]

_WHOLE = {
    "n": "number of cells per image",
    "n_instances": "number of outlined cells per image",
    "n_density": "number of cells per image by their density",
    "n_cells_kept": "number of cells per image",
    "n_cells_kept_per_mm2": "number of cells per mm²",
}
_OF_PIXELS = {
    "mean": "mean intensity",
    "sum": "summed intensity",
    "std": "standard deviation of the intensity",
    "sample_std": "standard deviation of the intensity",
    "min": "smallest intensity",
    "max": "largest intensity",
    "median": "median intensity",
}
_UNITS = {
    "": "",
    "1": "",
    "1/mm2": "",
    "um": "µm",
    "um2": "µm²",
    "um3": "µm³",
    "deg": "degrees",
    "intensity": "units of the detector",
    "intensity um2": "units of the detector × µm²",
    "intensity um3": "units of the detector × µm³",
}
_SINGULAR = {"nuclei": "nucleus"}
_ENDINGS = re.compile(r"_(um2|um3|um|px2|px|deg|s)(?=_|$)")
_REGION = re.compile(r"Of the (.+?): ")
_CHANNEL = re.compile(r" Channels? (.+)\.$")
_PERCENTILE = re.compile(r"p(\d+(?:_\d+)?)")


def measure_words(column: Column, rows: str = "cells") -> str:
    """Return what a column measures with its name and unit: ``the area per cell (column area_um2, in µm²)``.

    Parameters
    ----------
    rows
        What a row of its table is, in the plural.
    """
    unit = _UNITS.get(column.unit, column.unit)
    words = _WHOLE.get(column.name) or f"{_measured(column)} per {_SINGULAR.get(rows, rows.removesuffix('s'))}"
    return f"the {words} (column {column.name}{f', in {unit}' if unit else ''})"


def _measured(column: Column) -> str:
    """Return the measure, with its channel and region, as the description of the column names them."""
    name = column.name
    region, channel = _REGION.match(column.definition), _CHANNEL.search(column.definition)
    of, within = "", ""
    if region is not None and name.startswith(f"{region[1]}_"):
        name, within = name.removeprefix(f"{region[1]}_"), f" in the {region[1]}"
    suffix = "" if channel is None else f"_{channel[1].replace(' over ', '_to_')}"
    if channel is not None and name.endswith(suffix):
        name, of = name.removesuffix(suffix), f" of {channel[1]}"
    percentile = _PERCENTILE.fullmatch(name)
    if percentile is not None:
        return f"{percentile[1].replace('_', '.')}th percentile of the intensity{of}{within}"
    if of and name in _OF_PIXELS:
        return f"{_OF_PIXELS[name]}{of}{within}"
    return f"{_ENDINGS.sub('', name).replace('_', ' ')}{of}{within}"
