"""What a batch says at its end, and its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cellmetry.pipeline.batch import RunResult

__all__ = ["EXIT_SOME_FAILED", "report_outcome"]

EXIT_SOME_FAILED = 3


def report_outcome(result: RunResult, *, as_json: bool) -> None:
    """Print what was done and what failed, and exit with 3 if some images failed."""
    if as_json:
        typer.echo(json.dumps(_summary(result), indent=1))
    else:
        _say(result)
    if result.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _summary(result: RunResult) -> dict[str, object]:
    return {
        "out": str(result.out),
        "done": len(result.outcomes) - len(result.failed),
        "reused": result.reused,
        "problems": list(result.problems),
        "failed": [{"image": each.path, "reason": each.reason} for each in result.failed],
        "images": [
            {
                "image": each.image,
                "path": each.path,
                "status": each.status,
                "n_objects": each.n_objects,
                "n_outlines": each.n_outlines,
                "labels_sha256": each.labels_sha256,
                "outputs": each.outputs,
                "warnings": list(each.warnings),
            }
            for each in result.outcomes
        ],
    }


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of what each image has, by name."""
    totals: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            totals[name] = totals.get(name, 0) + count
    return totals


def _say(result: RunResult) -> None:
    console = Console(soft_wrap=True, highlight=False)
    done = [each for each in result.outcomes if each.status == "done"]
    outlines = _total([each.n_outlines for each in done])
    counted = ", ".join(
        f"{count} {name}" + (f" ({outlines[name]} outlines in all planes or frames)" if name in outlines else "")
        for name, count in _total([each.n_objects for each in done]).items()
    )
    again = f" ({result.reused} of them by an earlier run)" if result.reused else ""
    console.print(Text(f"{len(done)} of {len(result.outcomes)} images done{again}: {counted or 'no objects'}."))
    warned = sum(bool(each.warnings) for each in done)
    if warned:
        first = next(each for each in done if each.warnings)
        images = "1 image has warnings" if warned == 1 else f"{warned} images have warnings"
        console.print(Text(f"{images} (run.json has all); the first: {first.warnings[0]}", style="yellow"))
    for sentence in result.problems:
        console.print(Text(f"note: {sentence}", style="yellow"))
    for each in result.failed:
        console.print(Text(f"failed: {each.path}: {each.reason}", style="red"))
    page = result.out / "index.html"
    console.print(Text(f"Results: {page if page.exists() else result.out}"))
