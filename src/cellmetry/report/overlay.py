"""Overlays: the image as a picture, with the outline and id of every object and a scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.errors import ParameterError
from cellmetry.report.colours import channel_colours, colour_bytes, object_colours
from cellmetry.report.composite import contrast_limits, mix_channels, show_colour, stretch
from cellmetry.report.drawing_options import OverlayOptions
from cellmetry.report.outlines import draw_outlines, rim_brightness
from cellmetry.report.rendering import (
    add_ids,
    add_place,
    add_scale_bar,
    choose_view,
    enlarged,
    line_width,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.report.outlines import ObjectMap
    from cellmetry.report.rendering import View

__all__ = ["draw_overlay", "draw_picture", "render_channels"]

_BRIGHT = 0.5


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
    view = choose_view(image, options, t=t, z=z)
    objects = view.objects(labels)
    rgb = render_channels(view, options)
    if options.outlines:
        width = options.outline_px or line_width(objects)
        rgb = draw_outlines(rgb, objects, _outline_colours(rgb, objects, options), width=width)
    rgb = add_place(add_ids(rgb, objects, options), view, options)
    return add_scale_bar(rgb, view, objects, options)


def draw_picture(image: Image, options: OverlayOptions | None = None, *, t: int = 0, z: int = 0) -> NDArray[np.uint8]:
    """Return the same picture without any objects."""
    options = options or OverlayOptions()
    view = choose_view(image, options, t=t, z=z)
    return add_scale_bar(render_channels(view, options), view, None, options)


def render_channels(view: View, options: OverlayOptions) -> NDArray[np.uint8]:
    """Return the plane itself as a picture, its channels mixed in their colours, uint8 of shape (Y, X, 3)."""
    image, times = view.image, view.scaling.enlarge
    shown = [image.channel_index(channel) for channel in options.channels] or list(range(len(image.channels)))
    for name in ("colours", "limits"):
        given = len(getattr(options, name))
        if given not in (0, len(shown)):
            raise ParameterError(f"{name} has {given} entries for {len(shown)} shown channels; give one for each.")
    planes = [view.plane(c) for c in shown]
    if image.colour and not options.channels:
        return enlarged(show_colour(planes, image.bit_depth, image.dtype), times)
    limits = options.limits or [contrast_limits(p, options.low_percentile, options.high_percentile) for p in planes]
    colours = options.colours or channel_colours([image.channels[c] for c in shown])
    stretched = [stretch(plane, limit) for plane, limit in zip(planes, limits, strict=True)]
    return enlarged(mix_channels(stretched, colours), times)


def _outline_colours(rgb: NDArray[np.uint8], objects: ObjectMap, options: OverlayOptions) -> NDArray[np.uint8]:
    if options.outline_colour is None:
        return object_colours(objects.ids, on_dark=rim_brightness(rgb, objects) < _BRIGHT)
    return np.broadcast_to(colour_bytes(options.outline_colour), (len(objects.ids), 3))
