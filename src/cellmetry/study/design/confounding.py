"""Checks for what cannot be told from the effect: batches, plates, cell lines, edges of plates, absent controls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cellmetry.study.design.design import Finding
from cellmetry.study.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from cellmetry.study.design.evidence import Evidence

__all__ = ["check_batches", "check_control", "check_edges", "check_factors"]

_BATCHES = ("batch", "plate")
_BIOLOGY = re.compile(r"line|clone|genotype|strain|donor|patient|sex|passage", re.IGNORECASE)
"""Names of columns of sheets that say of what the cells are."""


def check_batches(evidence: Evidence) -> Iterator[Finding]:
    """Yield the batches and plates that each hold one condition, so that their effect is taken for the condition's."""
    for column in _BATCHES:
        if not evidence.has("condition", column) or len(evidence.conditions) < 2:
            continue
        table = _shared(evidence.used, column)
        if table.shape[1] > 1 and not (table.sum() > 1).any():
            pairs = [f"{name}: {listed(table.index[table[name]])}" for name in table.columns]
            text = f"Each {column} holds one condition only ({listed(pairs)}), so what differs between"
            text += " plates" if column == "plate" else " batches"
            yield Finding(
                "warning", "confounded", f"{text} is taken for the condition's effect; put all conditions in each."
            )
        elif table.shape[1] > 1:
            yield from _alone(table, column)
    if evidence.has("condition", "replicate", "batch"):
        yield from _pairs_over_batches(evidence.used)


def _shared(used: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return which condition (row) is in which batch (column)."""
    known = used.dropna(subset=["condition", column])
    return known.groupby(["condition", column], sort=False).size().unstack(fill_value=0) > 0


def _alone(table: pd.DataFrame, column: str) -> Iterator[Finding]:
    """Yield the batches that hold one condition while others hold several."""
    alone = table.columns[table.sum() == 1]
    if len(alone):
        text = f"The {column} {listed(alone)} holds one condition only, which has nothing beside it to be compared with"
        yield Finding("note", "confounded", f"{text}.")


def _pairs_over_batches(used: pd.DataFrame) -> Iterator[Finding]:
    """Yield the replicates whose conditions come from different batches, and so are no pair."""
    known = used.dropna(subset=["replicate", "batch"])
    each = known.groupby(["replicate", "condition"], sort=False)["batch"].agg(["nunique", "first"])
    whole = each[each["nunique"] == 1]["first"].groupby(level=0, sort=False).nunique()
    torn = whole.index[whole > 1]
    if len(torn):
        text = f"The conditions of replicate {listed(torn)} come from different batches, so they are no pair"
        yield Finding("warning", "pairing", f'{text}; name replicates by batch, or compare with pairing = "unpaired".')


def check_factors(evidence: Evidence) -> Iterator[Finding]:
    """Yield cell lines (clones, donors, …) that each stand in a batch or condition of their own."""
    names = [name for name in evidence.used.columns if _BIOLOGY.search(name) and evidence.used[name].nunique() > 1]
    for name in names:
        for column in ("condition", *_BATCHES):
            if not evidence.has(column) or evidence.used[column].nunique() < 2 or column == name:
                continue
            known = evidence.used.dropna(subset=[name, column])
            if (known.groupby(column)[name].nunique() == 1).all():
                pairs = known.drop_duplicates([column, name])
                said = [f"{one}: {other}" for one, other in zip(pairs[column], pairs[name], strict=True)]
                text = f"One {name} for each {column} ({listed(said)}): a difference between them may be either's"
                yield Finding("warning", "confounded", f"{text}; put each {name} in each {column}.")


def check_control(evidence: Evidence) -> Iterator[Finding]:
    """Yield a control that is not named, or not in every batch or plate."""
    if len(evidence.conditions) < 2:
        return
    control = evidence.said.control
    if control is None:
        text = "No control is named, so each condition is compared with each"
        yield Finding("note", "control", f'{text}; name one in study.toml, as in control = "{evidence.conditions[0]}".')
        return
    if control not in evidence.conditions:
        return
    for column in _BATCHES:
        if not evidence.has(column):
            continue
        there = set(evidence.used.loc[evidence.used["condition"] == control, column].dropna())
        lacking = [name for name in evidence.used[column].dropna().unique() if name not in there]
        if lacking:
            what = "is in one" if len(there) == 1 else "is not in each"
            text = f"The control {control} {what} {column} ({listed(sorted(there))}; not in {listed(lacking)})"
            yield Finding("warning", "control", f"{text}: others are compared with cells of another {column}.")


def check_edges(evidence: Evidence) -> Iterator[Finding]:
    """Yield conditions that stand only at the edge of the plate, where wells dry out and warm up first."""
    if evidence.plate is None or not evidence.has("condition") or len(evidence.conditions) < 2:
        return
    wells = evidence.wells[evidence.wells["well"].isin(list(evidence.places))]
    if wells.empty:
        return
    edge = wells["well"].map({name: place.on_edge(evidence.plate) for name, place in evidence.places.items()})
    share = edge.astype(bool).groupby(wells["condition"], sort=False).mean()
    outside, at_edge = list(share.index[share == 1]), list(share.index[share > 0])
    guessed = "" if evidence.said.plate_wells else " that names of wells suggest"
    size = f"{evidence.plate.wells}-well plate{guessed}"
    if len(at_edge) == 1 and (share == 0).any():
        text = (
            f"All edge wells of the {size} hold {at_edge[0]}, so its effect and that of the edge cannot be told apart"
        )
        yield Finding("warning", "edge", f"{text}; spread conditions over edge and middle, or leave the edge empty.")
    elif outside and len(outside) < len(share):
        who = f"The control {outside[0]} is" if outside == [evidence.said.control] else f"{listed(outside)}: found"
        text = f"{who} only at the edge of the {size}, where wells dry out and warm up first, unlike other conditions"
        yield Finding("warning", "edge", f"{text}; the edge's effect may be taken for the condition's.")
