"""Checks of replicates: what is one, whether there are enough, whether conditions have the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.io.wells import Well
from cellmetry.study.design.design import Finding
from cellmetry.study.words import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from cellmetry.study.design.evidence import Evidence

__all__ = ["PSEUDO", "as_one_replicate", "check_balance", "check_missing", "check_pairs", "check_replicates"]

PSEUDO = "pseudoreplication"
"""Kind of a finding that says that what is declared a replicate is none: nothing is tested then."""
_ONE = "all wells"
"""Name of the only replicate where there are none."""
_FEW_MISSING = 0.25
"""Wells of the used rows and columns that may be absent for them to count as missing, not as a layout with gaps."""
_ESTIMATION = "The study gives estimates and intervals, and no p-values"
_REPEAT = "repeat it with another culture, animal or day, and say which in the column replicate"
_TECHNICAL = (
    "Wells of one plate that were filled from one culture are technical repeats, no replicates: a p-value from them "
    "says that these wells differ, not that the effect comes again."
)
_INDEPENDENT = (
    "If they are independent, say of which culture, animal or day each is in the column batch; until then differences "
    "are estimated and no p-value is given."
)


def as_one_replicate(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of which all rows are of one replicate, so that differences are estimated and nothing is tested.

    What was declared is ``declared_replicate``.
    """
    declared = {"declared_replicate": table["replicate"]} if "replicate" in table.columns else {}
    changed = table.assign(**declared, replicate=_ONE)
    changed.attrs = table.attrs
    return changed


def check_replicates(evidence: Evidence) -> Iterator[Finding]:
    """Yield what says that replicates are missing, single, or no replicates."""
    if not evidence.has("condition"):
        return
    if not evidence.has("replicate"):
        yield from _single(evidence, "No column says of which replicate an image is.")
        return
    used = evidence.used
    without = used.loc[used["replicate"].isna(), "image"]
    if len(without):
        text = f"{len(without)} of {len(used)} images have no replicate and are in no test: {listed(without)}"
        yield Finding("warning", "replicates", f"{text}; name it, or leave them out with a reason.")
    if used["replicate"].nunique() == 1:
        yield from _single(evidence, f"All images are of one replicate ({used['replicate'].dropna().iloc[0]}).")
        return
    yield from _fields(evidence)
    yield from _wells_of_one_plate(evidence)
    numbers = used.groupby("condition", sort=False)["replicate"].nunique()
    if (numbers <= 1).all():
        text = "No condition has a second replicate: a test has nothing to tell chance from effect by"
        yield Finding("warning", "replicates", f"{text}. {_ESTIMATION}.")
    elif (numbers <= 1).any():
        few = numbers.index[numbers <= 1]
        text = f"{listed(few)} {'has' if len(few) == 1 else 'have'} one replicate or none, so nothing says how much"
        yield Finding("warning", "replicates", f"{text} chance there is in {'it' if len(few) == 1 else 'them'}.")


def _single(evidence: Evidence, start: str) -> Iterator[Finding]:
    """Yield that there is one replicate, and that wells do not count as more."""
    wells = len(evidence.wells)
    if wells > 1 and evidence.one_plate:
        text = f"{start} All {wells} wells are of one plate; wells of one plate are technical repeats, no replicates"
        yield Finding("warning", PSEUDO, f"{text}. {_ESTIMATION}; {_REPEAT}.")
    else:
        yield Finding("warning", "replicates", f"{start} {_ESTIMATION}; {_REPEAT}.")


