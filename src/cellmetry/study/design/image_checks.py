"""Checks of single images: wells and doses that make no sense, doubles, images left out, files taken differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.study.design.design import Finding
from cellmetry.study.words import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.study.design.evidence import Evidence

__all__ = [
    "check_copies",
    "check_doses",
    "check_duplicates",
    "check_excluded",
    "check_files",
    "check_headers",
    "check_wells",
]

_SHARE = 0.1
"""Difference between conditions in the share of images left out that is worth a word."""


def check_doses(evidence: Evidence) -> Iterator[Finding]:
    """Yield doses that are no amounts, that have no zero, or that a comparison of conditions would mix."""
    if not evidence.has("dose"):
        return
    doses = evidence.used["dose"].dropna()
    if not pd.api.types.is_numeric_dtype(doses):
        plain = doses.astype("string").str.replace(",", ".", regex=False)  # a decimal comma is no mistake
        wrong = doses[pd.to_numeric(plain, errors="coerce").isna()].unique()
        wrong = wrong if len(wrong) else doses[doses.astype("string").str.contains(",")].unique()
        text = f"The dose {listed(map(repr, wrong))} is no number; write amounts in one unit, without the unit"
        yield Finding("error", "dose", f"{text}, and leave the cell empty where there is none.")
        return
    if (doses < 0).any():
        text = f"A dose is negative ({doses.min():g}); doses are amounts from 0, not logarithms."
        yield Finding("error", "dose", text)
    elif not (doses == 0).any():
        text = "No image has dose 0, so the response without treatment can only be guessed from the curve"
        yield Finding("warning", "dose", f"{text}; give untreated wells the dose 0.")
    if evidence.has("condition"):
        numbers = evidence.used.groupby("condition", sort=False)["dose"].nunique()
        mixed = [f"{number} of {name}" for name, number in numbers.items() if number > 1]
        if mixed:
            text = f"Conditions have several doses ({listed(mixed)}), which a comparison of conditions mixes"
            yield Finding("note", "dose", f"{text}; fit a dose response, or make conditions of drug and dose.")


def check_copies(evidence: Evidence) -> Iterator[Finding]:
    """Yield images of one content, whatever they are called."""
    headers = evidence.found.headers
    if "content" not in headers.columns:
        return
    used = headers[headers["image"].isin(evidence.images.loc[~evidence.images["excluded"], "image"])]
    copies = [list(names) for _, names in used.groupby("content", sort=False)["image"] if len(names) > 1]
    if copies:
        text = f"The same image is there more than once: {listed(' = '.join(names) for names in copies)}"
        yield Finding("warning", "copies", f"{text}; count no cell twice: leave the copies out, or remove them.")


def check_duplicates(evidence: Evidence) -> Iterator[Finding]:
    """Yield places that several images claim."""
    images = evidence.images
    if "well" not in images.columns:
        return
    keys = [name for name in ("plate", "well", "field", "time") if name in images.columns]
    known = images.dropna(subset=["well"])
    names = known.loc[known.duplicated(keys, keep=False), "image"]
    if names.empty:
        return
    if "field" in keys:
        text = f"{counted(len(names), 'image')} have {' and '.join(keys)} in common with another: {listed(names)}"
        cure = "one is a copy, or a part of the names is missing in the pattern; count no cell twice"
        yield Finding("error", "duplicate", f"{text}; {cure}.")
    else:
        text = f"Wells have several images ({listed(names)}) and nothing names their fields"
        yield Finding("note", "duplicate", f"{text}; make sure that none is a copy of another.")


def check_wells(evidence: Evidence) -> Iterator[Finding]:
    """Yield words that are no wells, and wells that the plate does not have."""
    if "well" not in evidence.images.columns:
        return
    odd = [name for name in evidence.images["well"].dropna().unique() if name not in evidence.places]
    if odd:
        text = f"{listed(odd)} {'is' if len(odd) == 1 else 'are'} not read as row and column of a plate (A01)"
        yield Finding("note", "wells", f"{text}, so layouts and edges leave them out.")
    plate = evidence.plate
    if plate is None:
        return
    off = [name for name, well in evidence.places.items() if well.row >= plate.rows or well.column >= plate.columns]
    if off:
        text = f"A plate of {plate.wells} wells has no {listed(off)}; correct the wells, or plate_wells"
        yield Finding("error", "wells", f"{text} in study.toml.")


def check_excluded(evidence: Evidence) -> Iterator[Finding]:
    """Yield reasons without leaving out and the reverse, and conditions of which more are left out than of others."""
    images = evidence.images
    silent = images.loc[images["excluded"] & (images["reason"] == ""), "image"]
    if len(silent):
        text = f"Left out without a reason: {counted(len(silent), 'image')} ({listed(silent)})"
        yield Finding("warning", "excluded", f"{text}; a reader will ask for it.")
    kept = images.loc[~images["excluded"] & (images["reason"] != ""), "image"]
    if len(kept):
        text = f"There is a reason, but no yes in the column excluded: {counted(len(kept), 'image')} ({listed(kept)})"
        yield Finding("warning", "excluded", f"{text}; what has only a reason is analysed. Write yes, or drop it.")
    if "condition" not in images.columns or not images["excluded"].any():
        return
    shares = images.groupby("condition", sort=False)["excluded"].mean()
    for name in shares.index[shares == 1]:
        yield Finding("warning", "excluded", f"All images of {name} are left out, so it is in no comparison.")
    part = shares[shares < 1]
    if len(part) > 1 and part.max() - part.min() >= _SHARE:
        text = f"Of {part.idxmax()} {part.max():.0%} of the images are left out, of {part.idxmin()} {part.min():.0%}"
        yield Finding("warning", "excluded", f"{text}; leaving out by what one sees can make an effect.")


def check_headers(evidence: Evidence) -> Iterator[Finding]:
    """Yield differences in pixel size and exposure, and files that cannot be opened."""
    headers = evidence.found.headers
    if headers.empty:
        return
    broken = headers.loc[~headers["readable"].astype(bool), "image"]
    if len(broken):
        text = f"{counted(len(broken), 'image')} cannot be opened: {listed(broken)}; leave them out with a reason."
        yield Finding("warning", "files", text)
    used = headers[headers["image"].isin(evidence.used["image"]) & headers["readable"].astype(bool)]
    sizes = used["pixel_size_um"].map(lambda size: "unknown" if pd.isna(size) else f"{size:.4g} µm")
    for name, values in (("pixel size", sizes), ("exposure (ms)", used["exposure_ms"].fillna("unknown"))):
        counts = values.value_counts()
        if len(counts) > 1:
            said = listed(f"{value} in {counted(number, 'image')}" for value, number in counts.items())
            what = "sizes in µm" if name == "pixel size" else "intensities"
            text = f"Images differ in their {name}: {said}; {what} cannot be compared unless that is meant."
            yield Finding("warning", name.partition(" ")[0], text)


def check_files(evidence: Evidence) -> Iterator[Finding]:
    """Yield that files do not fit the pattern and are in no image."""
    if evidence.found.unmatched:
        yield Finding("note", "files", f"{evidence.found.unmatched} They are no part of the study.")
