"""Tables that a job makes image by image, as one table with what the study says of each image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import InputError
from cellmetry.io.tables import read_columns, read_table, write_table
from cellmetry.pipeline.acquisition import FLAG, with_settings_flag
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import image, said_of
from cellmetry.study.store.results import add_result, hide_results_of, results_of_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.study.store.results import ResultKind, StoredResult
    from cellmetry.study.store.store import Store
    from cellmetry.study.store.units import Unit

__all__ = [
    "NewResult",
    "add_said",
    "done_units",
    "gather_table",
    "keep_result",
    "kept_before",
    "part_path",
    "said_columns",
]

TABLE = "table"
"""What a job that makes one table calls its file."""
_SIZES = {"pixel_size_um", "pixel_size_y_um", "pixel_size_z_um"}
_NOT_DESIGN = {"name", "notes", "note", *_SIZES, "channel_names", "corrected"}
"""What may be said of an image that is not of the design of the experiment."""


class NewResult(NamedTuple):
    """A result that lies in the study's folder and is to be kept, as `results.add_result` takes it."""

    kind: ResultKind
    name: str
    path: Path
    details: Mapping[str, Any]


def part_path(work: JobWork, image_id: str, table: str = TABLE) -> Path:
    """Return where a job keeps the table of one image; `table` tells several apart."""
    return work.folder / ("parts" if table == TABLE else f"parts_{table}") / f"{image_id}.parquet"


def done_units(units: Sequence[Unit]) -> list[Unit]:
    """Return the images that were worked.

    Raises
    ------
    InputError
        If none was; says why the first was not.
    """
    done = [unit for unit in units if unit.state == "done"]
    if not done and units:
        first = units[0].reason
        raise InputError(first if len(units) == 1 else f"None of the {len(units)} images could be worked. {first}")
    return done


def gather_table(work: JobWork, done: Sequence[Unit], *, flagged: bool = False, table: str = TABLE) -> Path:
    """Return the Parquet file of one table of all images, with the columns of the design in it.

    Parameters
    ----------
    done
        Units whose parts are there.
    flagged
        Whether each row says if its image was taken unlike the others; units then have ``settings``.
    table
        As in `part_path`.
    """
    paths = [part_path(work, unit.name, table) for unit in done]
    # Joined by ids: two images may have one name.
    parts = [read_table(path).assign(image=unit.name) for path, unit in zip(paths, done, strict=True)]
    columns = {column.name: column for path in paths for column in read_columns(path)}
    filled = [part for part in parts if len(part)]
    rows = pd.concat(filled, ignore_index=True) if filled else parts[0]
    rows.attrs = {}
    names = {unit.name: image(work.store, unit.name).name for unit in done}
    if flagged:
        rows = with_settings_flag(rows, {unit.name: unit.result["settings"] for unit in done})
        columns |= {FLAG.name: FLAG} if FLAG.name in rows else {}
    rows, told, hidden = add_said(rows, said_columns(work.store, {each: each for each in names}))
    rows["image"] = rows["image"].map(names).astype("str")
    for column in hidden:
        work.say("warning", f"What is said of images under {column!r} is not in the table: it has such a column.")
    path = work.folder / f"{table}.parquet"
    write_table(rows, path, [*columns.values(), *told])
    return path


def said_columns(store: Store, names: Mapping[str, str]) -> pd.DataFrame:
    """Return what the study says of images, one row each, with the column ``image``: the columns of the design.

    Parameters
    ----------
    names
        Names of the images in tables, by their ids.
    """
    said = [
        {
            key: value
            for key, value in said_of(store, image_id).items()
            if key not in _NOT_DESIGN and isinstance(value, str | int | float | bool)
        }
        for image_id in names
    ]
    keys = list(dict.fromkeys(key for each in said for key in each))
    columns = {key: _column([each.get(key) for each in said]) for key in keys if key != "image"}
    return pd.DataFrame({"image": pd.array(list(names.values()), "str"), **columns})


def add_said(table: pd.DataFrame, said: pd.DataFrame) -> tuple[pd.DataFrame, list[Column], list[str]]:
    """Return a table with the columns of the design behind its own, what they mean, and those that it has already."""
    places = pd.Index(said["image"]).get_indexer(pd.Index(table["image"].astype(str)))
    new = [name for name in said if name not in table]
    known = places >= 0
    joined = said[new].take(places.clip(min=0)).set_axis(table.index) if len(said) else said[new]
    if not known.all():
        joined = joined.where(pd.Series(known, table.index), axis=0)
    hidden = [str(name) for name in said if name in table and name != "image"]
    told = [Column(str(name), "", "Said of the image in the study.", "study") for name in new]
    return pd.concat([table, joined], axis=1), told, hidden


def keep_result(
    work: JobWork, verb: str, summary: str, new: NewResult, *, also: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Return the ids of a result and of the act by which it came; for a job that was resumed perhaps those of before.

    A new table hides what belonged to the one of its name.

    Parameters
    ----------
    verb, summary
        Of the act.
    also
        Keeps more in the same transaction, by the number of the act.
    """
    before = kept_before(work, new.kind)
    if before is not None:
        return {"result": before.id, "act": before.added_by}
    with work.store.database.write():
        seq = act(work.store, work.actor, verb, summary, job=work.job_id)
        if new.kind == "table":
            hide_results_of(work.store, seq, new.name)
        result_id = add_result(work.store, seq, new.kind, new.name, new.path, job_id=work.job_id, details=new.details)
        if also is not None:
            also(seq)
    return {"result": result_id, "act": seq}


def kept_before(work: JobWork, kind: ResultKind) -> StoredResult | None:
    """Return the first result of a kind that this job has kept already; None if it has not."""
    return next((each for each in results_of_job(work.store, work.job_id) if each.kind == kind), None)


def _column(values: Iterable[Any]) -> Any:
    """Return values as numbers, yes and no, or text; missing where nothing was said."""
    found = list(values)
    there = [value for value in found if value is not None]
    if there and all(isinstance(value, bool) for value in there):
        return pd.array(found, "boolean")
    if there and all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return pd.array(found, "Int64" if all(isinstance(value, int) for value in there) else "Float64")
    return pd.array([None if value is None else str(value) for value in found], "str")
