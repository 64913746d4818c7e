"""An R script that draws the figures of a comparison again, and makes its test again, from the tables beside it."""

from __future__ import annotations

import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError
from cellmetry.report.style import FigureStyle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cellmetry.stats.comparison.result import Comparison

__all__ = ["r_script", "r_string"]

_CODE = "comparison/comparison.R"
_HEAD = """# Figures and test of a comparison, from the tables beside this file. Written by Cellmetry.
# Run it with: Rscript FILE     (or in R: source("FILE", chdir = TRUE), encoded in UTF-8)
# It needs R 4.0 or newer and the package ggplot2, and for Dunnett's correction the package multcomp.
# It writes r_superplot and r_violin (.pdf, .png) and r_contrasts.csv, with settings$outputs before these names, and
# leaves all other files as they are.

"""
_CORRECTIONS = {"holm": "holm", "bonferroni": "bonferroni", "fdr_bh": "BH", "none": "none"}
_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def r_script(
    comparison: Comparison,
    style: FigureStyle | None = None,
    *,
    cells: str = "cells.csv",
    replicates: str = "replicates.csv",
    outputs: str = "",
) -> str:
    """Return the text of an R script, all ASCII; names of any kind stand in it as quoted text only.

    It reads `cells` (a row for each cell, with the columns that the comparison's options name) and `replicates` (the
    comparison's table of replicates) as CSV that Cellmetry wrote.

    Parameters
    ----------
    cells, replicates
        Where the tables lie, relative to the script.
    outputs
        Stands before the names of the files that the script writes, so that scripts beside each other do not replace
        each other's: ``area_`` makes ``area_r_superplot.pdf``.

    Raises
    ------
    ParameterError
        If a name has a character that R's text cannot hold (NUL, or half of a pair).
    """
    places = {"cells_file": cells, "replicates_file": replicates, "outputs": outputs}
    settings = places | _settings(comparison, style or FigureStyle())
    entries = ",\n".join(f"  {name} = {_r(value)}" for name, value in settings.items())
    code = files("cellmetry.report").joinpath(_CODE).read_text("utf-8").replace("\r\n", "\n")
    return f"{_HEAD}settings <- list(\n{entries}\n)\n\n{_contrasts(comparison)}{code}"


def r_string(text: str) -> str:
    r"""Return text as R writes it between quotes: printable ASCII, all else as ``\u`` with its number.

    Raises
    ------
    ParameterError
        If it has a character that R's text cannot hold.
    """
    if "\0" in text or any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        raise ParameterError(f"The name {text!r} has a character that R cannot hold; rename it.")
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    number = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if 0x20 <= number < 0x7F:
        return character
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _settings(comparison: Comparison, style: FigureStyle) -> dict[str, Any]:
    """Return what the code needs to know, in the order in which it stands in the script."""
    options, design = comparison.options, comparison.design
    height = 0.8 * style.width_mm if style.height_mm is None else style.height_mm
    return {
        "value": options.value,
        "total": options.total,
        "by": options.by,
        "replicate": options.replicate,
        "conditions": design.conditions,
        "paired": design.paired,
        "estimation_only": design.estimation_only,
        "kind": design.kind,
        "method": options.method,
        "adjust": _adjustment(comparison),
        "log": options.scale == "log",
        "confidence": options.confidence,
        "value_label": style.labels.get(options.value, options.value),
        "replicate_label": style.labels.get(options.replicate, options.replicate),
        "condition_labels": {name: style.labels.get(name, name) for name in design.conditions},
        "palette": style.palette,
        "font_size_pt": style.font_size_pt,
        "width_mm": style.width_mm,
        "height_mm": height,
        "dpi": style.dpi,
        "most_points": style.most_points,
        "seed": style.seed,
    }


def _adjustment(comparison: Comparison) -> str:
    """Return the correction by the name that R knows, as the comparison chooses it where it is left to it."""
    options = comparison.options
    chosen = ("tukey" if options.control is None else "dunnett") if options.adjust == "auto" else options.adjust
    return _CORRECTIONS.get(chosen, chosen)


def _contrasts(comparison: Comparison) -> str:
    """Return the contrasts with what Cellmetry found, to stand beside what R finds."""
    table = comparison.contrasts
    columns: dict[str, list[Any]] = {
        "condition": [str(each) for each in table["condition"]],
        "reference": [str(each) for each in table["reference"]],
        "cellmetry_estimate": table["estimate"].astype(float).tolist(),
        "cellmetry_p_value": table["p_value"].astype(float).tolist(),
        "cellmetry_p_adjusted": table["p_adjusted"].astype(float).tolist(),
    }
    entries = "".join(f"  {name} = {_vector(values)},\n" for name, values in columns.items())
    return f"contrasts <- data.frame(\n{entries}  stringsAsFactors = FALSE\n)\n"


def _r(value: object) -> str:
    """Return a value as R writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return r_string(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dict):
        return _named(value)
    if isinstance(value, tuple | list):
        return _vector(value)
    raise TypeError(f"R has no form for {type(value).__name__}.")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NA_real_"
    return ("Inf" if value > 0 else "-Inf") if math.isinf(value) else repr(value)


def _vector(values: Iterable[Any]) -> str:
    return f"c({', '.join(map(_r, values))})"


def _named(values: Mapping[str, str]) -> str:
    """Return a named vector; names stand as text, so that none is read as code."""
    return f"structure({_vector(values.values())}, names = {_vector(values)})"
