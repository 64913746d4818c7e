"""How pictures of a plane look: declared apart from what draws them, so that reading a recipe loads no plots."""

from __future__ import annotations

from pydantic import Field

from cellmetry.core.step import Parameters

__all__ = ["DrawingOptions", "OverlayOptions"]


class DrawingOptions(Parameters):
    """How large a picture is and what is written on it."""

    outlines: bool = Field(default=True, description="Whether to draw outlines, inside the objects.")
    outline_px: float | None = Field(
        default=None,
        gt=0,
        le=50,
        description="Width of outlines in pixels of the picture; fitting its size if left out.",
    )
    ids: bool = Field(default=True, description="Whether to write the ids into the objects.")
    smallest_id_px: float = Field(
        default=18.0, ge=0, description="No ids where objects are narrower than this many pixels of the picture."
    )
    scale_bar: bool = Field(default=True, description="Whether to draw a scale bar, on pictures of 64 pixels or more.")
    place: bool = Field(default=True, description="Whether to write which time point and plane of a stack is shown.")
    longest_side: int = Field(
        default=2048, ge=64, le=16384, description="Larger images are shrunk to this many pixels by averaging."
    )
    enlarge_to: int = Field(
        default=1200, ge=1, le=16384, description="Smaller images are enlarged by whole steps up to this many pixels."
    )


class OverlayOptions(DrawingOptions):
    """How an overlay looks."""

    channels: tuple[int | str, ...] = Field(default=(), description="Channels to show, by name or index; all if empty.")
    colours: tuple[str, ...] = Field(
        default=(), description="Colour '#rrggbb' of each shown channel; those of the file or safe ones if empty."
    )
    limits: tuple[tuple[float, float], ...] = Field(
        default=(),
        description="Values shown as black and as full colour, for each shown channel; percentiles if empty.",
    )
    low_percentile: float = Field(default=1.0, ge=0, le=100, description="Percentile of the pixels shown as black.")
    high_percentile: float = Field(
        default=99.8, ge=0, le=100, description="Percentile of the pixels shown as full colour."
    )
    outline_colour: str | None = Field(
        default=None, description="Colour '#rrggbb' of all outlines; a colour for each object if left out."
    )
