"""`compare_to`: tables compared, with figures, report and tables for others, into a folder that appears when done."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.core.progress import SILENT
from cellmetry.io.atomic import atomic_folder
from cellmetry.pipeline.comparison.drawing import draw_figures, draw_gates, interactive_plots, write_figures
from cellmetry.pipeline.comparison.files import (
    RECORD,
    comparison_values,
    rows_as_json,
    write_for_others,
    write_tables,
)
from cellmetry.pipeline.comparison.keeping import keep_own_files, written_files
from cellmetry.pipeline.comparison.prepare import compare_tables, gate_and_filter
from cellmetry.pipeline.comparison.relative import relative_columns, with_relative_names, with_relative_values
from cellmetry.pipeline.record import versions
from cellmetry.report.measure_words import measure_words
from cellmetry.report.methods import FilterFact, MethodsFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from cellmetry.core.columns import Column
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.comparison.drawing import Pictures
    from cellmetry.pipeline.comparison.prepare import Compared, Tables
    from cellmetry.pipeline.comparison.run_facts import RunFacts
    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.report.comparison.document import Example
    from cellmetry.report.document import FigureBlock
    from cellmetry.study.design.design import Finding

__all__ = ["ComparisonResult", "Source", "Surroundings", "compare_to"]

_STAGES = 4
"""What is counted: values compared, figures drawn, tables and plates written, the report written."""


@dataclass(frozen=True)
class Source:
    """Tables to compare.

    Parameters
    ----------
    tables
        By name; ``cells`` is there.
    columns
        What their columns mean.
    record
        Where they come from, as JSON values.
    second, corrected
        Tables of the same names: all images segmented another way, an analysis of its own with its own thresholds; some
        images after correction by hand, to which the thresholds of `tables` apply.
    """

    tables: Mapping[str, pd.DataFrame]
    columns: tuple[Column, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    second: Mapping[str, pd.DataFrame] | None = None
    corrected: Mapping[str, pd.DataFrame] | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a report shows besides the comparison; what is left out does not appear.

    Parameters
    ----------
    title, subtitle
        Of the report.
    run
        That made the tables.
    findings, layout
        What the check of the design found, and the plate layout.
    flags
        Counts and quality flags.
    plates, examples
        Make pictures of plates, and of fields of the conditions, from the values that were compared.
    further
        Writes further results into a folder, and returns their figures.
    pictures
        Makes pictures of cells.
    """

    title: str = "Comparison"
    subtitle: str = ""
    run: RunFacts | None = None
    findings: tuple[Finding, ...] = ()
    layout: FigureBlock | None = None
    flags: pd.DataFrame | None = None
    plates: Callable[[Sequence[Compared]], Sequence[FigureBlock]] | None = None
    examples: Callable[[Sequence[Compared]], Sequence[Example]] | None = None
    further: Callable[[Path, Tables], Sequence[FigureBlock]] | None = None
    pictures: Pictures | None = None


class ComparisonResult(NamedTuple):
    """Each value compared, the tables that were, and sentences about what was not written."""

    compared: tuple[Compared, ...]
    ready: Tables
    notes: tuple[str, ...]


def compare_to(
    out: str | Path,
    source: Source,
    settings: CompareSettings,
    around: Surroundings | None = None,
    *,
    progress: Progress = SILENT,
) -> ComparisonResult:
    """Return what was found after writing ``comparison.json``, ``report.html`` and ``.pdf``, figures and tables.

    The folder appears when everything is done; one that holds an earlier comparison is replaced, but for files that
    Cellmetry did not write or that were changed since: they stay.

    Raises
    ------
    ParameterError, UnknownName
        If columns, conditions, gates or filters do not fit the tables; nothing is written then.
    """
    progress.start("compare", _STAGES)
    around = around or Surroundings()
    ready = gate_and_filter(source.tables, settings)
    second = None if source.second is None else gate_and_filter(source.second, settings)
    corrected = None if source.corrected is None else gate_and_filter(source.corrected, settings, ready)
    ready = with_relative_values(ready, settings)
    second = None if second is None else with_relative_values(second, settings)
    columns, settings = (*source.columns, *relative_columns(settings)), with_relative_names(settings)
    compared = compare_tables(ready, settings, second=second, corrected=corrected)
    progress.advance()
    with atomic_folder(out, marker=RECORD) as folder:
        write_tables(folder / "tables", ready, compared, columns)
        figures = draw_figures(folder / "figures", compared, settings)
        figures += draw_gates(folder / "figures", ready, settings)
        progress.advance()
        notes = write_for_others(folder, ready, compared, settings, columns)
        figures += around.further(folder, ready) if around.further is not None else []
        plates = around.plates(compared) if around.plates is not None else ()
        layout = () if around.layout is None else (around.layout,)
        write_figures(folder / "figures", (*layout, *plates), settings.style)
        progress.advance()
        parts = _parts(source, settings, around, (ready, compared), figures=figures, plates=plates)
        _write_report(folder, parts)
        written = written_files(folder)
        notes += keep_own_files(Path(out), folder, RECORD)
        said = {"filters": rows_as_json(ready.filters), "not_written": notes, "files": written}
        _write_record(folder / RECORD, source, settings, compared, said)
        progress.advance()
    return ComparisonResult(compared, ready, tuple(notes))


