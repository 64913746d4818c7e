"""`cellmetry demo`: the main job on embedded input, and how near the truth it comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.pipeline.demo import PICTURES, run_demo

if TYPE_CHECKING:
    from cellmetry.pipeline.demo import DemoResult

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for inputs and results; made if missing.")] = Path(
        "cellmetry-demo"
    ),
    as_json: Json = False,
) -> None:
    """Run the whole job on real pictures and on generated cells whose truth is known.

    Example: [bold]cellmetry demo --out cellmetry-demo[/bold]
    """
    with terminal_progress(shown=not as_json) as progress:
        result = run_demo(out, progress=progress)
    if as_json:
        typer.echo(json.dumps({**_counts(result), "plate": result.score._asdict(), "index": str(result.index)}))
    else:
        _say(result)


def _counts(result: DemoResult) -> dict[str, dict[str, int]]:
    """Return the number of objects found in each of the real pictures."""
    outcomes = [each for folder in PICTURES for each in result.runs[folder].outcomes]
    return {"objects": {each.image: each.n_objects["cells"] for each in outcomes}}


def _say(result: DemoResult) -> None:
    console, score = Console(soft_wrap=True, highlight=False), result.score
    counts = ", ".join(f"{count} in {name}" for name, count in _counts(result)["objects"].items())
    first, last = score.conditions
    console.print(f"Found in scikit-image's pictures: {counts}.")
    console.print(
        f"Found on the generated plate: {score.found_cells} cells, in truth there are {score.true_cells} "
        f"({score.found_cells - score.true_cells:+d}); F1 at IoU 0.5 is {score.f1:.3f}."
    )
    console.print(
        f"Mean signal of a cell: off by {score.intensity_error:.1%} (median); {last} against {first}: "
        f"× {score.found_effect:.3f}, in truth × {score.true_effect:.3f}."
    )
    out = result.index.parent
    console.print(f"Look at:  {result.index}  (every picture with its outlines)")
    console.print(f"          {out / 'plate' / 'tables' / 'cells.csv'}  (one row a cell)")
    console.print(f"          {out / 'plate' / 'run.json'}  (recipe, versions, hashes, times)")
