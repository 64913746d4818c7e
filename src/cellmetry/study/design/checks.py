"""`check_design`: what is wrong or doubtful with a design, each in a sentence that says what to do."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import permutations
from typing import TYPE_CHECKING

from cellmetry.study.design.confounding import check_batches, check_control, check_edges, check_factors
from cellmetry.study.design.design import Finding
from cellmetry.study.design.evidence import Evidence
from cellmetry.study.design.image_checks import (
    check_copies,
    check_doses,
    check_duplicates,
    check_excluded,
    check_files,
    check_headers,
    check_wells,
)
from cellmetry.study.design.replication import check_balance, check_missing, check_pairs, check_replicates
from cellmetry.study.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from cellmetry.study.file import DesignSection
    from cellmetry.study.images import StudyImages

__all__ = ["check_design"]

_ORDER = ("error", "warning", "note")
_RARER = 2
"""How many times as many wells the other has for a name to be taken for a slip of it."""
_LETTERS = 2
"""Letters that may differ."""
_SHORTEST, _LONG = 3, 6
"""Letters of a word in which a slip is looked for, and from which on two letters may differ."""


def check_design(images: pd.DataFrame, said: DesignSection, found: StudyImages) -> tuple[Finding, ...]:
    """Return what was found, errors first, then warnings and notes.

    Parameters
    ----------
    images
        One row an image with columns of a design.
    said
        What the study says: control, order, plate.
    found
        What files and headers say: missing planes, pixel sizes, exposures.
    """
    evidence = Evidence(images, said, found)
    findings = [finding for check in _CHECKS for finding in check(evidence)]
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def _check_conditions(evidence: Evidence) -> Iterator[Finding]:
    kept = evidence.images[~evidence.images["excluded"]]
    if kept.empty:
        yield Finding("error", "excluded", "Every image is left out; nothing is left to analyse.")
        return
    if not evidence.has("condition"):
        yield Finding(
            "error",
            "condition",
            "No image has a condition; fill in the column condition of a sheet, or write rules (design.assign).",
        )
        return
    without = kept.loc[kept["condition"].isna(), "image"]
    if len(without):
        text = f"{len(without)} of {len(kept)} images have no condition and are in no comparison: {listed(without)}."
        yield Finding("warning", "condition", f"{text} Name it, or leave them out with a reason.")
    if len(evidence.conditions) == 1:
        text = f"All images are of one condition ({evidence.conditions[0]}), so nothing can be compared."
        yield Finding("warning", "condition", text)


def _check_names(evidence: Evidence) -> Iterator[Finding]:
    forms: dict[str, list[str]] = {}
    for name in evidence.conditions:
        forms.setdefault("".join(name.split()).casefold(), []).append(name)
    for alike in (names for names in forms.values() if len(names) > 1):
        quoted = " and ".join(repr(name) for name in alike)
        text = f"The conditions {quoted} differ only by capitals or spaces and count as different ones"
        yield Finding("warning", "names", f"{text}; write them alike, or join them by design.names in study.toml.")
    yield from _check_slips(evidence)
    there = set(evidence.images["condition"].dropna()) if "condition" in evidence.images.columns else set()
    idle = [f"{written} = {shown!r}" for written, shown in evidence.said.names.items() if there and shown not in there]
    if idle:
        yield Finding("warning", "names", f"No image has a condition that these names are for: {listed(idle)}.")
    for key in ("control", "positive_control"):
        name = getattr(evidence.said, key)
        if name is not None and name not in evidence.conditions:
            text = f"{key} = {name!r} is no condition of an image that is analysed; there are"
            yield Finding("error", "control", f"{text} {listed(evidence.conditions, 12) or 'none'}.")
    unknown = [name for name in evidence.said.order if name not in evidence.conditions]
    if unknown and evidence.conditions:
        text = f"order names {listed(unknown)}, which is no condition of an image that is analysed"
        yield Finding("warning", "names", f"{text}; there are {listed(evidence.conditions, 12)}.")


def _check_slips(evidence: Evidence) -> Iterator[Finding]:
    """Yield the conditions that look like a commoner one with a slip of one or two letters."""
    rows = evidence.wells if len(evidence.wells) else evidence.used
    counts = rows["condition"].value_counts().items() if evidence.conditions else ()
    numbers = {str(name): int(number) for name, number in counts}
    pairs = ((rare, common) for rare, common in permutations(numbers, 2) if numbers[rare] <= numbers[common] / _RARER)
    slips = {rare: common for rare, common in pairs if _is_slip(str(rare), str(common))}
    if slips:
        alike = (f"{rare!r} ({numbers[rare]}) looks like {slips[rare]!r} ({numbers[slips[rare]]})" for rare in slips)
        text = f"A slip in the name of a condition? {listed(alike)}, but counts as another"
        cure = "correct the sheet, or join them by design.names in study.toml; if both are meant, all is well"
        yield Finding("warning", "names", f"{text}; {cure}.")


def _is_slip(one: str, other: str) -> bool:
    """Return whether two names differ in one or two letters of one word, or in the order of two.

    Digits, signs and words of less than three letters tell different conditions apart: siRNA 1 and 2, drug A and B.
    """
    if abs(len(one) - len(other)) > _LETTERS:
        return False
    words = [name.casefold().split() for name in (one, other)]
    if len(words[0]) != len(words[1]):
        return False
    pairs = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
    if len(pairs) != 1 or min(sum(map(str.isalpha, word)) for word in pairs[0]) < _SHORTEST:
        return False
    left, right = pairs[0]
    steps = [step for step in SequenceMatcher(None, left, right, autojunk=False).get_opcodes() if step[0] != "equal"]
    changed = "".join(left[step[1] : step[2]] + right[step[3] : step[4]] for step in steps)
    size = sum(max(step[2] - step[1], step[4] - step[3]) for step in steps)
    swapped = sorted(left) == sorted(right)
    return changed.isalpha() and size <= (_LETTERS if swapped or min(len(left), len(right)) >= _LONG else 1)


_CHECKS = (
    *(_check_conditions, _check_names, check_replicates, check_pairs, check_batches, check_factors, check_control),
    *(check_edges, check_doses, check_duplicates, check_wells, check_balance, check_missing, check_excluded),
    *(check_copies, check_headers, check_files),
)
"""Each yields what it finds; those of equal severity stand in this order."""
