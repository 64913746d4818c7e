"""Overlays: the image as a picture, with the outline and id of every object and a scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.ops.label_checks import check_same_size
from cellmetry.report.annotations import draw_caption, draw_ids, draw_scale_bar, emptier_side, round_scale_bar
from cellmetry.report.colours import channel_colours, object_colours, parse_colour
from cellmetry.report.composite import contrast_limits, mix_channels, show_colour, stretch
from cellmetry.report.outlines import draw_outlines, map_objects, rim_brightness
from cellmetry.report.sampling import choose_scaling, sample_labels, sample_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.report.outlines import ObjectMap
    from cellmetry.report.sampling import Scaling

__all__ = ["OverlayOptions", "draw_overlay", "draw_picture"]

_LINE_SHARE = 1 / 520
_BRIGHT = 0.5
_SMALLEST_WITH_BAR = 64


class OverlayOptions(Parameters):
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
    outlines: bool = Field(default=True, description="Whether to draw outlines, inside the objects.")
    outline_colour: str | None = Field(
        default=None, description="Colour '#rrggbb' of all outlines; a colour for each object if left out."
    )
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


def draw_overlay(
    image: Image, labels: Labels, options: OverlayOptions | None = None, *, t: int = 0, z: int = 0
) -> NDArray[np.uint8]:
    """Return a picture of one plane with the outlines and ids of its objects, uint8 of shape (Y, X, 3).

    Raises
    ------
    LabelsError
        If the labels are of another size than the image.
    ParameterError
        If the options do not fit the channels.
    """
    options = options or OverlayOptions()
    check_same_size(labels, image)
    scaling = _scaling(image, options)
    rgb = _render(image, options, scaling, (t, z))
    objects = map_objects(_enlarged(sample_labels(labels, scaling.reduce, t=t, z=z), scaling.enlarge))
    if options.outlines:
        width = options.outline_px or _line_width(objects)
        rgb = draw_outlines(rgb, objects, _outline_colours(rgb, objects, options), width=width)
    if options.ids:
        rgb = draw_ids(rgb, objects, smallest_px=options.smallest_id_px)
    rgb = _with_place(rgb, image, t, z) if options.place else rgb
    return _with_scale_bar(rgb, image, scaling, objects) if options.scale_bar else rgb


def _with_place(rgb: NDArray[np.uint8], image: Image, t: int, z: int) -> NDArray[np.uint8]:
    """Return the picture of a stack with the place of its plane, counted from 1, written on it."""
    places = [f"{axis} {at + 1} of {image.sizes[axis]}" for axis, at in (("T", t), ("Z", z)) if axis in image.axes]
    large = min(rgb.shape[:2]) >= _SMALLEST_WITH_BAR
    return draw_caption(rgb, ", ".join(places)) if places and large else rgb


def draw_picture(image: Image, options: OverlayOptions | None = None, *, t: int = 0, z: int = 0) -> NDArray[np.uint8]:
    """Return the same picture without any objects."""
    options = options or OverlayOptions()
    scaling = _scaling(image, options)
    rgb = _render(image, options, scaling, (t, z))
    return _with_scale_bar(rgb, image, scaling, None) if options.scale_bar else rgb


def _scaling(image: Image, options: OverlayOptions) -> Scaling:
    return choose_scaling(image, largest=options.longest_side, smallest=options.enlarge_to)


def _render(image: Image, options: OverlayOptions, scaling: Scaling, place: tuple[int, int]) -> NDArray[np.uint8]:
    shown = [image.channel_index(channel) for channel in options.channels] or list(range(len(image.channels)))
    for name in ("colours", "limits"):
        given = len(getattr(options, name))
        if given not in (0, len(shown)):
            raise ParameterError(f"{name} has {given} entries for {len(shown)} shown channels; give one for each.")
    t, z = place
    planes: list[NDArray[Any]] = [sample_plane(image, scaling.reduce, t=t, c=c, z=z) for c in shown]
    if image.colour and not options.channels:
        return _enlarged(show_colour(planes, image.bit_depth, image.dtype), scaling.enlarge)
    limits = options.limits or [contrast_limits(p, options.low_percentile, options.high_percentile) for p in planes]
    colours = options.colours or channel_colours([image.channels[c] for c in shown])
    stretched = [stretch(plane, limit) for plane, limit in zip(planes, limits, strict=True)]
    return _enlarged(mix_channels(stretched, colours), scaling.enlarge)


def _enlarged(plane: NDArray[Any], times: int) -> NDArray[Any]:
    return plane if times == 1 else plane.repeat(times, axis=0).repeat(times, axis=1)


def _outline_colours(rgb: NDArray[np.uint8], objects: ObjectMap, options: OverlayOptions) -> NDArray[np.uint8]:
    if options.outline_colour is None:
        return object_colours(objects.ids, on_dark=rim_brightness(rgb, objects) < _BRIGHT)
    one = np.rint(parse_colour(options.outline_colour) * 255).astype(np.uint8)
    return np.broadcast_to(one, (len(objects.ids), 3))


def _line_width(objects: ObjectMap) -> float:
    """Return a width that grows with the picture but leaves the inside of the usual object free."""
    fitting = max(1.0, max(objects.numbers.shape) * _LINE_SHARE)
    widths = objects.widths[1:]
    usual = float(np.median(widths)) if len(widths) else np.inf
    return float(np.clip(usual / 9, 1.0, fitting))


def _with_scale_bar(
    rgb: NDArray[np.uint8], image: Image, scaling: Scaling, objects: ObjectMap | None
) -> NDArray[np.uint8]:
    if min(rgb.shape[:2]) < _SMALLEST_WITH_BAR:
        return rgb
    um = None if image.pixel_size.x is None else image.pixel_size.x / scaling.factor
    bar = round_scale_bar(rgb.shape[1], um, 1 / scaling.factor)
    return draw_scale_bar(rgb, bar, emptier_side(objects))
