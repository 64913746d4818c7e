"""What a generated EdU study is asked to hold: conditions with known effects, and how replicates differ."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from cellmetry.core.step import Parameters

__all__ = ["CONDITIONS", "EduCondition", "EduOptions"]


_ROOM = 0.72
"""Cells for each square of their diameter that find a place at random with room to spare."""


class EduCondition(Parameters):
    """A condition with what is true of it."""

    name: str = Field(min_length=1)
    """As it stands in tables."""
    fraction: float = Field(gt=0, lt=1)
    """Part of all cells that have taken up EdU: mean over all replicates that could be made."""
    intensity: float = Field(gt=0, le=20_000)
    """Mean EdU of the nuclei of such cells above the background, in counts of the camera."""
    number: float = Field(default=1.0, gt=0, le=3)
    """Number of cells as a part of the usual one."""


CONDITIONS = (
    EduCondition(name="vehicle", fraction=0.35, intensity=900),
    EduCondition(name="growth factor", fraction=0.55, intensity=1100, number=1.25),
    EduCondition(name="serum-free", fraction=0.15, intensity=800, number=0.8),
    EduCondition(name="inhibitor low", fraction=0.25, intensity=700, number=0.95),
    EduCondition(name="inhibitor high", fraction=0.08, intensity=550, number=0.7),
    EduCondition(name="inhibitor + factor", fraction=0.45, intensity=850, number=1.1),
)
"""The six conditions of the example, as columns 01 to 06 of the plate."""


class EduOptions(Parameters):
    """Plate, effects, and what differs between replicates of a generated EdU study."""

    conditions: tuple[EduCondition, ...] = Field(default=CONDITIONS, min_length=1, max_length=24)
    """One for each column of the plate."""
    replicates: int = Field(default=3, ge=1, le=8)
    """Rows of the plate: each is a repeat on another day."""
    fields: int = Field(default=2, ge=1, le=9)
    """Fields of view of each well."""
    shape: tuple[int, int] = (512, 512)
    """Height and width of a field in pixels."""
    pixel_size_um: float = Field(default=0.65, gt=0)
    """Side of a pixel."""
    diameter_px: float = Field(default=44.0, ge=30, le=80)
    """Usual diameter of a cell; its nucleus has about 0.4 of it."""
    cells: float = Field(default=65.0, ge=1, le=4000)
    """Usual number of cells whose nucleus lies in a field."""
    hidden: float = Field(default=0.1, ge=0, le=0.5)
    """Part of all cells that phase contrast does not show (very flat ones); they take up EdU less often."""
    fraction_sd: float = Field(default=0.04, gt=0, le=0.2)
    """Standard deviation among replicates of a fraction whose mean is one half; less for smaller and larger ones."""
    intensity_sd: float = Field(default=0.12, ge=0, le=1)
    """Standard deviation among replicates of the logarithm of the intensity."""
    number_sd: float = Field(default=0.12, ge=0, le=1)
    """Standard deviation among replicates of the logarithm of the number of cells."""
    cell_sd: float = Field(default=0.25, ge=0, le=1)
    """Standard deviation of the logarithm of the intensity among the positive cells of a well."""
    day_share: float = Field(default=0.5, ge=0, le=1)
    """Part of the variance among replicates that all conditions of a day share."""
    look: int = Field(default=18, ge=0)
    """Number of the cell line and microscope: the same look in all fields, whatever the seed."""
    seed: int = Field(default=0, ge=0)
    """The same seed gives the same study."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [condition.name for condition in self.conditions]
        if len(set(names)) < len(names):
            raise ValueError(f"two conditions have one name in {names}")
        if not 128 <= min(self.shape) <= max(self.shape) <= 4096:
            raise ValueError(f"the sides of a field have 128 to 4096 pixels, not {self.shape}")
        most = max(condition.number for condition in self.conditions) * self.cells
        room = _ROOM * self.shape[0] * self.shape[1] / self.diameter_px**2
        if most > room:
            raise ValueError(
                f"{most:.0f} cells of {self.diameter_px:g} px have no room in {self.shape}; at most {room:.0f} have"
            )
        return self
