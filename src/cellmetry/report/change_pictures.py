"""Pictures of what another model changed: an image with what each found, outlines coloured by whether it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.learn.image_scores import keep_annotated
from cellmetry.ops.matching import match_labels
from cellmetry.report.colours import colour_bytes
from cellmetry.report.composite import contrast_limits, mix_channels, stretch
from cellmetry.report.outlines import draw_outlines, map_objects
from cellmetry.report.rendering import enlarged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["CHANGE_COLOURS", "ChangePicture", "draw_change"]

CHANGE_COLOURS = {"right": "#4fe08a", "extra": "#ff5f57", "missed": "#ffc53d", "truth": "#ffffff"}
"""Colour of outlines by what became of an object; what is wrong also has a broader line."""

_SIDE = 512
_GRID = 32
_PANEL = 640


class ChangePicture(NamedTuple):
    """What several models found in an image.

    Parameters
    ----------
    counts
        By the name of the finding: how many objects of the whole image are right, extra and missed.
    panels
        The same part of the image with the outlines of each finding, and of the truth; uint8 (Y, X, 3).
    """

    counts: dict[str, dict[str, int]]
    panels: dict[str, NDArray[np.uint8]]


def draw_change(
    plane: NDArray[Any],
    truth: NDArray[Any],
    found: Mapping[str, NDArray[Any]],
    annotated: NDArray[np.bool_] | None = None,
) -> ChangePicture:
    """Return a picture of findings beside the truth, of the part of an image where they differ most.

    Parameters
    ----------
    found
        Labels by the name of the finding, of the shape of the image.
    annotated
        Where the truth is known; None for everywhere.
    """
    if annotated is not None:
        truth = keep_annotated(truth, annotated)
        found = {name: keep_annotated(labels, annotated) for name, labels in found.items()}
    judged = {name: _Judged.of(truth, labels) for name, labels in found.items()}
    box = _most_change(truth.shape, [each.wrong for each in judged.values()])
    part = (slice(box.y0, box.y1), slice(box.x0, box.x1))
    times = max(1, round(_PANEL / max(box.y1 - box.y0, box.x1 - box.x0)))
    cut = plane[part]
    ground = enlarged(mix_channels([stretch(cut, contrast_limits(cut, 0.5, 99.8))], ["#ffffff"]), times)
    panels = {name: each.drawn(ground, part, times) for name, each in judged.items()}
    panels["truth"] = _lines(ground, enlarged(truth[part], times), "truth", 1.5)
    return ChangePicture({name: each.counts for name, each in judged.items()}, panels)


class _Judged(NamedTuple):
    """The objects of a finding that are right and those that are not, and the true ones that it missed."""

    right: NDArray[Any]
    extra: NDArray[Any]
    missed: NDArray[Any]
    counts: dict[str, int]

    @classmethod
    def of(cls, truth: NDArray[Any], labels: NDArray[Any]) -> _Judged:
        matching = match_labels(truth, labels)
        right = np.isin(labels, matching.pairs[:, 1]) & (labels > 0)
        hit = np.isin(truth, matching.pairs[:, 0])
        counts = {"right": matching.tp, "extra": matching.fp, "missed": matching.fn}
        return cls(labels * right, labels * ~right, truth * ~hit, counts)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Where it errs."""
        return (self.extra > 0) | (self.missed > 0)

    def drawn(self, rgb: NDArray[np.uint8], part: tuple[slice, slice], times: int) -> NDArray[np.uint8]:
        """Return the picture with the outlines of a part."""
        for kind, width in (("right", 1.5), ("missed", 2.5), ("extra", 2.5)):
            rgb = _lines(rgb, enlarged(getattr(self, kind)[part], times), kind, width)
        return rgb


def _lines(rgb: NDArray[np.uint8], labels: NDArray[Any], kind: str, width: float) -> NDArray[np.uint8]:
    objects = map_objects(np.ascontiguousarray(labels, np.uint32))
    colours = np.tile(colour_bytes(CHANGE_COLOURS[kind]), (len(objects.ids), 1))
    return draw_outlines(rgb, objects, colours, width=width)


def _most_change(shape: tuple[int, ...], wrong: list[NDArray[np.bool_]]) -> Box:
    """Return the square in which one finding errs and another does not at most pixels, or else the first that errs."""
    differs = np.logical_xor.reduce(wrong) if len(wrong) > 1 else wrong[0]
    if not differs.any():
        differs = np.logical_or.reduce(wrong)
    sums = np.pad(differs, ((1, 0), (1, 0))).astype(np.int64).cumsum(0).cumsum(1)
    sides = [min(_SIDE, size) for size in shape]
    starts = [np.unique([*range(0, size - side, _GRID), size - side]) for size, side in zip(shape, sides, strict=True)]
    y, x = np.meshgrid(*starts, indexing="ij")
    inside = sums[y + sides[0], x + sides[1]] - sums[y, x + sides[1]] - sums[y + sides[0], x] + sums[y, x]
    best = int(inside.argmax())
    y0, x0 = int(y.flat[best]), int(x.flat[best])
    return Box(y0, y0 + sides[0], x0, x0 + sides[1])
