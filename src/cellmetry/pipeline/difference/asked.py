"""What two folders of results were asked and concluded: their studies, and their comparisons side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.io.tables import read_table
from cellmetry.study.design.metadata import DESIGN_FILE
from cellmetry.study.difference.asked import compare_designs, compare_entries, compare_evidence, named_entries
from cellmetry.study.difference.changes import CONTRAST_CHANGES, Change, DiffOptions
from cellmetry.study.difference.results import compare_contrasts, described
from cellmetry.study.file import STUDY_FILE, load_study

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.pipeline.result_folders import ResultFolder

__all__ = ["compare_comparisons", "compare_studies", "is_study"]

_ENTRIES = {"design", "filters", "positive", "compare", "second", "dose_response", "output", "style"}
"""Entries of a study besides those that the records of its runs tell: recipe, its settings, images."""
_SETTINGS = ("table", "keep", "gates")
"""Settings of a comparison that decide its numbers, besides the options of each value."""


def is_study(side: ResultFolder) -> bool:
    """Return whether a folder of results is that of a study."""
    return (side.folder / STUDY_FILE).is_file()


def compare_studies(old: ResultFolder, new: ResultFolder) -> list[Change]:
    """Return what differs in the designs of two studies and in the entries of their files; nothing of other folders.

    Raises
    ------
    ParameterError
        If an entry of a study is wrong.
    """
    changes: list[Change] = []
    if all((side.folder / DESIGN_FILE).is_file() for side in (old, new)):
        changes += compare_designs(*(_as_text(side.folder / DESIGN_FILE) for side in (old, new)))
    if is_study(old) and is_study(new):
        before, after = (load_study(side.folder).said.model_dump(mode="json", include=_ENTRIES) for side in (old, new))
        changes += compare_entries(before, after, "study")
    return changes


def compare_comparisons(
    old: ResultFolder, new: ResultFolder, options: DiffOptions
) -> tuple[pd.DataFrame, list[Change]]:
    """Return the contrasts of both side by side, and what was asked otherwise and what they rest on."""
    found, changes = [], []
    places = list(dict.fromkeys((*old.comparisons, *new.comparisons)))
    for place in places:
        before, after = (side.comparisons.get(place) for side in (old, new))
        rows = compare_contrasts(
            _contrasts(before), _contrasts(after), comparison=place, significance=options.significance
        )
        if before is None or after is None:
            whole = (None if side is None else "a comparison" for side in (before, after))
            changes.append(Change("comparison", place, *whole))
        else:
            told = [*compare_entries(_asked(before), _asked(after), "comparison"), *compare_evidence(rows)]
            changes += [each._replace(what=f"{place}: {each.what}") for each in told] if len(places) > 1 else told
        found += [rows] if len(rows) else []
    columns = [column.name for column in CONTRAST_CHANGES]
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)
    return described(table, CONTRAST_CHANGES), changes


def _as_text(path: Path) -> pd.DataFrame:
    """Return a design with all cells as text, so that 1 and "1" are the same."""
    return read_table(path, text=[str(name) for name in read_table(path).columns])


def _asked(comparison: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a comparison that decide its numbers."""
    settings = comparison.get("settings", {})
    options = [each["options"] for each in comparison.get("comparisons", ())]
    return {**{name: settings.get(name) for name in _SETTINGS}, "compare": options}


def _contrasts(comparison: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the contrasts of a comparison, each with its value and the scale on which it was made."""
    each = (comparison or {}).get("comparisons", ())
    named = named_entries([one["options"] for one in each])
    return [
        {**contrast, "value": name, "scale": options["scale"]}
        for (name, options), one in zip(named.items(), each, strict=True)
        for contrast in one["contrasts"]
    ]
