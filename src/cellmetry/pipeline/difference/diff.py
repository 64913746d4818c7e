"""`diff`: what changed between two folders of results: recipe, engine, images, cells, results, conclusions."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.core.labels import labels_hash
from cellmetry.core.progress import SILENT
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.tables import read_table, write_table
from cellmetry.pipeline.difference.asked import compare_comparisons, compare_studies, is_study
from cellmetry.pipeline.difference.pictures import picture_fields
from cellmetry.pipeline.result_folders import open_results
from cellmetry.report.difference.page import diff_page
from cellmetry.settings import current_settings
from cellmetry.study.difference.changes import (
    CELL_CHANGES,
    CONTRAST_CHANGES,
    FIELD_CHANGES,
    RESULT_CHANGES,
    RUN_SECTIONS,
    Change,
    Difference,
    DiffOptions,
)
from cellmetry.study.difference.records import compare_images, compare_readings, compare_recipes, compare_values
from cellmetry.study.difference.results import (
    compare_objects,
    compare_tables,
    described,
    differing_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.result_folders import ResultFolder
    from cellmetry.study.difference.changes import Part

__all__ = ["DIFF_RECORD", "diff_record", "diff_runs", "diff_to"]

DIFF_RECORD = "diff.json"
"""File that marks a folder as a difference's."""


def diff_runs(
    before: str | Path, after: str | Path, options: DiffOptions | None = None, *, progress: Progress = SILENT
) -> Difference:
    """Return what changed from one folder of results to another: of runs, comparisons or studies.

    Raises
    ------
    MissingInput
        If a folder is missing or holds neither a run nor a comparison.
    ParameterError
        If the folders hold different things, so that nothing can be compared.
    DamagedFile
        If a record, a table or a label image is broken.
    """
    options = options or DiffOptions()
    old, new = open_results(before), open_results(after)
    if bool(old.run) != bool(new.run) and not (old.comparisons and new.comparisons):
        raise ParameterError(f"One of {before} and {after} is a run, the other a comparison; give two of one kind.")
    changes = _changes(old, new)
    fields, cells, edits = _objects(old, new, options, progress)
    results, more, notes = _tables(old, new)
    contrasts, asked = compare_comparisons(old, new, options)
    changes += [*edits, *more, *compare_studies(old, new), *asked]
    notes += _unexplained(changes, fields)
    told = (fields, cells, results, contrasts, tuple(notes), _parts(old, new, fields))
    return Difference(str(before), str(after), options, tuple(changes), *told)


