"""The options by which commands try one part of a split data set, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cellmetry.errors import ParameterError
from cellmetry.learn.dataset import DataSet
from cellmetry.learn.pairs import take_part

__all__ = ["Part", "SplitFile", "chosen_part", "refuse_part_alone"]

SplitFile = Annotated[Path | None, typer.Option(help="File of `cellmetry dataset split`: try one part only.")]
Part = Annotated[str | None, typer.Option(help="Which part of the split: train, validation or test; test if left out.")]


def refuse_part_alone(split: Path | None, part: str | None) -> None:
    """Refuse a part of no split.

    Raises
    ------
    ParameterError
        If `part` is given without `split`.
    """
    if part is not None and split is None:
        raise ParameterError(f"--part {part} is a part of a split; give the file of the split with --split.")


def chosen_part(data_set: DataSet, split: Path | None, part: str | None) -> DataSet:
    """Return the part of a data set that the options name; the whole without a split.

    Raises
    ------
    ParameterError
        If the split puts nothing there.
    """
    return data_set if split is None else take_part(data_set, split, part or "test")
