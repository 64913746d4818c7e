"""Example fields of conditions: channels side by side in grey at equal contrast, outlines, a scale bar, a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.report.annotations import draw_caption, round_scale_bar
from cellmetry.report.composite import contrast_limits
from cellmetry.report.drawing_options import OverlayOptions
from cellmetry.report.overlay import draw_overlay, draw_picture
from cellmetry.report.rendering import choose_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["ExampleField", "ExampleOptions", "describe_example", "draw_example", "shared_limits"]

_GAP_PX = 6


class ExampleOptions(Parameters):
    """How the example pictures of conditions look."""

    labels: str | None = "cells"
    """Labels whose outlines are drawn; none if null."""
    channels: tuple[str, ...] = ()
    """Channels to show side by side, by name or index; all if empty."""
    low_percentile: float = Field(default=0.5, ge=0, lt=50)
    """Percentile of the pixels of all shown fields together that is black."""
    high_percentile: float = Field(default=99.8, gt=50, le=100)
    """Percentile of the pixels of all shown fields together that is white."""
    outline_colour: str | None = "#F0E442"
    """Colour of the outlines as #rrggbb; another for each object if null."""
    outline_px: float | None = Field(default=None, gt=0, le=50)
    """Width of outlines in pixels of the picture; fitting its size if left out."""
    panel_px: int = Field(default=640, ge=64, le=4096)
    """Longest side of a channel's panel; larger fields are shrunk to it, smaller ones are never enlarged."""
    value_name: str = "the compared value"
    """What the value is called in captions."""


class ExampleField(NamedTuple):
    """A field that stands for its condition.

    Parameters
    ----------
    condition
        For which it stands.
    image
        The field.
    labels
        Whose outlines are drawn; none if not wanted.
    value
        Its value.
    of
        How many fields the condition has.
    """

    condition: str
    image: Image
    labels: Labels | None
    value: float
    of: int


Limits = dict[str, tuple[float, float]]
"""Values shown as black and as white, by channel."""


def shared_limits(fields: Sequence[ExampleField], options: ExampleOptions) -> Limits:
    """Return the limits of each channel, percentiles of the pixels of all fields together; none of colour pictures."""
    pixels: dict[str, list[NDArray[np.float32]]] = {}
    for field in fields:
        t, z = _middle(field)
        view = choose_view(field.image, _looks(options), t=t, z=z)
        for name in _channels(field.image, options):
            plane = view.plane(field.image.channel_index(name))
            pixels.setdefault(name, []).append(plane.astype(np.float32).ravel())
    shares = options.low_percentile, options.high_percentile
    return {name: contrast_limits(np.concatenate(parts), *shares) for name, parts in pixels.items()}


def draw_example(field: ExampleField, limits: Limits, options: ExampleOptions) -> NDArray[np.uint8]:
    """Return the panels of a field from left to right, uint8 (Y, X, 3); the scale bar is on the first."""
    if not limits:
        return _panel(field, _looks(options))
    panels = [
        draw_caption(_panel(field, _looks(options, name, limit, scale_bar=number == 0)), name)
        for number, (name, limit) in enumerate(limits.items())
    ]
    gap = np.full((panels[0].shape[0], _GAP_PX, 3), 255, np.uint8)
    return np.concatenate([part for panel in panels for part in (gap, panel)][1:], axis=1)


def describe_example(field: ExampleField, limits: Limits, options: ExampleOptions) -> str:
    """Return the legend of a field: which it is, why this one, what black and white mean, what is drawn."""
    fields = "its only field" if field.of == 1 else f"the one of {field.of} fields nearest to their median"
    shown = "; ".join(f"{name} {_number(low)} to {_number(high)}" for name, (low, high) in limits.items())
    drawn = "" if field.labels is None else f" Outlines: {options.labels}."
    contrast = f"Black to white, the same in all conditions: {shown}." if limits else "Colours as stored."
    return (
        f"{field.condition}: field {field.image.name}, {fields} in {options.value_name} ({field.value:.4g})."
        f"{_place(field)} {contrast}{drawn} {_bar(field, options)}"
    )


def _bar(field: ExampleField, options: ExampleOptions) -> str:
    """Return how long the scale bar is."""
    view = choose_view(field.image, _looks(options), t=0, z=0)
    factor, um = view.scaling.factor, field.image.pixel_size.x
    bar = round_scale_bar(round(field.image.sizes["X"] * factor), None if um is None else um / factor, 1 / factor)
    return f"Scale bar {bar.text}" + ("." if um is not None else "; the size of a pixel is not known.")


def _panel(field: ExampleField, looks: OverlayOptions) -> NDArray[np.uint8]:
    t, z = _middle(field)
    if field.labels is None:
        return draw_picture(field.image, looks, t=t, z=z)
    return draw_overlay(field.image, field.labels, looks, t=t, z=z)


def _place(field: ExampleField) -> str:
    places = [
        f"{word} {at + 1} of {field.image.sizes[axis]}"
        for axis, word, at in zip("TZ", ("frame", "plane"), _middle(field), strict=True)
        if axis in field.image.axes
    ]
    return f" {' and '.join(places).capitalize()}." if places else ""


def _middle(field: ExampleField) -> tuple[int, int]:
    """Return frame and plane in the middle."""
    return field.image.sizes["T"] // 2, field.image.sizes["Z"] // 2


def _channels(image: Image, options: ExampleOptions) -> tuple[str, ...]:
    chosen = options.channels or (() if image.colour else image.channel_names)
    return tuple(image.channel_names[image.channel_index(name)] for name in chosen)


def _looks(
    options: ExampleOptions,
    channel: str | None = None,
    limits: tuple[float, float] = (0, 1),
    *,
    scale_bar: bool = True,
) -> OverlayOptions:
    """Return how a panel looks: one channel in grey, or the image as it is."""
    shown = {} if channel is None else {"channels": (channel,), "limits": (limits,), "colours": ("#ffffff",)}
    return OverlayOptions.model_validate(
        {
            "ids": False,
            "place": False,
            "scale_bar": scale_bar,
            "outline_colour": options.outline_colour,
            "outline_px": options.outline_px,
            "longest_side": options.panel_px,
            "enlarge_to": 1,
            **shown,
        }
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
