"""The report of a comparison: what was found first, then how far it can be trusted, then how it was made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from cellmetry.report.comparison.filters import FILTERS_CAPTION, filter_table
from cellmetry.report.comparison.tables import (
    contrast_table,
    naive_table,
    numbers_table,
    power_table,
)
from cellmetry.report.comparison.words import contrast_sentences
from cellmetry.report.document import Bullets, Document, FigureBlock, Heading, TableBlock, Text
from cellmetry.report.estimates import in_points, is_shift, shift_words
from cellmetry.report.methods import MethodsFacts, methods_text
from cellmetry.report.references import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cellmetry.report.document import Block, InteractiveBlock
    from cellmetry.stats.comparison.result import Comparison
    from cellmetry.study.design.design import Finding

__all__ = ["ComparisonParts", "Example", "comparison_document"]

_FOOTER = "Made by Cellmetry"
_SEVERITIES = ("error", "warning", "note")
_MOST_SENTENCES = 12
"""Contrasts of a value that the summary tells one by one at most."""
_TOLD_APART = ("inputs", "versions", "recipe", "images", "design", "notes")
_IMAGES_CAPTION = (
    "Images that went in, with the design as the study said it then; the version of labels counts their edits."
)
_NAIVE = (
    "A test that takes {rows} for replicates finds nearly everything significant, given enough of them: {rows} of one "
    "culture, animal or day share its state, so they are not independent, and their number says nothing about another "
    "replicate (Lord et al. 2020). Its p-values stand here so that readers can compare; they are not to be reported."
)


class Example(NamedTuple):
    """Picture (PNG) of an image of a condition, with its caption."""

    condition: str
    png: bytes
    caption: str


@dataclass(frozen=True)
class ComparisonParts:
    """All that a report can hold; a section without content does not appear.

    Parameters
    ----------
    title, subtitle
        Of the report.
    comparisons
        Of one value each.
    labels
        What stands in place of names of columns and conditions, as in the figures.
    findings, layout
        What the check of the design found, and where conditions lie on plates.
    examples
        Pictures of conditions.
    plates
        Values of wells, effects of edges and batches.
    flags
        Counts and quality flags of conditions or images.
    filters
        Filters with numbers of cells removed.
    figures, interactive
        With their legends; figures are numbered here.
    methods
        Facts for the methods paragraph; its comparisons are taken from `comparisons`.
    provenance
        ``inputs`` (a list of ``{"path": …, "sha256": …}``), ``versions`` (by name), ``recipe`` (its text), ``images``
        (``{"image": name, "labels": …, "version": …}`` by their ids) with ``design`` (columns by the same ids), and
        further entries as text, but ``notes``, which are among the findings.
    """

    title: str
    comparisons: tuple[Comparison, ...]
    subtitle: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    layout: tuple[FigureBlock, ...] = ()
    plates: tuple[FigureBlock, ...] = ()
    examples: tuple[Example, ...] = ()
    flags: pd.DataFrame | None = None
    filters: pd.DataFrame | None = None
    figures: tuple[FigureBlock, ...] = ()
    interactive: tuple[InteractiveBlock, ...] = ()
    methods: MethodsFacts = field(default_factory=MethodsFacts)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def comparison_document(parts: ComparisonParts) -> Document:
    """Return the report as blocks."""
    sections: dict[str, Sequence[Block]] = {
        "Summary": _summary(parts),
        "Design": _design(parts),
        "Example images": [_example(parts, example) for example in parts.examples],
        "Figures": _figures(parts.figures),
        "Interactive plot": list(parts.interactive),
        "Contrasts": _contrasts(parts),
        "Assumptions": _assumptions(parts),
        "Plates and batches": list(parts.plates),
        "Counts and quality": _table(parts.flags, "Counts and quality flags. A flag marks a cell, it removes none."),
        "Filters": _filters(parts),
        "How many replicates next time": _power(parts),
        "Methods": _methods(parts),
        "Provenance": _provenance(parts.provenance),
    }
    blocks = [block for title, content in sections.items() if content for block in (Heading(title), *content)]
    return Document(parts.title, parts.subtitle, tuple(blocks), _footer(parts))


def _footer(parts: ComparisonParts) -> str:
    version = parts.provenance.get("versions", {}).get("cellmetry") or parts.methods.versions.get("cellmetry")
    return f"{_FOOTER} {version}" if version else _FOOTER


def _summary(parts: ComparisonParts) -> list[Block]:
    sentences = [sentence for comparison in parts.comparisons for sentence in _told(parts, comparison)]
    grave: list[Block] = [Text(finding.text, "error") for finding in parts.findings if finding.severity == "error"]
    return [*grave, Bullets(tuple(sentences))] if sentences else grave


def _told(parts: ComparisonParts, comparison: Comparison) -> list[str]:
    """Return the sentences of a value; of many contrasts the first, and how many more there are."""
    sentences = contrast_sentences(comparison, parts.labels)
    more = len(sentences) - _MOST_SENTENCES
    if more <= 0:
        return sentences
    return [*sentences[:_MOST_SENTENCES], f"{_value(parts, comparison)}: and {more} more in the table of contrasts."]


def _design(parts: ComparisonParts) -> list[Block]:
    ranked = sorted(parts.findings, key=lambda finding: _SEVERITIES.index(finding.severity))
    blocks: list[Block] = [Text(finding.text, finding.severity) for finding in ranked]
    tables: list[pd.DataFrame] = []
    for comparison in parts.comparisons:
        table = numbers_table(comparison, parts.labels)
        if any(table.equals(other) for other in tables):
            continue
        tables.append(table)
        what = f"{comparison.options.rows.capitalize()} of each condition (rows) and replicate (columns)"
        blocks.append(TableBlock(table, f"{what} with a value of {_value(parts, comparison)}."))
    return [*blocks, *parts.layout]


def _value(parts: ComparisonParts, comparison: Comparison) -> str:
    return parts.labels.get(comparison.options.value, comparison.options.value)


def _example(parts: ComparisonParts, example: Example) -> FigureBlock:
    name = parts.labels.get(example.condition, example.condition)
    return FigureBlock(f"Example of {name}", example.png, example.caption)


def _table(table: pd.DataFrame | None, caption: str) -> list[Block]:
    return [] if table is None or table.empty else [TableBlock(table, caption)]


def _figures(figures: Iterable[FigureBlock]) -> list[Block]:
    return [
        replace(figure, legend=f"Figure {number}. {figure.legend}") for number, figure in enumerate(figures, start=1)
    ]


def _contrasts(parts: ComparisonParts) -> list[Block]:
    compared = [comparison for comparison in parts.comparisons if len(comparison.contrasts)]
    if not compared:
        return []
    blocks: list[Block] = []
    for comparison in compared:
        blocks += _heading(parts, comparison, compared)
        blocks.append(TableBlock(contrast_table(comparison, parts.labels), _contrast_caption(parts, comparison)))
    return [*blocks, *_naive(parts, compared)]


def _naive(parts: ComparisonParts, compared: list[Comparison]) -> list[Block]:
    """Return what a test of cells says; nothing of values that replicates have one row of (a table of fields)."""
    several = [each for each in compared if (each.replicates["n_cells"] > 1).any()]
    if not several:
        return []
    rows = listed(dict.fromkeys(each.options.rows for each in several))
    blocks: list[Block] = [Heading(f"What a test of {rows} would have claimed", 3), Text(_NAIVE.format(rows=rows))]
    for each in several:
        caption = f"{_value(parts, each)}: p-values with replicates and with {each.options.rows} as n."
        blocks.append(TableBlock(naive_table(each, parts.labels), caption))
    return blocks


def _filters(parts: ComparisonParts) -> list[Block]:
    if parts.filters is None:
        return []
    return _table(filter_table(parts.filters, parts.labels), FILTERS_CAPTION)


def _heading(parts: ComparisonParts, comparison: Comparison, among: list[Comparison]) -> list[Block]:
    return [Heading(_value(parts, comparison), 3)] if len(among) > 1 else []


def _contrast_caption(parts: ComparisonParts, comparison: Comparison) -> str:
    ratio = comparison.options.scale == "log"
    kind = "ratio of the condition to its reference" if ratio else "condition less reference"
    points = ", in percentage points" if in_points(comparison) else ""
    paired = comparison.design.paired
    unit = "pairs of replicates" if paired else "replicates of both conditions together"
    pairs = " Replicates are pairs." if paired else ""
    return f"{_value(parts, comparison)}, {kind}{points}. n: {unit}.{pairs}{_shifts(comparison)}"


def _shifts(comparison: Comparison) -> str:
    """Return what estimates by ranks are, and what those are beside them that were not tested."""
    by_rank = [is_shift(comparison, str(method)) for method in comparison.contrasts["method"]]
    if not any(by_rank):
        return ""
    others = "" if all(by_rank) else " Those without p-value are differences of means."
    if others and comparison.options.scale == "log":
        others = " Those without p-value are ratios of geometric means."
    return f" {shift_words(comparison)}{others}"


def _assumptions(parts: ComparisonParts) -> list[Block]:
    blocks: list[Block] = []
    stated = [each for each in parts.comparisons if each.notes or each.omnibus]
    for comparison in stated:
        sentences = ([comparison.omnibus] if comparison.omnibus else []) + list(comparison.notes)
        blocks += [*_heading(parts, comparison, stated), Bullets(tuple(sentences))]
    return blocks


def _power(parts: ComparisonParts) -> list[Block]:
    known = [comparison for comparison in parts.comparisons if len(comparison.power)]
    return [
        TableBlock(
            power_table(comparison, parts.labels),
            f"{_value(parts, comparison)}: replicates that would find the difference with a power of "
            f"{comparison.options.power:.0%}, if replicates scatter as they do here.{_worth(comparison)} The power is "
            f"that of one contrast without correction for several"
            f"{'; with one, more are needed' if len(comparison.power) > 1 else ''}.",
        )
        for comparison in known
    ]


def _worth(comparison: Comparison) -> str:
    usual = comparison.options.worth(fraction=comparison.design.kind == "fraction")
    return f" No difference was named: it is {usual}." if usual else ""


def _methods(parts: ComparisonParts) -> list[Block]:
    text = methods_text(replace(parts.methods, comparisons=parts.comparisons))
    return [Text(paragraph) for paragraph in text.split("\n\n")] if text else []


def _provenance(provenance: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    if inputs := provenance.get("inputs"):
        rows = [{"File": each["path"], "SHA-256": each["sha256"]} for each in inputs]
        blocks.append(TableBlock(pd.DataFrame(rows), "Files that went in."))
    if versions := provenance.get("versions"):
        rows = [{"Software": name, "Version": version} for name, version in versions.items()]
        blocks.append(TableBlock(pd.DataFrame(rows), "Software."))
    if images := provenance.get("images"):
        blocks.append(TableBlock(_image_table(images, provenance.get("design", {})), _IMAGES_CAPTION))
    further = [f"{key}: {value}" for key, value in provenance.items() if key not in _TOLD_APART]
    if further:
        blocks.append(Bullets(tuple(further)))
    if recipe := provenance.get("recipe"):
        blocks += [Heading("Recipe", 3), Text(recipe, "verbatim")]
    return blocks


def _image_table(images: Mapping[str, Mapping[str, Any]], design: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return a row for each image: its name, what the design said of it, and its labels."""
    columns = list(dict.fromkeys(name for said in design.values() for name in said))
    rows = [
        {
            "Image": used["image"],
            **{name.capitalize(): design.get(key, {}).get(name, "") for name in columns},
            "Labels": "" if used["labels"] is None else f"{used['labels']}, version {used['version']}",
        }
        for key, used in images.items()
    ]
    return pd.DataFrame(rows)