def _fields(evidence: Evidence) -> Iterator[Finding]:
    """Yield that the replicate is really a field, or an image."""
    used = evidence.used.dropna(subset=["replicate"])
    cure = "it is no replicate: one well (dish, animal) has one. Name as replicate what was repeated independently"
    if evidence.has("well"):
        numbers = used.groupby(["plate", "well"], sort=False)["replicate"].nunique()
        several = list(numbers.index[numbers > 1].get_level_values("well"))
        if several:
            text = f"The replicate changes between the fields of one well ({listed(several)}), so {cure}."
            yield Finding("error", PSEUDO, text)
    elif evidence.has("field") and _same_partition(used, "replicate", "field"):
        text = f"The columns replicate and field say the same; if that is the field of view, {cure}."
        yield Finding("error", PSEUDO, text)
    elif used["replicate"].nunique() == len(used) > len(evidence.conditions):
        text = f"Each image is a replicate of its own; if some show the same well, dish or animal, {cure}."
        yield Finding("warning", "replicates", text)


def _wells_of_one_plate(evidence: Evidence) -> Iterator[Finding]:
    """Yield that replicates are wells of one plate and nothing says that they were prepared apart."""
    if len(evidence.wells) < 2:
        return _of_one_batch(evidence)
    batches = evidence.used["batch"].nunique() if evidence.has("batch") else 0
    if evidence.one_plate and batches <= 1:
        names = evidence.used["replicate"].dropna().unique()
        apart = "and of one batch" if batches else "and no column batch says that they were prepared apart"
        text = f"The replicates {listed(names)} are wells of one plate, {apart}. {_TECHNICAL}"
        return iter((Finding("warning", PSEUDO, f"{text} {_INDEPENDENT}"),))
    return _of_one_plate_and_batch(evidence)


def _of_one_plate_and_batch(evidence: Evidence) -> Iterator[Finding]:
    """Yield the replicates of one condition that share plate and batch, else those on plates of one batch."""
    shared = _sharing(evidence.wells, "plate", "batch")
    if shared.empty:
        yield from _of_one_batch(evidence)
        return
    (condition, plate, batch), names = shared.index[0], shared.iloc[0]
    where = f"plate {plate}" if plate else "one plate"
    apart = f"and of one batch ({batch})" if batch else "and no column batch says that they were prepared apart"
    others = f", and so it is in {len(shared) - 1} more groups of wells" if len(shared) > 1 else ""
    text = f"The replicates {listed(names)} of {condition} are wells of {where}, {apart}{others}. {_TECHNICAL}"
    unit = "batch" if evidence.has("batch") and evidence.used["batch"].nunique() > 1 else "plate"
    units = evidence.used[unit].replace("", None).dropna().unique()
    would = (
        f"The {unit} ({listed(units)}) would be the replicate: write it in the column replicate, {len(units)} in all."
    )
    yield Finding("warning", PSEUDO, f"{text} {would} {_INDEPENDENT}")


def _of_one_batch(evidence: Evidence) -> Iterator[Finding]:
    """Yield that replicates of one condition are of one batch, though not of one plate, or of unknown plates."""
    if not evidence.has("batch"):
        return
    used = evidence.used.dropna(subset=["batch"])
    shared = _sharing(used, "batch")
    if len(shared):
        (condition, batch), names = shared.index[0], shared.iloc[0]
        text = f"The replicates {listed(names)} of {condition} are of one batch ({batch})"
        cure = "if they were filled from one culture they are one replicate, and the batch is its name"
        yield Finding("note", "replicates", f"{text}; {cure}. They count as independent cultures or animals here.")


def _sharing(rows: pd.DataFrame, *place: str) -> pd.Series:
    """Return the replicates of a condition in one place (plate, batch) where there are several; unknown is a place."""
    known = rows.dropna(subset=["replicate"])
    keys = {name: known[name].fillna("") if name in known.columns else "" for name in place}
    names = known.assign(**keys).groupby(["condition", *place], sort=False)["replicate"].unique()
    return names[names.map(len) > 1]


def _same_partition(table: pd.DataFrame, one: str, other: str) -> bool:
    pairs = table[[one, other]].drop_duplicates()
    return bool(pairs[one].is_unique and pairs[other].is_unique and len(pairs) > 1)


