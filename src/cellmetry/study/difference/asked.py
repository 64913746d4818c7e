"""What differs in what two analyses were asked: design of the images, entries of a file, what contrasts rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.study.difference.changes import Change

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

__all__ = ["compare_designs", "compare_entries", "compare_evidence", "named_entries"]

_RESTS_ON = ("method", "n_replicates", "n_cells")
_ONE_ENTRY = "an entry"


def named_entries(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return entries of a list by their ``value``, or by their number where they have none; a second gets a number."""
    named: dict[str, Mapping[str, Any]] = {}
    for place, entry in enumerate(entries, 1):
        name = plain = str(entry.get("value") or place)
        number = 2
        while name in named:
            name, number = f"{plain} ({number})", number + 1
        named[name] = entry
    return named


def compare_entries(before: Mapping[str, Any], after: Mapping[str, Any], section: str) -> list[Change]:
    """Return a change for each entry of nested tables that differs, named as in ``compare[area_um2].scale``.

    Lists of tables are compared table by table, by the names of `named_entries`; a table that only one side has is told
    as a whole; their order counts for nothing, and no list is an empty one.
    """
    return [Change(section, *found) for found in _differing(before, after, "")]


def compare_designs(before: pd.DataFrame, after: pd.DataFrame) -> list[Change]:
    """Return what designs say otherwise of images that both have, those of the same change together.

    Parameters
    ----------
    before, after
        One row an image, all columns as text, ``image`` among them.
    """
    first, second = (table.set_index("image") for table in (before, after))
    images = [name for name in first.index if name in second.index]
    changes = [Change("design", str(name), "a column", None) for name in first if name not in second]
    changes += [Change("design", str(name), None, "a column") for name in second if name not in first]
    for name in (name for name in first if name in second):
        sides = (side[name].loc[images] for side in (first, second))
        found = ((image, old or None, new or None) for image, old, new in zip(images, *sides, strict=True))
        changes += _together("design", str(name), found, "images")
    return changes


def compare_evidence(contrasts: pd.DataFrame) -> list[Change]:
    """Return in what method, replicates and cells of contrasts that both analyses have differ.

    Parameters
    ----------
    contrasts
        With the columns of `CONTRAST_CHANGES`.
    """
    both = contrasts[(contrasts[["conclusion_before", "conclusion_after"]] != "absent").all(axis=1)]
    rows = both.to_dict("records")
    names = [f"{row['value']}: {row['condition']} against {row['reference']}" for row in rows]
    changes: list[Change] = []
    for what in _RESTS_ON:
        sides = ([_plain(row[f"{what}_{when}"]) for row in rows] for when in ("before", "after"))
        changes += _together("contrasts", what, zip(names, *sides, strict=True), "contrasts")
    return changes


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, value before and value after of each entry that differs."""
    for name in dict.fromkeys((*before, *after)):
        old, new, path = before.get(name), after.get(name), f"{above}{name}"
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differing(old, new, f"{path}.")
        elif _are_tables(old) and _are_tables(new):
            yield from _differing_tables(old or [], new or [], path)
        else:
            yield path, old, new


def _differing_tables(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], path: str
) -> Iterator[tuple[str, Any, Any]]:
    first, second = named_entries(before), named_entries(after)
    for name in dict.fromkeys((*first, *second)):
        if name in first and name in second:
            yield from _differing(first[name], second[name], f"{path}[{name}].")
        else:
            yield f"{path}[{name}]", _ONE_ENTRY if name in first else None, _ONE_ENTRY if name in second else None


def _are_tables(value: Any) -> bool:
    """Return whether this is a list of tables, one without any, or none."""
    return value is None or (isinstance(value, list) and all(isinstance(each, dict) for each in value))


def _together(section: str, what: str, found: Iterable[tuple[str, Hashable, Hashable]], many: str) -> Iterator[Change]:
    """Yield a change for each pair of values that differ, with how many have it and the first of them."""
    groups: dict[tuple[Hashable, Hashable], list[str]] = {}
    for name, old, new in found:
        if old != new:
            groups.setdefault((old, new), []).append(name)
    for (old, new), names in groups.items():
        where = names[0] if len(names) == 1 else f"{len(names)} {many} ({names[0]}, …)"
        yield Change(section, f"{what} of {where}", old, new)


def _plain(value: Any) -> Any:
    """Return a number or text of a table as JSON has it; None for a missing one."""
    if value is None or pd.isna(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value
