"""How the figures of a comparison look: the one list of a figure's parameters, part of the recipe."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from cellmetry.core.step import Parameters

__all__ = ["FigureStyle"]


class FigureStyle(Parameters):
    """Fonts, sizes, colours and labels of the figures of a comparison."""

    width_mm: float = Field(default=85.0, gt=20, le=400)
    """Width of a figure in print: 85 is one column of most journals, 174 two."""
    height_mm: float | None = Field(default=None, gt=20, le=400)
    """Height in print; 0.8 of the width if left out."""
    font: str = "DejaVu Sans"
    """Font by its name; the nearest that is installed is never taken in its place: a missing one is an error."""
    font_size_pt: float = Field(default=8.0, ge=4, le=24)
    """Size of the letters in print."""
    formats: tuple[Literal["png", "svg", "pdf"], ...] = ("png", "svg", "pdf")
    """Files that are written of each figure."""
    dpi: int = Field(default=300, ge=72, le=1200)
    """Resolution of PNG."""
    palette: tuple[str, ...] = Field(
        default=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"), min_length=1
    )
    """Colours of replicates (or groups) in turn: Okabe and Ito's, told apart by colour-blind readers."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What stands in figures in place of names of columns and conditions: ``{"mean_EdU": "EdU (a.u.)"}``."""
    most_points: int = Field(default=20_000, ge=100)
    """Points that a cloud of cells shows at most; of more a random part is drawn, and the figure says so."""
    hexagons_above: int = Field(default=3_000, ge=0)
    """Cells of two measures that are shown as points at most; more are counted in hexagons, none left out."""
    limits: tuple[float, float] | None = None
    """Ends of the axis of values; all cells fit if left out. Cells beyond are counted in figure and legend."""
    seed: int = Field(default=0, ge=0)
    """Start of the random numbers for that part and for the jitter of points."""

    @model_validator(mode="after")
    def _limits_rise(self) -> Self:
        if self.limits is not None and not self.limits[0] < self.limits[1]:
            raise ValueError("limits: the first must be below the second")
        return self
