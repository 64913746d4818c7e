"""The job `compare`: conditions of a table of the study compared by replicates, with figures and a report."""

from __future__ import annotations

import json
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from cellmetry.errors import UnknownName
from cellmetry.io.tables import read_columns, read_header, read_table
from cellmetry.pipeline.comparison.settings import FIELDS, CompareSettings
from cellmetry.pipeline.jobs.bounded import BoundedJob, Name, ResultId
from cellmetry.pipeline.jobs.gathering import NewResult, add_said, keep_result, said_columns
from cellmetry.pipeline.jobs.image_rows import FIELD_COLUMNS, image_rows
from cellmetry.pipeline.jobs.measured import names_in_table, other_labels, planes_apart, stored_table
from cellmetry.pipeline.jobs.outdated import design_of, outdated_reading
from cellmetry.pipeline.jobs.table_facts import facts_of_table
from cellmetry.pipeline.stored.design import check_said_design
from cellmetry.study.design.design import Finding
from cellmetry.study.design.replication import PSEUDO, as_one_replicate
from cellmetry.study.store.images import images
from cellmetry.study.store.results import result_path, results
from cellmetry.study.store.said import excluded_images

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import pandas as pd

    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.store import Store

__all__ = ["CompareConditions"]

_MOST = {"comparisons": 50, "gates": 50, "keep": 50, "figures": 20, "tables": 10}
_ALL_COLUMNS = {"conditions", "anndata"}
"""Tables for others that have all columns."""
_OF_CELL = ("image", "label", "t", "z", "frame", "well")
_QUESTION = ("table", "second", "corrected", "settings", "design")
"""What of its details makes a comparison another one."""
_MADE_TOGETHER = "batch"
"""Column of the design that decides what is a replicate, besides those that are asked for."""
_CELLS, _RECORD = "cells", "comparison.json"