def check_pairs(evidence: Evidence) -> Iterator[Finding]:
    """Yield whether the same replicates are in all conditions, by which they can be compared in pairs."""
    if not evidence.has("condition", "replicate") or len(evidence.conditions) < 2:
        return
    used = evidence.used.dropna(subset=["replicate"])
    table = used.groupby(["condition", "replicate"], sort=False).size().unstack(fill_value=0) > 0
    if table.shape[1] < 2:
        return
    if not (table.sum() > 1).any():
        text = "No replicate is in two conditions, so conditions cannot be compared in pairs and tests find less"
        yield Finding("note", "pairing", f"{text}; if they were made side by side, give both the same replicate.")
        return
    lacking = [f"{name} (has no {listed(table.columns[~row])})" for name, row in table.iterrows() if not row.all()]
    if lacking:
        text = f"Not every condition has every replicate: {listed(lacking)}"
        yield Finding("warning", "missing", f"{text}. Pairs are lost; add them, or compare unpaired.")


def check_balance(evidence: Evidence) -> Iterator[Finding]:
    """Yield where conditions have different numbers of replicates, wells or fields."""
    if len(evidence.conditions) < 2:
        return
    if evidence.has("replicate"):
        numbers = evidence.used.groupby("condition", sort=False)["replicate"].nunique()
        if numbers.nunique() > 1:
            text = f"Conditions have different numbers of replicates: {_range(numbers)}"
            yield Finding("warning", "unbalanced", f"{text}. The smallest decides what a comparison can find.")
    what, rows = ("wells", evidence.wells) if len(evidence.wells) else ("images", evidence.used)
    keys = ["condition", "replicate"] if evidence.has("replicate") else ["condition"]
    sizes = rows.groupby(keys, sort=False).size().groupby(level=0, sort=False).mean()
    if sizes.nunique() > 1:
        of = "of a replicate" if len(keys) > 1 else "of a condition"
        text = f"The number of {what} {of} differs: {_range(sizes)}"
        yield Finding("note", "unbalanced", f"{text}. Means of replicates count alike; those of few {what} vary more.")


def _range(numbers: pd.Series) -> str:
    return f"from {numbers.min():.3g} ({numbers.idxmin()}) to {numbers.max():.3g} ({numbers.idxmax()})"


def check_missing(evidence: Evidence) -> Iterator[Finding]:
    """Yield wells without image, rows of sheets likewise, wells with too few fields, and images that lack planes."""
    shortages = evidence.found.shortages
    if shortages:
        text = f"{counted(len(shortages), 'image')} cannot be read since planes are missing: {' '.join(shortages[:3])}"
        yield Finding("warning", "missing", text + (f" And {len(shortages) - 3} more." if len(shortages) > 3 else ""))
    for text in evidence.found.idle:
        yield Finding("warning", "missing", text)
    if "well" not in evidence.images.columns:
        return
    named = evidence.images.dropna(subset=["well"])
    plates = named["plate"].fillna("") if "plate" in named.columns else named["well"].map(lambda _: "")
    yield from _absent_wells(evidence, named.groupby(plates, sort=False)["well"].unique())
    fields = named.groupby([plates.rename("_plate"), "well"], sort=False).size()
    usual = fields.mode().max()
    few = fields[fields < usual]
    fewer = [f"{well} ({number})" for well, number in zip(few.index.get_level_values("well"), few, strict=True)]
    if fewer:
        yield Finding("warning", "missing", f"Most wells have {counted(usual, 'image')}; fewer have {listed(fewer)}.")


def _absent_wells(evidence: Evidence, present: pd.Series) -> Iterator[Finding]:
    places = evidence.places.values()
    rows, columns = {well.row for well in places}, {well.column for well in places}
    expected = [Well(row, column).name for row in sorted(rows) for column in sorted(columns)]
    for plate, wells in present.items():
        absent = [name for name in expected if name not in set(wells)]
        if 0 < len(absent) <= _FEW_MISSING * len(expected):
            where = f"Plate {plate}" if plate else "The plate"
            text = f"{where} has no image of {listed(absent)}, though others of these rows and columns are there"
            yield Finding("warning", "missing", f"{text}; say why in the report.")
