"""`cellmetry diff`: what changed between two analyses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.pipeline.difference.diff import diff_record, diff_runs, diff_to
from cellmetry.report.difference.words import SECTIONS, change_words, column_words, contrast_words, sentences
from cellmetry.study.difference.changes import Difference, DiffOptions

__all__ = ["diff"]

_SHOWN = 8


def diff(
    before: Annotated[Path, typer.Argument(help="Folder of a run, a comparison or a study.")],
    after: Annotated[Path, typer.Argument(help="Folder of another one of the same images.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for diff.json, tables and a page with pictures.")
    ] = None,
    iou: Annotated[float, typer.Option(help="Outlines that share this much (IoU) are of one cell.")] = 0.5,
    significance: Annotated[float, typer.Option(help="A p-value below this is called significant.")] = 0.05,
    pictures: Annotated[int, typer.Option(help="How many of the most changed fields are pictured.")] = 6,
    as_json: Json = False,
) -> None:
    """Tell what changed between two analyses: recipe, model, versions, images, edits, cells, results, conclusions.

    Example: [bold]cellmetry diff results_may/ results_june/ --out changes/[/bold]
    """
    asked = {"iou": iou, "significance": significance, "pictures": pictures}
    options = parse_parameters(DiffOptions, asked, where="options")
    with terminal_progress(shown=not as_json) as progress:
        found = (
            diff_runs(before, after, options, progress=progress)
            if out is None
            else diff_to(out, before, after, options, progress=progress)
        )
    if as_json:
        typer.echo(json.dumps(diff_record(found), indent=1))
    else:
        _say(found, out)


def _say(found: Difference, out: Path | None) -> None:
    console = Console(soft_wrap=True, highlight=False)
    lines = [*sentences(found), *_details(found), *(f"note: {note}" for note in found.notes)]
    for line in lines:
        console.print(Text(line))
    if out is not None:
        console.print(Text(f"Results: {out / 'index.html'}"))


def _details(found: Difference) -> list[str]:
    lines: list[str] = []
    for section, heading in SECTIONS.items():
        lines += _some(heading, [change_words(change) for change in found.changes if change.section == section])
    lines += _some("Results", [column_words(row) for row in found.columns.to_dict("records")])
    rows = found.contrasts
    for heading, which in (
        ("Other conclusions", rows["conclusion_changed"].astype(bool)),
        ("Contrasts only before", rows["conclusion_after"] == "absent"),
        ("Contrasts only after", rows["conclusion_before"] == "absent"),
    ):
        lines += _some(heading, [contrast_words(row) for row in rows[which].to_dict("records")])
    reasons = found.fields[found.fields["reason"] != ""]
    told = [f"{row['labels']} of {row['image']}: {row['reason']}" for row in reasons.to_dict("records")]
    return lines + _some("Not compared", told)


def _some(heading: str, lines: list[str]) -> list[str]:
    """Return the first lines of a section, and how many more there are."""
    more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [f"{heading}:", *(f"  {line}" for line in lines[:_SHOWN]), *more] if lines else []