class CompareConditions(BoundedJob):
    """Compare conditions by independent replicates: estimates with intervals, a test that holds, figures, a report."""

    name: ClassVar[str] = "compare"

    table: ResultId
    """Id of the table; conditions and replicates are those that the study says of its images now."""
    settings: CompareSettings
    """What is compared, and how: see `cellmetry compare`. The table ``fields`` has a row for each image: there the
    number of cells kept is compared, ``n_cells_kept`` or ``n_cells_kept_per_mm2``."""
    second: ResultId | None = None
    """Id of a table of the same images segmented another way: its difference widens intervals."""
    corrected: ResultId | None = None
    """Id of a table of some of the images after correction by hand: shifts and widens."""
    name_of_result: Name = "comparison"
    """Name of the comparison. An older one of this name is hidden if the same was asked of the same table and design;
    else both are kept, and this one gets a number."""

    @field_validator("settings")
    @classmethod
    def _is_of_use(cls, settings: CompareSettings) -> CompareSettings:
        for name, most in _MOST.items():
            asked = getattr(settings, name)
            if asked is not None and len(asked) > most:
                raise ValueError(f"{name} has {len(asked)} entries; at most {most} are compared at once")
        return settings

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the comparison."""
        out = work.folder / "comparison"
        if not (out / _RECORD).is_file():
            self._compare(work, out)
        record = json.loads((out / _RECORD).read_text(encoding="utf-8"))
        notes = [*record["source"]["notes"], *record["not_written"]]
        values = [each.value for each in self.settings.comparisons]
        details = {
            "table": self.table,
            "values": values,
            "notes": notes,
            "settings": self.settings.model_dump(mode="json"),
            "second": self.second,
            "corrected": self.corrected,
            "design": record["source"].get("design", {}),
        }
        new = NewResult("comparison", self._free_name(work.store, details), out, details)
        kept = keep_result(work, self.name, f"Compare {', '.join(values[:3])}", new)
        return {"comparison": kept["result"], "act": kept["act"]}

    def _free_name(self, store: Store, details: Mapping[str, Any]) -> str:
        """Return the name, with a number if comparisons of that name asked something else."""
        taken = {each.name: each.details for each in results(store, "comparison")}
        names = (self.name_of_result if number == 1 else f"{self.name_of_result} ({number})" for number in count(1))
        return next(name for name in names if name not in taken or _asks_the_same(taken[name], details))

    def _compare(self, work: JobWork, out: Path) -> None:
        """Write the comparison."""
        named = {"first": self.table, "second": self.second, "corrected": self.corrected}
        found = {
            name: stored_table(work.store, result_id) for name, result_id in named.items() if result_id is not None
        }
        tables = {name: self._read(work.store, each) for name, each in found.items()}
        missing = sorted(self.settings.columns(besides=FIELDS) - set(tables["first"].columns))
        if missing:
            known = {*read_header(result_path(work.store, found["first"])), *map(str, tables["first"].columns)}
            raise UnknownName("column of the table called", missing[0], known)
        # statsmodels, slow to import, is loaded here only
        compare = import_module("cellmetry.pipeline.comparison.run")
        old, apart = other_labels(work.store, found["first"]), planes_apart(tables["first"])
        told = [each for each in (old, apart, *outdated_reading(work.store, found["first"])) if each]
        design = design_of(work.store, found["first"], {*self.settings.columns(), _MADE_TOGETHER})
        doubtful = [each for each in check_said_design(work.store) if each.kind == PSEUDO]
        in_words = [each.text for each in doubtful]
        record = {
            "study": work.store.id,
            "design": design,
            "images": _used_images(found["first"], design),
            "notes": [*told, *in_words],
            "no_p_value": in_words,
            "inputs": [{"path": each.place, "result": each.id, "sha256": each.sha256} for each in found.values()],
        }
        columns = tables["first"].attrs.pop("columns")
        by_images = any(each.table == FIELDS for each in self.settings.comparisons)
        own = {
            name: {_CELLS: table, **({FIELDS: image_rows(work.store, found[name])} if by_images else {})}
            for name, table in tables.items()
        }
        if doubtful:
            own = {name: {key: as_one_replicate(each) for key, each in source.items()} for name, source in own.items()}
        source = compare.Source(own.pop("first"), (*columns, *(FIELD_COLUMNS if by_images else ())), record, **own)
        findings = (*doubtful, *(Finding("warning", "labels", each) for each in told))
        for each in (*in_words, *told):
            work.say("warning", each)
        run = facts_of_table(work.store, found["first"])
        around = compare.Surroundings(title=f"Comparison of {found['first'].name}", run=run, findings=findings)
        compare.compare_to(out, source, self.settings, around, progress=work.progress)

    def _read(self, store: Store, found: StoredResult) -> pd.DataFrame:
        """Return a table, of a large one only the columns that are needed, with the design as it is said now."""
        path = result_path(store, found)
        own = [column for column in read_columns(path) if column.source != "study"]
        there = [name for name in read_header(path) if name in {column.name for column in own}]
        wanted = there
        if not _ALL_COLUMNS & set(self.settings.tables):
            needed = {*self.settings.columns(), *_OF_CELL}
            wanted = [name for name in there if name in needed or name.startswith(("centroid_", "bbox_"))]
        table = read_table(path, columns=wanted)
        table.attrs = {}
        told = ()
        if "image" in table and "images" in found.details:
            table, told = _with_design(store, table, names_in_table(found))
        table.attrs["columns"] = (*own, *told)
        return table


def _used_images(table: StoredResult, used: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the name of each image used, and the labels and their version of which the table tells, by its id.

    The table of a recipe tells what that found, which is no labels of the study: then both are None.
    """
    name = table.details.get("labels")
    return {
        image_id: {
            "image": said["name"],
            "labels": name if said.get("labels") is not None else None,
            "version": said.get("version"),
        }
        for image_id, said in table.details.get("images", {}).items()
        if image_id in used
    }


def _asks_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(name) == other[name] for name in _QUESTION)


def _with_design(store: Store, table: pd.DataFrame, measured: dict[str, str]) -> tuple[pd.DataFrame, Any]:
    """Return the rows of images that are in the study and not excluded, with what it says of them now."""
    used = {each.id for each in images(store)} - excluded_images(store)
    names = {image_id: name for image_id, name in measured.items() if image_id in used}
    kept = table[table["image"].astype(str).isin(set(names.values()))].reset_index(drop=True)
    joined, told, _ = add_said(kept, said_columns(store, names))
    return joined, told
