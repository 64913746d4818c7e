"""`cellmetry train`: data sets to a model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from cellmetry.learn.fit import TrainResult

__all__ = ["scores_table", "train"]

_COLUMNS = {
    "ap50": "AP 0.5",
    "ap75": "AP 0.75",
    "f1": "F1",
    "dice": "Dice",
    "cells": "true cells",
    "found": "found",
    "found_off": "off by",
    "density_count": "by density",
    "density_off": "density off by",
}
_FORMS = {"cells": ".0f", "found": ".0f", "found_off": ".1f", "density_count": ".1f", "density_off": ".1f"}
_AVERAGED = ("ap50", "ap75", "f1", "dice", "found_off", "density_off")


_HELD_OUT = {
    "test": "These are the test images, which neither taught nor chose.",
    "validation": "These are the validation images: they taught nothing, but where a recipe keeps the best state, as "
    "`standard` does, it was chosen by them.",
}


def train(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Data sets: folders made by `cellmetry dataset`, or with images/ and labels/.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the model; its name becomes the model's name.")],
    start: Annotated[str | None, typer.Option("--from", help="Model to start from, by name or path.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Training recipe, by name or path.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Train about so many minutes.", min=0.1)] = None,
    epochs: Annotated[float | None, typer.Option(help="Show so many crops per image.", min=0.01)] = None,
    heads: Annotated[str | None, typer.Option(help="What to learn, as in foreground,flow,density.")] = None,
    split: Annotated[Path | None, typer.Option(help="Split made by `cellmetry dataset split`.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in the folder.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the new model even if it is not better than the old.")
    ] = False,
    licence: Annotated[str, typer.Option(help="Licence of the new model.")] = "unknown",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="part.name=value of the training recipe, as in optimisation.steps=5000. May be repeated."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on your own images, or go on from one, and see on held-out images how good it is.

    Example: [bold]cellmetry train corrected/ --from base --minutes 5 --out models/mine[/bold]
    """
    try:
        from cellmetry.learn.fit import TrainOptions, train_model  # noqa: PLC0415 - torch is an extra
    except ModuleNotFoundError as error:
        raise MissingExtra("train", "Training") from error

    options = TrainOptions(
        data=tuple(data),
        out=out,
        start=start,
        recipe=recipe,
        minutes=minutes,
        epochs=epochs,
        heads=tuple(head.strip() for head in heads.split(",")) if heads else None,
        split=split,
        resume=resume,
        keep=keep,
        licence=licence,
        changes=tuple(settings or ()),
    )
    with terminal_progress(shown=not as_json) as progress:
        result = train_model(options, progress=progress)
    if as_json:
        typer.echo(json.dumps(_as_json(result), indent=2))
    else:
        _show(result, options.start, out)


def _as_json(result: TrainResult) -> dict[str, Any]:
    return {
        "model": str(result.model.path) if result.model else None,
        "version": result.model.card.version if result.model else None,
        "held_out": result.part,
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        "before": None if result.before is None else json.loads(result.before.to_json(orient="records")),
        "after": json.loads(result.after.to_json(orient="records")),
    }


def _show(result: TrainResult, start: str | None, out: Path) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(scores_table(result.before, result.after))
    console.print(_HELD_OUT[result.part])
    minutes = result.seconds / 60
    console.print(f"Trained {result.steps} steps in {minutes:.1f} minutes; curves and examples: {out / 'training'}")
    if result.model:
        console.print(f"Model: {result.model.path} (version {result.model.card.version})")
    else:
        console.print(
            f"The new model is not better than {start} on the held-out images, so it was not kept; --keep keeps it."
        )


def scores_table(before: pd.DataFrame | None, after: pd.DataFrame) -> Table:
    """Return a line for each held-out image and their mean; of two numbers the first is from before.

    Parameters
    ----------
    before, after
        As `cellmetry.learn.validation.score_model` returns them; images that `before` lacks have one number.
    """
    new = _shown(after)
    old = None if before is None else _shown(before).reindex(index=new.index, columns=new.columns)
    table = Table("image", title="Held-out images" if old is None else "Held-out images, before → after")
    table.columns[0].no_wrap = True
    for column in new:
        table.add_column(_COLUMNS[str(column)], justify="right")
    earlier = [{}] * len(new) if old is None else _lines(old)
    for (_, name), before_it, line in zip(new.index, earlier, _lines(new), strict=True):
        table.add_row(str(name), *_cells(before_it, line))
    table.add_section()
    table.add_row("mean", *_cells({} if old is None else _means(old), _means(new)))
    return table


def _shown(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are shown, by data set and name of the image."""
    shown = scores.set_index(["data", "name"])
    known = [shown[name] for name in ("objects", "true_count") if name in shown]
    if known:
        shown["cells"] = known[0].fillna(known[-1])
    return shown[[column for column in _COLUMNS if column in shown]]


def _lines(scores: pd.DataFrame) -> list[dict[Hashable, float]]:
    return scores.astype(float).to_dict("records")


def _means(scores: pd.DataFrame) -> dict[Hashable, float]:
    return {column: scores[column].mean() if column in _AVERAGED else math.nan for column in scores}


def _cells(before: Mapping[Hashable, float], after: Mapping[Hashable, float]) -> list[str]:
    """Return the cells of one line; empty where nothing is known."""
    cells = []
    for column, value in after.items():
        form = _FORMS.get(str(column), ".3f")
        old = math.nan if column == "cells" else before.get(column, math.nan)
        new = "" if math.isnan(value) else f"{value:{form}}"
        cells.append(new if math.isnan(old) else f"{old:{form}} → {new}")
    return cells