def diff_to(
    out: str | Path,
    before: str | Path,
    after: str | Path,
    options: DiffOptions | None = None,
    *,
    progress: Progress = SILENT,
) -> Difference:
    """Return a difference after writing ``diff.json``, ``changed_cells.csv``, other tables and ``index.html``.

    The folder appears when everything is done; one that holds an earlier difference is replaced.

    Raises
    ------
    ParameterError
        As `diff_runs`, and if one of the folders lies in `out`.
    """
    for folder in (before, after):
        if Path(folder).resolve().is_relative_to(Path(out).resolve()):
            raise ParameterError(f"{folder} lies in {out}, which would be replaced; choose another --out.")
    difference = diff_runs(before, after, options, progress=progress)
    with atomic_folder(out, marker=DIFF_RECORD) as folder:
        write_table(difference.cells, folder / "changed_cells.csv", CELL_CHANGES)
        write_table(difference.fields, folder / "images.csv", FIELD_CHANGES)
        write_table(difference.results, folder / "changed_results.csv", RESULT_CHANGES)
        if len(difference.contrasts):
            write_table(difference.contrasts, folder / "contrasts.csv", CONTRAST_CHANGES)
        record = json.dumps(diff_record(difference), indent=1, ensure_ascii=False)
        (folder / DIFF_RECORD).write_text(record, encoding="utf-8")
        page = diff_page(difference, list(picture_fields(difference)))
        (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")
    return difference


def diff_record(difference: Difference) -> dict[str, Any]:
    """Return a difference as JSON values; changed cells are counted, their table has them one by one."""
    return {
        "before": difference.before,
        "after": difference.after,
        "equal": difference.equal,
        "options": difference.options.model_dump(),
        "changes": [change._asdict() for change in difference.changes],
        "objects": difference.counts,
        "images": _rows(difference.fields),
        "columns": _rows(difference.columns),
        "contrasts": _rows(difference.contrasts),
        "notes": list(difference.notes),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows


def _changes(old: ResultFolder, new: ResultFolder) -> list[Change]:
    """Return what differs in what was asked for and in what it was asked of."""
    if not (old.run and new.run):
        return []
    engines = [{f"engine[{place}]": each for place, each in enumerate(side.run["engines"], 1)} for side in (old, new)]
    if max(map(len, engines)) == 1:
        engines = [each.get("engine[1]", {}) for each in engines]
    return [
        *compare_recipes(old.recipe, new.recipe),
        *compare_values(engines[0], engines[1], "engine"),
        *compare_values(old.run["versions"], new.run["versions"], "versions"),
        *compare_readings(old.images, new.images),
        *compare_values(_by_name(old.run), _by_name(new.run), "files"),
        *compare_images(old.images, new.images),
    ]


def _parts(old: ResultFolder, new: ResultFolder, fields: pd.DataFrame) -> tuple[Part, ...]:
    """Return what both have, so that it was compared."""
    both: dict[Part, bool] = {
        "run": bool(old.run and new.run),
        "labels": bool(len(fields)),
        "study": is_study(old) and is_study(new),
        "comparison": bool(old.comparisons.keys() & new.comparisons.keys()),
    }
    return tuple(name for name, there in both.items() if there)


def _by_name(run: dict[str, Any]) -> dict[str, str]:
    """Return the hashes of the files that steps read, by the name of the file."""
    return {Path(path).name: digest for path, digest in run.get("files_read", {}).items()}


def _objects(
    old: ResultFolder, new: ResultFolder, options: DiffOptions, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame, list[Change]]:
    """Return what became of the objects of each label image that both have, of each object, and what was edited."""
    both = [
        (image, name)
        for image, record in old.images.items()
        for name in record["labels_sha256"]
        if name in new.images.get(image, {}).get("labels_sha256", {})
    ]
    fields, cells, edits = [], [], []
    progress.start("label images", len(both))
    for image, name in both:
        sides = [side.labels(image, name) for side in (old, new)]
        states = [_state(side, image, name, labels) for side, labels in zip((old, new), sides, strict=True)]
        edits += [Change("edits", f"{name} of {image}", *states)] if states[0] != states[1] else []
        kept, rows, reason = _compared(sides, options.iou)
        counts = {change: int((rows["change"] == change).sum()) for change in ("changed", "new", "lost")}
        fields.append({"image": image, "labels": name, "kept": kept, **counts, "reason": reason})
        cells.append(rows.assign(image=image, labels=name))
        progress.advance()
    filled = [rows for rows in cells if len(rows)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame({"change": []})
    return described(_table(fields, FIELD_CHANGES), FIELD_CHANGES), described(table, CELL_CHANGES), edits


def _table(rows: list[dict[str, Any]], columns: Any) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[column.name for column in columns])


def _state(side: ResultFolder, image: str, name: str, labels: Labels | None) -> str:
    """Return whether a label image is still the one that the run wrote, by its hash."""
    if labels is None:
        return "the file is gone"
    same = labels_hash(labels) == side.images[image]["labels_sha256"][name]
    return "as the run made it" if same else "changed after the run"


def _compared(sides: list[Labels | None], iou: float) -> tuple[int, pd.DataFrame, str]:
    """Return how many objects are kept, a row for each other one, and why there was no comparison, if so."""
    nothing = pd.DataFrame({"change": pd.Series(dtype=object)})
    first, second = sides
    if first is None or second is None:
        return 0, nothing, "A label file is gone."
    if first.shape != second.shape or first.axes != second.axes:
        return 0, nothing, f"Sizes differ: {first.axes} {first.shape} and {second.axes} {second.shape}."
    if prod(first.shape) > current_settings().max_labels_in_memory:
        return 0, nothing, "It is too large for memory."
    kept, found = 0, []
    for plane, index in _planes(first):
        same, rows = compare_objects(first.array[index], second.array[index], iou)
        kept += same
        found.append(rows.assign(plane=plane))
    filled = [rows for rows in found if len(rows)]
    return kept, pd.concat(filled, ignore_index=True) if filled else nothing, ""


def _planes(labels: Labels) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield name and index of what is compared at once: a frame, and where ids do not run through Z, a plane."""
    apart = [axis for axis in labels.axes[:-2] if axis == "T" or labels.linked_z is False]
    sizes = dict(zip(labels.axes, labels.shape, strict=True))
    for place in np.ndindex(*(sizes[axis] for axis in apart)):
        at = dict(zip(apart, place, strict=True))
        name = " ".join(f"{axis.lower()}={number}" for axis, number in at.items())
        yield name, tuple(at.get(axis, slice(None)) for axis in labels.axes)


def _tables(old: ResultFolder, new: ResultFolder) -> tuple[pd.DataFrame, list[Change], list[str]]:
    """Return the medians that differ, the columns that only one has, and sentences about what medians do not show."""
    found, changes, notes = [], [], []
    for name in (name for name in old.run.get("tables", ()) if name in new.run.get("tables", ())):
        before, after = (read_table(side.run_folder / "tables" / f"{name}.parquet") for side in (old, new))
        rows = compare_tables(before, after, name)
        found += [rows] if len(rows) else []
        changes += [Change("columns", f"{name}.{column}", "a column", None) for column in before if column not in after]
        changes += [Change("columns", f"{name}.{column}", None, "a column") for column in after if column not in before]
        if len(before) != len(after):
            notes.append(f"The table {name} has {len(before):,} rows before and {len(after):,} after.")
        elif hidden := [each for each in differing_columns(before, after) if each not in set(rows["column"])]:
            notes.append(
                f"In the table {name}, {len(hidden)} columns differ in some rows though in no image's median "
                f"({hidden[0]}, say)."
            )
    table = pd.concat(found, ignore_index=True) if found else _table([], RESULT_CHANGES)
    return described(table, RESULT_CHANGES), changes, notes


def _unexplained(changes: list[Change], fields: pd.DataFrame) -> list[str]:
    """Return a warning where objects differ though nothing that makes them does."""
    moved = int((fields[["changed", "new", "lost"]].sum(axis=1) > 0).sum())
    if not moved or any(change.section in (*RUN_SECTIONS, "edits") for change in changes):
        return []
    return [
        f"Objects differ in {moved} label images though recipe, engine, versions, reading and pixels are the same: "
        f"another processor or number of threads, perhaps, or a program outside of Cellmetry."
    ]
