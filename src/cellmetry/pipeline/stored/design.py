"""`check_said_design`: what the study says of its images, looked at as a design before anything is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.pipeline.jobs.gathering import said_columns
from cellmetry.study.design.checks import check_design
from cellmetry.study.design.metadata import design_table
from cellmetry.study.file import DesignSection
from cellmetry.study.images import StudyImages
from cellmetry.study.store.images import images
from cellmetry.study.store.said import is_excluded, pixel_sides_um

if TYPE_CHECKING:
    from cellmetry.study.design.design import Finding
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = ["check_said_design"]


def check_said_design(store: Store, control: str | None = None) -> tuple[Finding, ...]:
    """Return what is wrong or doubtful with the design that a study says, errors first; nothing is kept.

    Parameters
    ----------
    control
        Condition with which others are to be compared.
    """
    shown = images(store)
    usable = [each for each in shown if each.state != "failed"]
    if not usable:
        return ()
    table = said_columns(store, {each.id: each.name for each in usable}).astype(object)
    table = table.where(table.notna(), None)
    if "excluded" in table:
        table["excluded"] = table["excluded"].map({True: "yes"}).astype(object)
    said = DesignSection(control=control)
    told = [each for each in shown if each.state != "failed" or not is_excluded(store, each.id)]
    headers = pd.DataFrame([_stated(store, each) for each in told])
    return check_design(design_table(table, said, store.folder), said, StudyImages(table, headers))


def _stated(store: Store, image: StoredImage) -> dict[str, object]:
    """Return what an image's file states, or people say in its place."""
    header, sides = image.header, pixel_sides_um(store, image)
    exposures = header.get("settings", {}).get("exposure_ms")
    return {
        "image": image.name,
        "pixel_size_um": None if sides is None else sides[1],
        "exposure_ms": None if exposures is None else str(exposures),
        "n_channels": len(header.get("channels", ())),
        "readable": image.state != "failed",
        "content": f"{image.sha256} {image.source.get('scene')}",
    }
