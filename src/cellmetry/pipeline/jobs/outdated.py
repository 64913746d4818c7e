"""Why tables and comparisons tell of something else than the study does now: labels, images and conditions since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.io.tables import read_columns, read_header, read_table
from cellmetry.pipeline.jobs.gathering import said_columns
from cellmetry.pipeline.jobs.how_read import read_otherwise
from cellmetry.pipeline.jobs.measured import other_labels, stored_table
from cellmetry.study.rebase.held import edited_labels
from cellmetry.study.store.images import images
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.results import result_path, results
from cellmetry.study.store.said import EXCLUDED, excluded_images

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.store import Store

    Design = Mapping[str, Mapping[str, str]]

__all__ = ["design_of", "outdated_comparison", "outdated_reading", "outdated_table"]

_SHOWN = 3


def design_of(store: Store, table: StoredResult, columns: Collection[str]) -> dict[str, dict[str, str]]:
    """Return what the study says now, of the images of a table that are in comparisons, by their ids, as text.

    Parameters
    ----------
    columns
        Of the design, that are told; others are left out.
    """
    used = _used(store)
    names = {image_id: image_id for image_id in table.details.get("images", {}) if image_id in used}
    return _texts(said_columns(store, names), columns)


def outdated_reading(store: Store, table: StoredResult) -> list[str]:
    """Return in what images that are in results are read otherwise than for a table, a sentence each."""
    used = _used(store)
    here = {each.id: each for each in images(store) if each.id in used}
    return _sentences(f"the table {table.name} was made", read_otherwise(store, table, here))


def outdated_table(store: Store, table: StoredResult) -> list[str]:
    """Return in what the study has changed since a table was made, a sentence each; none if the table tells of now."""
    names: dict[str, str] = {key: str(said["name"]) for key, said in table.details.get("images", {}).items()}
    used = _used(store)
    gone = [name for image_id, name in names.items() if image_id not in used]
    here = {image_id: name for image_id, name in names.items() if image_id in used}
    path = result_path(store, table)
    if "image" not in read_header(path):
        return []
    told = [column.name for column in read_columns(path) if column.source == "study" and column.name != EXCLUDED]
    rows = read_table(path, columns=["image", *told]).drop_duplicates("image")
    then = {key: of for key, of in _texts(rows, told).items() if key in set(here.values())}
    # The table of a recipe never says conditions; one of labels does, as soon as there are some.
    by_recipe = any(said.get("labels", "") is None for said in table.details.get("images", {}).values())
    now = _texts(said_columns(store, here), told if by_recipe else {*told, "condition", "replicate"})
    said = {
        "was left out or removed": gone,
        "got another condition or replicate": [name for name in then if then[name] != now.get(name, {})],
        "was added": _missing(store, table, used),
    }
    since = f"the table {table.name} was made"
    return [*_labels(store, table), *outdated_reading(store, table), *_sentences(since, said)]


def outdated_comparison(store: Store, comparison: StoredResult) -> list[str]:
    """Return in what the study has changed since a comparison was made, a sentence each; none if it tells of now."""
    if "table" not in comparison.details:
        return []
    table = stored_table(store, comparison.details["table"])
    found = [*_labels(store, table), *outdated_reading(store, table)]
    newer = next((each for each in results(store, "table") if each.name == table.name), None)
    if newer is not None and newer.added_by > max(table.added_by, comparison.added_by):
        found = [f"The table {table.name} was made again since."]
    then: Design | None = comparison.details.get("design")
    if then is None:
        return found
    columns = {*(name for of in then.values() for name in of), *_asked(comparison)}
    now = design_of(store, table, columns)
    names = {image_id: str(said["name"]) for image_id, said in table.details.get("images", {}).items()}
    said = {
        "was left out or removed": [names[each] for each in then if each not in now],
        "got another condition or replicate": [names[each] for each in then if each in now and then[each] != now[each]],
        "was taken in again": [names[each] for each in now if each not in then],
    }
    return [*found, *_sentences("this was compared", said)]


def _used(store: Store) -> set[str]:
    """Return the ids of the images that are in results."""
    return {each.id for each in images(store)} - excluded_images(store)


def _labels(store: Store, table: StoredResult) -> list[str]:
    """Return the sentence about changed labels; that a recipe knows no corrections, only if there are some."""
    said = table.details.get("images", {})
    if any("labels" in each and each["labels"] is None for each in said.values()):
        edited = edited_labels(store)
        told = any(each.id in edited for each in label_sets(store) if each.image_id in said)
        return [other_labels(store, table)] if told else []
    sentence = other_labels(store, table)
    return [sentence] if sentence else []


def _missing(store: Store, table: StoredResult, used: set[str]) -> list[str]:
    """Return names of images that have the labels of a table by now and are not in it; none if they were chosen."""
    labels = table.details.get("labels")
    if labels is None or table.details.get("chosen"):
        return []
    failed = table.details.get("failed") or table.details.get("made", {}).get("failed", {})
    known = {*table.details.get("images", {}), *failed}
    new = {each.image_id for each in label_sets(store) if each.name == labels} & used - known
    return [each.name for each in images(store) if each.id in new]


def _asked(comparison: StoredResult) -> set[str]:
    """Return the columns of the design that a comparison asked for."""
    asked: Sequence[Mapping[str, Any]] = comparison.details.get("settings", {}).get("comparisons", ())
    return {str(each[key]) for each in asked for key in ("by", "replicate", "plate") if each.get(key)}


def _texts(table: pd.DataFrame, columns: Collection[str]) -> dict[str, dict[str, str]]:
    """Return what a table with a row for each image says in columns, as text, by the image; what is missing is not."""
    known = [name for name in table if name in columns and name != "image"]
    return {
        str(row["image"]): {str(name): _text(row[name]) for name in known if not pd.isna(row[name])}
        for row in table.to_dict("records")
    }


def _text(value: Any) -> str:
    """Return a value as text: 1.0 is 1, as columns of whole numbers with gaps hold it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sentences(since: str, said: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each kind of change that images had."""
    return [_sentence(what, names, since) for what, names in said.items() if names]


def _sentence(what: str, names: Sequence[str], since: str) -> str:
    several, more = len(names) > 1, ", …" if len(names) > _SHOWN else ""
    does = f"images {what.replace('was ', 'were ')}" if several else f"image {what}"
    return f"{len(names)} {does} since {since} ({', '.join(names[:_SHOWN])}{more})."
