"""What a generated field is asked to look like."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from cellmetry.core.step import Parameters

__all__ = ["KINDS", "STYLES", "USUAL_DIAMETERS", "CellShape", "FieldLook", "Kind", "Range"]

Kind = Literal["nuclei", "cells", "phase", "brightfield", "tissue"]
"""Kind of microscopy."""

CellShape = Literal["spread", "spindle", "confluent", "round"]
"""Shape of living cells."""

Range = tuple[float, float]
"""Lowest and highest value between which a field's value is drawn."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""All kinds, in the order in which they are described."""

STYLES: dict[Kind, tuple[str, ...]] = {
    "nuclei": ("plain", "spotted", "crowded"),
    "cells": ("sheet", "spread", "round"),
    "phase": ("spread", "spindle", "confluent", "round"),
    "brightfield": ("defocus", "relief"),
    "tissue": ("tissue", "smear", "blood"),
}
"""Looks that each kind has."""


USUAL_DIAMETERS: dict[Kind, Range] = {
    "nuclei": (8.0, 90.0),
    "cells": (14.0, 100.0),
    "phase": (20.0, 110.0),
    "brightfield": (16.0, 100.0),
    "tissue": (9.0, 80.0),
}
"""Mean diameters at which each kind is usually seen, in pixels."""


_LARGEST = 8192


class FieldLook(Parameters):
    """How generated fields look; what is a range is drawn anew for each field."""

    kind: Kind = "nuclei"
    """Kind of microscopy."""
    style: str | None = None
    """One of the kind's looks (`STYLES`); None draws one for each field."""
    cell_shape: CellShape | None = None
    """Shape of the cells of brightfield fields; None draws one for each field. Of phase contrast the style says it."""
    shape: tuple[int, int] = (256, 256)
    """Height and width of the image, in pixels."""
    diameter_px: Range | None = None
    """Range of the fields' mean diameter of a cell, in pixels, drawn on a logarithmic scale; None = usual."""
    density: Range = (0.2, 1.0)
    """Range of the part of the field that holds cells as densely as they can lie."""
    noise: Range = (0.4, 2.0)
    """Range of the noise; 1 is what a good camera shows in a usual exposure."""
    blur: Range = (0.5, 2.0)
    """Range of the blur; 1 is what a good objective shows at the cells' size."""
    contrast: Range = (0.5, 1.5)
    """Range of the contrast of cells; 1 is usual."""
    inverted: float = Field(default=0.0, ge=0, le=1)
    """Part of the fields whose image is turned from bright to dark."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.style is not None and self.style not in STYLES[self.kind]:
            raise ValueError(f"{self.kind} has no style {self.style!r}; it has {', '.join(STYLES[self.kind])}")
        if not 16 <= min(self.shape) <= max(self.shape) <= _LARGEST:
            raise ValueError(f"the sides of a field have 16 to {_LARGEST} pixels, not {self.shape}")
        for name in ("diameters", "density", "noise", "blur", "contrast"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name} is a range (low, high) with 0 <= low <= high, not {(low, high)}")
        if self.density[1] > 1:
            raise ValueError(f"a density is at most 1, which leaves no room, not {self.density[1]:g}")
        if self.diameters[0] < 4:
            raise ValueError(f"cells are at least 4 pixels wide, not {self.diameters[0]:g}")
        return self

    @property
    def diameters(self) -> Range:
        """Range of the fields' mean diameter of a cell, in pixels."""
        return self.diameter_px or USUAL_DIAMETERS[self.kind]
