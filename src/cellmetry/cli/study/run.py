"""`cellmetry study run`: a study from its images to its report."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.compare import say_comparison
from cellmetry.cli.options import Json, Workers
from cellmetry.cli.outcome import EXIT_SOME_FAILED
from cellmetry.cli.progress import terminal_progress
from cellmetry.study.file import load_study

if TYPE_CHECKING:
    from cellmetry.pipeline.study.run import StudyResult

__all__ = ["run"]

_STYLES = {"error": "red", "warning": "yellow", "note": ""}


def run(
    study: Annotated[Path, typer.Argument(help="Folder NAME.cellmetry/, or its study.toml.")],
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Segment, measure, compare and report a study; a second run does only what is missing or changed.

    Example: [bold]cellmetry study run edu.cellmetry --workers 2[/bold]
    """
    loaded = load_study(study)
    with terminal_progress(shown=not as_json) as progress:
        # statsmodels, slow to import, is loaded here only
        result = import_module("cellmetry.pipeline.study.run").run_study(loaded, workers=workers, progress=progress)
    if as_json:
        typer.echo(json.dumps(_summary(result), indent=1))
    else:
        _say(result)
    if result.run.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _summary(result: StudyResult) -> dict[str, Any]:
    compared = result.comparison is not None
    return {
        "run": str(result.run.out),
        "results": str(result.results) if compared else None,
        "report": str(result.results / "report.html") if compared else None,
        "images": len(result.run.outcomes),
        "reused": result.run.reused,
        "failed": [{"image": each.path, "reason": each.reason} for each in result.run.failed],
        "findings": [finding._asdict() for finding in result.design.findings],
    }


def _say(result: StudyResult) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for finding in result.design.findings:
        console.print(Text(f"{finding.severity}: {finding.text}", style=_STYLES[finding.severity]))
    done = len(result.run.outcomes) - len(result.run.failed)
    console.print(Text(f"{done} of {len(result.run.outcomes)} images done, {result.run.reused} of them before."))
    if result.comparison is None:
        console.print(Text(f"Nothing is compared: name a value in [[compare]]. Tables: {result.run.out / 'tables'}"))
        return
    say_comparison(result.comparison, result.results)
