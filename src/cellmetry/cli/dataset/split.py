"""`cellmetry dataset split`: which items train, choose and judge; what belongs together stays together."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.errors import ParameterError
from cellmetry.learn.dataset import read_data_set
from cellmetry.learn.splits import PARTS, part_counts, split_items, write_split

if TYPE_CHECKING:
    from cellmetry.learn.splits import Split

__all__ = ["split"]


def split(
    data: Annotated[list[Path], typer.Argument(help="Folders of one or several data sets.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The CSV file to write.")],
    fractions: Annotated[
        str, typer.Option(help="Shares of train, validation and test.", metavar="TRAIN,VALIDATION,TEST")
    ] = "0.8,0.1,0.1",
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.")] = 0,
    as_json: Json = False,
) -> None:
    """Split data sets into train, validation and test so that nothing shown in training is tested.

    Items of one group, near-duplicates, overlapping crops and neighbouring tiles of one field stay together, also
    across data sets; they are found from the pixels. So do augmented copies whose names say so (cell_rot90, cell_aug3).

    Example: [bold]cellmetry dataset split nuclei/ cells/ --out split.csv --seed 1[/bold]
    """
    shares = _fractions(fractions)
    sets = [read_data_set(folder) for folder in data]
    with terminal_progress(shown=not as_json) as progress:
        made = split_items(sets, fractions=shares, seed=seed, progress=progress)
    write_split(made, out)
    sizes = Counter(Counter(row.group for row in made.rows).values())
    if as_json:
        groups = {str(size): count for size, count in sorted(sizes.items())}
        typer.echo(json.dumps({"out": str(out), "items": part_counts(made), "groups_by_size": groups}, indent=1))
    else:
        _say(made, out, sizes)


def _fractions(text: str) -> tuple[float, float, float]:
    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ParameterError(f"--fractions {text!r} must be three numbers, as in 0.8,0.1,0.1.") from error
    return first, second, third


def _say(made: Split, out: Path, sizes: Counter[int]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("data set")
    for part in PARTS:
        table.add_column(part, justify="right")
    for name, counts in part_counts(made).items():
        table.add_row(name, *(str(counts[part]) for part in PARTS))
    console.print(table)
    together = sum(count for size, count in sizes.items() if size > 1)
    largest = max(sizes)
    console.print(
        f"{sum(sizes.values())} groups; {together} of them hold several images that stay together, up to {largest}."
    )
    console.print(f"Written: {out}")
