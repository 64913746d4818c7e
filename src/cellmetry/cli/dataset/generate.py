"""`cellmetry dataset generate`: a data set of generated cells with exact truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.learn.generate import GenerationPlan, write_generated
from cellmetry.learn.generate.look import KINDS

__all__ = ["generate"]


def generate(
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder for the data set.")],
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help=f"{', '.join(KINDS)}; with a share as in phase=2. Repeatable; all if left out."),
    ] = None,
    count: Annotated[int, typer.Option(help="Number of fields.")] = 100,
    size: Annotated[int, typer.Option(help="Height and width of the fields, in pixels.")] = 512,
    diameter: Annotated[
        str | None, typer.Option(help="Range of the mean diameter of cells in pixels, as 10-60.", metavar="LOW-HIGH")
    ] = None,
    density: Annotated[
        str, typer.Option(help="Range of how densely cells lie, 1 = no room left, as 0.2-0.5.", metavar="LOW-HIGH")
    ] = "0.2-1",
    cell_shape: Annotated[
        str | None, typer.Option(help="Cells of brightfield fields: spread, spindle, confluent or round.")
    ] = None,
    inverted: Annotated[float, typer.Option(help="Part of the fields turned from bright to dark.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same fields.")] = 0,
    as_json: Json = False,
) -> None:
    """Make images of cells that look real, with exact truth, to train and to test with.

    Example: [bold]cellmetry dataset generate --kind phase --count 50 --out generated[/bold]
    """
    values = {"count": count, "shape": (size, size), "inverted": inverted, "seed": seed}
    values |= {"density": _range(density), "cell_shape": cell_shape}
    values |= {"kinds": _shares(kinds)} if kinds else {}
    values |= {"diameter_px": _range(diameter)} if diameter else {}
    plan = parse_parameters(GenerationPlan, values, where="options")
    with terminal_progress(shown=not as_json) as progress:
        made = write_generated(plan, out, name=out.absolute().name, progress=progress)
    if as_json:
        typer.echo(f'{{"items": {len(made.items)}}}')
    else:
        Console(soft_wrap=True, highlight=False).print(f"{len(made.items)} fields with truth: {out}")


def _shares(kinds: list[str]) -> dict[str, float]:
    """Return the share of each kind from texts such as ``phase`` and ``phase=2``."""
    shares = {}
    for text in kinds:
        kind, _, share = text.partition("=")
        shares[kind] = _number(share, text) if share else 1.0
    return shares


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    return _number(low, text), _number(high or low, text)


def _number(part: str, text: str) -> float:
    try:
        return float(part)
    except ValueError as error:
        raise ParameterError(f"{part!r} in {text!r} is not a number.") from error
