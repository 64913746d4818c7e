"""Options of the commands that read a table of cells and what is known of its wells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cellmetry.errors import ParameterError
from cellmetry.pipeline.readouts import TableSource
from cellmetry.stats.units import Assignment

__all__ = ["Assign", "Confidence", "Join", "PlateMaps", "Table", "pair_of", "source_of"]

Table = Annotated[Path, typer.Argument(help="Table of cells, as cellmetry run writes it: .csv, .parquet or .xlsx.")]
PlateMaps = Annotated[
    list[Path] | None,
    typer.Option("--plate-map", help="Table of what is in the wells (map.xlsx#Sheet, too), joined. Repeatable."),
]
Join = Annotated[
    str | None,
    typer.Option(
        help="Columns to join a plate map on, ITS=OURS: Row=row,Column=column. Else those that both have; 01 is 1."
    ),
]
Assign = Annotated[
    list[str] | None,
    typer.Option(
        "--assign", help="A column made of another: drug=wortmannin:row=A,B,C,D. Repeatable; before plate maps."
    ),
]
Confidence = Annotated[float, typer.Option(min=0.5, max=0.999, help="Coverage of the intervals.")]


def source_of(table: Path, plate_maps: list[Path] | None, join: str | None, assigned: list[str] | None) -> TableSource:
    """Return the table with what belongs to it, from the values of the options above.

    Raises
    ------
    ParameterError
        If a text has another form, or --join is given without a plate map.
    """
    if join and not plate_maps:
        raise ParameterError("--join is for a plate map; give one with --plate-map.")
    pairs = dict(pair_of(text, "--join") for text in join.split(",")) if join else {}
    assignments = tuple(_assignment(text) for text in assigned or ())
    return TableSource(table, tuple(plate_maps or ()), pairs, assignments)


def pair_of(text: str, option: str) -> tuple[str, str]:
    """Return both sides of ``COLUMN=VALUE``."""
    left, equals, right = (part.strip() for part in text.partition("="))
    if not (left and equals and right):
        raise ParameterError(f"{option} {text!r} is not of the form COLUMN=VALUE.")
    return left, right


def _assignment(text: str) -> Assignment:
    first, colon, second = text.partition(":")
    if not colon:
        raise ParameterError(f"--assign {text!r} is not of the form drug=wortmannin:row=A,B,C,D.")
    (column, label), (where, values) = pair_of(first, "--assign"), pair_of(second, "--assign")
    return Assignment(column, label, where, tuple(value.strip() for value in values.split(",")))
