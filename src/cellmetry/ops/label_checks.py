"""What may be wrong with a label image before it is measured, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.errors import LabelsError
from cellmetry.ops.relabel import parts_per_id

if TYPE_CHECKING:
    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["check_same_size", "label_problems"]

_NAMED = 5


def check_same_size(labels: Labels, image: Image) -> None:
    """Return nothing if `labels` lie on the planes of `image`; axes of length 1 need not stand in both.

    Labels without Z or T fit an image with them: they stand for a projection or for every plane.

    Raises
    ------
    LabelsError
        If a size differs; names both.
    """
    found = dict(zip(labels.axes, labels.shape, strict=True))
    for axis, size in found.items():
        if size != image.sizes[axis] and not (axis in "TZ" and size == 1):
            words = " × ".join(f"{axis} {size}" for axis, size in found.items())
            expected = " × ".join(f"{axis} {image.sizes[axis]}" for axis in found)
            raise LabelsError(
                f"The labels ({words}) are not of the size of {image.name} ({expected}); "
                f"use the labels that were made from this image."
            )


def label_problems(labels: Labels) -> tuple[str, ...]:
    """Return a warning sentence for each thing that is doubtful in `labels`; empty if there is none.

    Reads all labels. Looks for ids that lie in several parts which do not touch, not even at a corner.
    """
    counts: dict[int, int] = {}
    for ids, parts in parts_per_id(labels):
        for identity, count in zip(ids[parts > 1].tolist(), parts[parts > 1].tolist(), strict=True):
            counts[identity] = max(counts.get(identity, 0), count)
    if not counts:
        return ()
    named = ", ".join(str(identity) for identity in sorted(counts)[:_NAMED])
    more = f" and {len(counts) - _NAMED} more" if len(counts) > _NAMED else ""
    noun = "object lies" if len(counts) == 1 else "objects lie"
    return (
        f"{len(counts)} {noun} in several parts that do not touch (id {named}{more}; up to "
        f"{int(np.max(list(counts.values())))} parts); each is measured as one object unless its parts are split "
        f"(step split_parts).",
    )
