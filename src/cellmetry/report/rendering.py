"""What all pictures of a plane share: its size as a picture, ids, its place in a stack, a scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.ops.label_checks import check_same_size
from cellmetry.report.annotations import draw_caption, draw_ids, draw_scale_bar, emptier_side, round_scale_bar
from cellmetry.report.outlines import map_objects
from cellmetry.report.sampling import choose_scaling, sample_labels, sample_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.report.drawing_options import DrawingOptions
    from cellmetry.report.outlines import ObjectMap
    from cellmetry.report.sampling import Scaling

__all__ = ["View", "add_ids", "add_place", "add_scale_bar", "choose_view", "enlarged", "line_width"]

_LINE_SHARE = 1 / 520
_SMALLEST_WITH_BAR = 64


class View(NamedTuple):
    """Which plane of an image is drawn, and how it becomes a picture."""

    image: Image
    scaling: Scaling
    t: int
    z: int

    def plane(self, channel: int) -> NDArray[Any]:
        """Return a channel at the reduced size, not yet enlarged, shape (Y, X)."""
        return sample_plane(self.image, self.scaling.reduce, t=self.t, c=channel, z=self.z)

    def objects(self, labels: Labels) -> ObjectMap:
        """Return where the objects lie on the picture.

        Raises
        ------
        LabelsError
            If the labels are of another size than the image.
        """
        check_same_size(labels, self.image)
        ids = sample_labels(labels, self.scaling.reduce, t=self.t, z=self.z)
        return map_objects(enlarged(ids, self.scaling.enlarge))


def choose_view(image: Image, options: DrawingOptions, *, t: int, z: int) -> View:
    """Return the view of a plane that has the size asked for."""
    return View(image, choose_scaling(image, largest=options.longest_side, smallest=options.enlarge_to), t, z)


def enlarged(plane: NDArray[Any], times: int) -> NDArray[Any]:
    """Return `plane` with each pixel repeated `times` × `times` times."""
    return plane if times == 1 else plane.repeat(times, axis=0).repeat(times, axis=1)


def line_width(objects: ObjectMap) -> float:
    """Return a width that grows with the picture but leaves the inside of the usual object free."""
    fitting = max(1.0, max(objects.numbers.shape) * _LINE_SHARE)
    widths = objects.widths[1:]
    usual = float(np.median(widths)) if len(widths) else np.inf
    return float(np.clip(usual / 9, 1.0, fitting))


def add_ids(rgb: NDArray[np.uint8], objects: ObjectMap, options: DrawingOptions) -> NDArray[np.uint8]:
    """Return the picture with the ids of its objects, if they are wanted."""
    return draw_ids(rgb, objects, smallest_px=options.smallest_id_px) if options.ids else rgb


def add_place(rgb: NDArray[np.uint8], view: View, options: DrawingOptions) -> NDArray[np.uint8]:
    """Return the picture of a stack with the place of its plane, counted from 1, written on it, if it is wanted."""
    at = {"T": view.t, "Z": view.z}
    places = [f"{axis} {at[axis] + 1} of {view.image.sizes[axis]}" for axis in at if axis in view.image.axes]
    large = min(rgb.shape[:2]) >= _SMALLEST_WITH_BAR
    return draw_caption(rgb, ", ".join(places)) if options.place and places and large else rgb


def add_scale_bar(
    rgb: NDArray[np.uint8], view: View, objects: ObjectMap | None, options: DrawingOptions
) -> NDArray[np.uint8]:
    """Return the picture with a scale bar where fewer objects lie, if it is wanted and the picture is large enough."""
    if not options.scale_bar or min(rgb.shape[:2]) < _SMALLEST_WITH_BAR:
        return rgb
    factor = view.scaling.factor
    um = None if view.image.pixel_size.x is None else view.image.pixel_size.x / factor
    return draw_scale_bar(rgb, round_scale_bar(rgb.shape[1], um, 1 / factor), emptier_side(objects))
