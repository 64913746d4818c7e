"""A difference of two analyses in sentences, for the screen and for the page."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from cellmetry.report.numerals import p_text
from cellmetry.report.score_words import percent
from cellmetry.study.difference.changes import RUN_SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cellmetry.study.difference.changes import Change, Difference, Part

__all__ = ["SECTIONS", "change_words", "column_words", "contrast_words", "sentences", "shown"]

SECTIONS: Mapping[str, str] = {
    "recipe": "Recipe",
    "filters": "Filters",
    "engine": "Engine and model",
    "versions": "Versions",
    "reading": "How images were read",
    "files": "Files that steps read",
    "images": "Images",
    "edits": "Edits by hand",
    "columns": "Columns of tables",
    "design": "Design of the images",
    "study": "Entries of study.toml",
    "comparison": "Settings of comparisons",
    "contrasts": "What contrasts rest on",
}
"""Sections of changes in the order in which they are told, with their headings."""

_EQUAL: Mapping[Part, str] = {
    "run": "recipe, engine, versions, images and results",
    "labels": "objects",
    "study": "design and entries of study.toml",
    "comparison": "settings and contrasts of comparisons",
}
_WHOLE = ("a step", "an image", "a column", "an entry", "a comparison")
"""Stands for something that is there as a whole, without a value to tell."""
_LONGEST = 60
_HASH = 64


def sentences(difference: Difference) -> list[str]:
    """Return what differs in a few sentences, and what was not compared since a side does not have it."""
    if difference.equal:
        same = "; ".join(_EQUAL[part] for part in difference.parts)
        return [f"The two are equal: the same {same}.", *_not_compared(difference)]
    told = (_changes, _not_compared, _objects, _results, _contrasts)
    return [sentence for tell in told for sentence in tell(difference)]


def change_words(change: Change) -> str:
    """Return a change in words: ``segment.diameter_px: 24 → 32``."""
    if change.after in _WHOLE:
        return f"{change.what}: added"
    if change.before in _WHOLE:
        return f"{change.what}: removed"
    return f"{change.what}: {shown(change.before)} → {shown(change.after)}"


def column_words(row: Mapping[Any, Any]) -> str:
    """Return how a column changed: ``cells.area_px: 210 → 240 (+14 %) in 3 images``."""
    share = "" if math.isnan(row["relative"]) else f" ({100 * row['relative']:+.3g} %)"
    where = "1 image" if row["images"] == 1 else f"{row['images']} images"
    return f"{row['table']}.{row['column']}: {row['before']:.6g} → {row['after']:.6g}{share} in {where}"


def contrast_words(row: Mapping[Any, Any]) -> str:
    """Return a contrast in words, before and after, or as the only side has it."""
    told = [
        f"{row[f'conclusion_{when}']}"
        + ("" if math.isnan(row[f"p_{when}"]) else f", {p_text(row[f'p_{when}'])}")
        + ("" if math.isnan(row[f"estimate_{when}"]) else f", estimate {row[f'estimate_{when}']:.4g}")
        for when in ("before", "after")
        if row[f"conclusion_{when}"] != "absent"
    ]
    return f"{row['value']}: {row['condition']} against {row['reference']}: {' → '.join(told)}"


def shown(value: Any) -> str:
    """Return a JSON value as short text; of a hash, its first letters."""
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) == _HASH and set(text) <= set("0123456789abcdef"):
        return f"{text[:8]}…"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _changes(difference: Difference) -> list[str]:
    found = [change.section for change in difference.changes]
    told = [f"{heading.lower()} ({found.count(key)})" for key, heading in SECTIONS.items() if key in found]
    same = "run" in difference.parts and not set(found) & set(RUN_SECTIONS)
    return [
        *([f"Changes: {', '.join(told)}."] if told else []),
        *(["Recipe, engine, versions, reading and images are the same."] if same else []),
    ]


def _not_compared(difference: Difference) -> list[str]:
    """Return what one side lacks."""
    if "run" not in difference.parts:
        return ["At least one has no run, so recipe, engine, versions, reading, images and objects were not compared."]
    return [] if "labels" in difference.parts else ["No label image is in both, so no objects were compared."]


def _objects(difference: Difference) -> list[str]:
    if not len(difference.fields):
        return []
    counts, fields = difference.counts, difference.fields
    total = sum(counts.values())
    moved = int((fields[["changed", "new", "lost"]].sum(axis=1) > 0).sum())
    if total == counts["kept"]:
        return [f"Objects: all {total:,} are the same."] if not (fields["reason"] != "").any() else []
    iou = difference.cells.loc[difference.cells["change"] == "changed", "iou"].astype(float).median()
    overlap = f" (median IoU {iou:.3f})" if counts["changed"] else ""
    return [
        f"Objects: {counts['kept']:,} kept ({percent(counts['kept'], total)}), {counts['changed']:,} with another "
        f"outline{overlap}, {counts['new']:,} new, {counts['lost']:,} lost, in {moved:,} of {len(fields):,} label "
        f"images."
    ]


def _results(difference: Difference) -> list[str]:
    columns = difference.columns
    if not len(columns):
        return ["Results: no image's median differs."] if len(difference.fields) else []
    return [f"Results: {len(columns)} columns differ; the most: {column_words(columns.iloc[0].to_dict())}."]


def _contrasts(difference: Difference) -> list[str]:
    rows = difference.contrasts
    if not len(rows):
        return []
    turned, alone = int(rows["conclusion_changed"].sum()), _alone(rows)
    both = len(rows) - sum(alone.values())
    only = "".join(f"; {count} only {when}" for when, count in alone.items() if count)
    if not both:
        return [f"Conclusions: no contrast is in both{only}."]
    if turned:
        return [f"Conclusions: {turned} of {both} contrasts have another one{only}."]
    same = "" if difference.contrasts_differ else ", and so are the numbers"
    return [f"Conclusions: those of all {both} contrasts {'in both ' if only else ''}are the same{same}{only}."]


def _alone(rows: pd.DataFrame) -> dict[str, int]:
    """Return how many contrasts are only in the first analysis, and only in the second."""
    return {
        "before": int((rows["conclusion_after"] == "absent").sum()),
        "after": int((rows["conclusion_before"] == "absent").sum()),
    }
