"""`Split`: which items train, which choose (validation) and which judge (test); what belongs together never parts."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.progress import SILENT
from cellmetry.errors import DamagedFile, InputError, ParameterError
from cellmetry.io.tables import read_table, write_table
from cellmetry.learn.copy_names import original_name
from cellmetry.learn.dataset import read_image
from cellmetry.learn.near_duplicates import connected_groups, find_links

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import DataSet, Item

__all__ = [
    "PARTS",
    "Part",
    "Split",
    "SplitRow",
    "assign_groups",
    "group_items",
    "read_split",
    "split_items",
    "write_split",
]

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

_COLUMNS = ("data", "name", "split", "group")


class SplitRow(NamedTuple):
    """Where one item of a data set goes, and with which others it stays."""

    data: str
    name: str
    split: Part
    group: str


@dataclass(frozen=True)
class Split:
    """Where every item of one or several data sets goes."""

    rows: tuple[SplitRow, ...]

    def __post_init__(self) -> None:
        parts = defaultdict(set)
        for row in self.rows:
            parts[row.group].add(row.split)
        torn = sorted(group for group, found in parts.items() if len(found) > 1)
        if torn:
            raise InputError(
                f"The split puts items of the group {torn[0]!r} into different parts; what belongs to one group must "
                f"stay together, or the scores on held-out images mean nothing."
            )
        if len(self._parts) != len(self.rows):
            raise InputError("The split names an item twice; each item of a data set stands in it once.")

    @cached_property
    def _parts(self) -> dict[tuple[str, str], Part]:
        return {(row.data, row.name): row.split for row in self.rows}

    def of(self, data_set_name: str, item_name: str) -> Part:
        """Return the part to which an item goes.

        Raises
        ------
        InputError
            If the split does not know it.
        """
        if (data_set_name, item_name) not in self._parts:
            raise InputError(
                f"The split does not say where {item_name} of the data set {data_set_name} goes; make it again with "
                f"`cellmetry dataset split` over all data sets."
            )
        return self._parts[data_set_name, item_name]


def split_items(
    sets: Sequence[DataSet],
    *,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    before: Split | None = None,
    progress: Progress = SILENT,
) -> Split:
    """Return a split of all items into train, validation and test near these fractions of every data set and modality.

    Items that share a group, show the same or touching pieces of the world (`cellmetry.learn.near_duplicates`), or
    share the file of their image, stay together, also across data sets; so do those of one data set whose names say
    that they are copies of one original (`cellmetry.learn.copy_names`). Items that `before` knows stay where they
    are; what belongs to one of them joins it, in the part that teaches if it belongs to several. Where all that is
    known teaches, a new group is for validation, so that something is held out.
    """
    _check_sets(sets)
    members = [(each.card.name, item) for each in sets for item in each.items]
    known = {(row.data, row.name): row for row in before.rows} if before else {}
    if before and all((name, item.name) in known for name, item in members):
        return before
    groups = group_items(members, progress=progress)
    strata = [(name, item.modality) for name, item in members]
    parts = assign_groups(groups, strata, fractions, seed=seed)
    names = _group_names(members, groups)
    rows = [
        SplitRow(name, item.name, PARTS[part], label)
        for (name, item), part, label in zip(members, parts, names, strict=True)
    ]
    kept = list(_keep_known(rows, groups.tolist(), known))
    return Split(tuple(_hold_out(kept, known) if known and fractions[1] else kept))


def _keep_known(
    rows: Sequence[SplitRow], groups: Sequence[int], known: Mapping[tuple[str, str], SplitRow]
) -> Iterator[SplitRow]:
    """Yield the rows as they were where they are known; others of their groups in the same part."""
    kin: dict[int, SplitRow] = {}
    for row, group in zip(rows, groups, strict=True):
        old = known.get((row.data, row.name))
        if old and (group not in kin or PARTS.index(old.split) < PARTS.index(kin[group].split)):
            kin[group] = old
    for row, group in zip(rows, groups, strict=True):
        near = kin.get(group)
        joined = row._replace(split=near.split, group=near.group) if near else row
        yield known.get((row.data, row.name), joined)


def _hold_out(rows: Sequence[SplitRow], known: Mapping[tuple[str, str], SplitRow]) -> Iterator[SplitRow]:
    """Yield the rows, those of one new group for validation if no row is."""
    old = {row.group for row in known.values()}
    new = [row.group for row in rows if row.group not in old]
    chosen = None if any(row.split == "validation" for row in rows) else next(reversed(new), None)
    for row in rows:
        yield row._replace(split="validation") if row.group == chosen else row


def read_split(path: str | Path) -> Split:
    """Return the split in a CSV file with the columns data, name, split and group.

    Raises
    ------
    InputError
        If a column is missing, a part is none of train, validation and test, or a group is torn.
    """
    table = read_table(path, text=_COLUMNS)
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise DamagedFile(f"{path} has no column {missing[0]!r}; a split has data, name, split and group.")
    wrong = sorted(set(table["split"]) - set(PARTS))
    if wrong:
        raise DamagedFile(f"{path}: {wrong[0]!r} is none of {', '.join(PARTS)}.")
    rows = table[list(_COLUMNS)].itertuples(index=False, name=None)
    return Split(tuple(SplitRow(*row) for row in rows))


def write_split(split: Split, path: str | Path) -> None:
    """Write a split as CSV with the columns data, name, split and group."""
    write_table(pd.DataFrame(list(split.rows), columns=list(_COLUMNS), dtype="str"), path)


def group_items(members: Sequence[tuple[str, Item]], *, progress: Progress = SILENT) -> NDArray[np.int64]:
    """Return the number of the group of each item (given with the name of its data set)."""
    links = find_links(lambda index: read_image(members[index][1]), len(members), progress=progress)
    together: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, (name, item) in enumerate(members):
        together["image", str(item.image.resolve())].append(index)
        together["original", name, original_name(item.name).casefold()].append(index)
        if item.group:
            together["group", name, item.group].append(index)
    stated = [pair for indices in together.values() for pair in pairwise(indices)]
    return connected_groups(len(members), [*stated, *((link.first, link.second) for link in links)])


def assign_groups(
    groups: NDArray[np.int64], strata: Sequence[object], fractions: tuple[float, ...], *, seed: int = 0
) -> NDArray[np.int64]:
    """Return the part, 0, 1, …, of each item, so that groups stay whole and each stratum comes near `fractions`.

    Groups are taken from the largest to the smallest, in random order among equals, and each goes where the squared
    distance from the wanted numbers, relative to the size of each stratum, grows least. A part with a fraction above
    0 is never left empty while there are groups enough.
    """
    wanted = _checked_fractions(fractions)
    counts = _group_counts(groups, strata)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    open_parts = np.flatnonzero(wanted)
    goal = wanted[:, None] * counts.sum(axis=0)
    weight = 1 / np.maximum(counts.sum(axis=0), 1)
    have = np.zeros_like(goal)
    chosen = np.zeros(len(counts), np.int64)
    for group in order:
        after = have[open_parts] + counts[group]
        growth = ((after - goal[open_parts]) ** 2 - (have[open_parts] - goal[open_parts]) ** 2) @ weight
        part = open_parts[int(np.argmin(growth))]
        have[part] += counts[group]
        chosen[group] = part
    _fill_empty(chosen, counts.sum(axis=1), open_parts)
    return chosen[groups]


def _checked_fractions(fractions: tuple[float, ...]) -> NDArray[np.float64]:
    values = np.asarray(fractions, dtype=np.float64)
    if values.shape != (len(PARTS),) or (values < 0).any() or not np.isclose(values.sum(), 1.0) or values[0] == 0:
        raise ParameterError(
            f"The fractions {tuple(fractions)} must be three numbers that sum to 1, for train, validation and test; "
            f"only the last two may be 0."
        )
    return values


def _group_counts(groups: NDArray[np.int64], strata: Sequence[object]) -> NDArray[np.float64]:
    """Return how many items of each stratum each group has, shape (groups, strata)."""
    places = {stratum: place for place, stratum in enumerate(dict.fromkeys(strata))}
    counts = np.zeros((int(groups.max(initial=-1)) + 1, len(places)))
    np.add.at(counts, (groups, np.array([places[stratum] for stratum in strata], np.int64)), 1)
    return counts


def _fill_empty(chosen: NDArray[np.int64], sizes: NDArray[np.float64], parts: NDArray[np.intp]) -> None:
    """Give each part that is empty the smallest group of the part with most groups, while that keeps one."""
    for part in parts:
        numbers = Counter(chosen.tolist())
        largest, most = numbers.most_common(1)[0]
        if numbers[int(part)] == 0 and most > 1:
            inside = np.flatnonzero(chosen == largest)
            chosen[inside[np.argmin(sizes[inside])]] = part


def _group_names(members: Sequence[tuple[str, Item]], groups: NDArray[np.int64]) -> list[str]:
    """Return for each item the name of its group: data set and name of the group's first item."""
    first: dict[int, str] = {}
    for (name, item), group in zip(members, groups.tolist(), strict=True):
        first.setdefault(group, f"{name}/{item.name}")
    return [first[group] for group in groups.tolist()]


def _check_sets(sets: Sequence[DataSet]) -> None:
    counts = Counter(each.card.name for each in sets)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ParameterError(f"Two data sets are named {twice[0]!r}; change the name in dataset.toml of one of them.")
    if not counts:
        raise ParameterError("No data set was given to split.")


def part_counts(split: Split) -> dict[str, dict[Part, int]]:
    """Return for each data set how many items go to each part."""
    numbers = Counter((row.data, row.split) for row in split.rows)
    return {
        name: {part: numbers[name, part] for part in PARTS} for name in dict.fromkeys(row.data for row in split.rows)
    }
