"""What the checks of a design look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cellmetry.io.wells import PLATES, Plate, Well, parse_well, plate_of

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.study.file import DesignSection
    from cellmetry.study.images import StudyImages

__all__ = ["Evidence"]


@dataclass(frozen=True)
class Evidence:
    """A design with what a study says of it and what its files say.

    Parameters
    ----------
    images
        All images, one row each, with columns of a design.
    said
        The study's words about its design.
    found
        What files and their headers say.
    """

    images: pd.DataFrame
    said: DesignSection
    found: StudyImages

    @cached_property
    def used(self) -> pd.DataFrame:
        """Images that are analysed: not left out, with a condition; ``plate`` is there and empty if unknown."""
        kept = self.images[~self.images["excluded"]]
        kept = kept[kept["condition"].notna()] if "condition" in kept.columns else kept
        return kept.assign(plate=kept["plate"].fillna("") if "plate" in kept.columns else "")

    def has(self, *columns: str) -> bool:
        """Return whether the images that are analysed have all of these columns, with something in them."""
        there = [self.used[name] for name in columns if name in self.used.columns]
        return len(there) == len(columns) and all(bool((each.notna() & (each != "")).any()) for each in there)

    @cached_property
    def conditions(self) -> list[str]:
        """Conditions of the images that are analysed, in order of appearance."""
        return list(self.used["condition"].unique()) if self.has("condition") else []

    @cached_property
    def wells(self) -> pd.DataFrame:
        """One row for each well of each plate that is analysed; empty where wells are not known."""
        known = self.used.dropna(subset=["well"]) if self.has("well") else self.used.iloc[:0]
        return known.drop_duplicates(["plate", "well"]) if len(known) else known

    @cached_property
    def one_plate(self) -> bool:
        """Whether nothing tells that there is more than one plate; where plates have no names, batches count."""
        name = "plate" if self.has("plate") else "batch"
        return name not in self.used.columns or bool(self.used[name].nunique() <= 1)

    @cached_property
    def places(self) -> dict[str, Well]:
        """Places of the wells by their name, of those that are wells of a plate."""
        names = self.images["well"].dropna().unique() if "well" in self.images.columns else ()
        return {name: well for name in names if (well := parse_well(name)) is not None}

    @cached_property
    def plate(self) -> Plate | None:
        """Rows and columns of the plates; None where wells are not known."""
        if self.said.plate_wells is not None:
            return PLATES[self.said.plate_wells]
        return plate_of(list(self.places.values())) if self.places else None