def _write_record(
    path: Path, source: Source, settings: CompareSettings, compared: tuple[Compared, ...], said: Mapping[str, Any]
) -> None:
    values = [comparison_values(each) for each in compared]
    record = {
        "contrasts": [
            {**row, "value": each.asked.value}
            for each, value in zip(compared, values, strict=True)
            for row in value["contrasts"]
        ],
        "comparisons": values,
        "settings": settings.model_dump(mode="json", exclude={"comparisons"}),
        "source": dict(source.record),
        **said,
        "versions": versions(),
    }
    path.write_text(json.dumps(record, indent=1, allow_nan=False), encoding="utf-8")


def _parts(
    source: Source,
    settings: CompareSettings,
    around: Surroundings,
    found: tuple[Tables, tuple[Compared, ...]],
    **figures: Sequence[FigureBlock],
) -> Any:
    """Return what the report shows."""
    ready, compared = found
    return import_module("cellmetry.report.comparison.document").ComparisonParts(
        title=around.title,
        subtitle=around.subtitle,
        comparisons=tuple(each.comparison for each in compared),
        labels=settings.style.labels,
        findings=around.findings,
        layout=() if around.layout is None else (around.layout,),
        plates=tuple(figures["plates"]),
        examples=tuple(around.examples(compared)) if around.examples is not None else (),
        flags=around.flags,
        filters=ready.filters if len(ready.filters) else None,
        figures=tuple(figures["figures"]),
        interactive=tuple(interactive_plots(compared, settings, around.pictures)),
        methods=_methods(source, ready, compared, around.run),
        provenance=_provenance(source, around.run),
    )


def _write_report(folder: Path, parts: Any) -> None:
    made = import_module("cellmetry.report.comparison.document").comparison_document(parts)
    page = import_module("cellmetry.report.html_document").write_html(made)
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    (folder / "report.pdf").write_bytes(import_module("cellmetry.report.pdf_document").write_pdf(made))


def _methods(source: Source, ready: Tables, compared: tuple[Compared, ...], run: RunFacts | None) -> MethodsFacts:
    removed = ready.filters.groupby("filter", sort=False)[["n_removed_first", "n_tested"]].sum()
    columns = {column.name: column for column in source.columns if column.definition}
    rows = {each.asked.value: each.asked.rows for each in compared if each.asked.value in columns}
    facts = MethodsFacts(
        filters=tuple(FilterFact(str(rule), int(gone), int(all_)) for rule, (gone, all_) in removed.iterrows()),
        positivity="; ".join(_gate_words(row, columns) for row in ready.thresholds.to_dict("records")),
        comparisons=tuple(each.comparison for each in compared),
        words={name: measure_words(columns[name], of) for name, of in rows.items()},
        versions=versions(),
    )
    if run is None:
        return facts
    return replace(
        facts,
        images=run.images,
        recipe=run.steps,
        defaults=run.defaults,
        recipe_sha256=run.recipe_sha256,
        models=run.models,
        labels=run.labels,
    )


def _gate_words(row: Mapping[Any, Any], columns: Mapping[str, Column]) -> str:
    within = f"in {row['within']}, " if row["within"] else ""
    column = columns.get(row["value"])
    value = row["value"] if column is None else measure_words(column)
    return f"{within}{value} is above {row['threshold']:.6g} ({row['source']})"


def _provenance(source: Source, run: RunFacts | None) -> dict[str, Any]:
    told: dict[str, Any] = {**source.record, "versions": versions()}
    return told if run is None else {**told, "recipe": run.recipe}
