"""What is doubtful in counts, in plain sentences: why there is no interval, and where the counters disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.counting.combine import Counts, disagreement
from cellmetry.counting.table import counters_of, outside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.image import Image
    from cellmetry.counting.regions import CountedPlane, RegionCounts
    from cellmetry.counting.table import Number
    from cellmetry.models.count_calibration import CountCalibration

__all__ = ["doubts_of", "unfamiliar_reason"]

_MUCH = 2.0
_WORDS = {"both": "instances and density", "instances": "instances only", "density": "density only"}


def doubts_of(
    image: Image,
    rows: Sequence[tuple[CountedPlane, RegionCounts]],
    used: CountCalibration | None,
    given: CountCalibration | None,
    *,
    void: Sequence[str] = (),
    number: Number = "joint",
) -> list[str]:
    """Return a sentence for each thing that is doubtful in the counts of an image.

    Parameters
    ----------
    rows
        Each region with its plane.
    used, given
        The calibration by which intervals were made, and the one that the model has.
    void
        Why `used` gives no interval for this image, a clause each.
    number
        With ``objects`` no interval is missing, as labels count as themselves.
    """
    counters = counters_of(rows[0][0])
    found = []
    if used is None and number == "joint":
        why = "the model has no calibration on images of known count"
        if given is not None:
            why = f"the model's calibration is for {_WORDS[given.counters]}"
        found.append(f"{image.name} was counted by {_WORDS[counters]}; no interval is given, because {why}.")
    found += [f"No interval is given for {image.name}, because {why}." for why in void]
    for plane, counts in rows:
        if not counts.region:
            found += _plane_doubts(_place(image, plane), counts, used, both=counters == "both")
    return found


def unfamiliar_reason(unfamiliarity: float | None, calibration: CountCalibration) -> str:
    """Return why an image is too unlike those of the calibration, as a clause; empty if it is not or nobody knows."""
    limit = calibration.largest_unfamiliarity
    if unfamiliarity is None or unfamiliarity <= limit:
        return ""
    return (
        f"it looks unlike the images of the calibration (unfamiliarity {unfamiliarity:.2f}, intervals hold up to "
        f"{limit:.2f}); calibrate on images like it and give the file with --calibration"
    )


def _plane_doubts(where: str, counts: RegionCounts, used: CountCalibration | None, *, both: bool) -> list[str]:
    values = [value for value in (counts.instances, counts.density) if not np.isnan(value)]
    pair = Counts(np.array(values[:1]), np.array(values[-1:]))
    if used is not None and outside(pair, used)[0]:
        return [
            f"{where} lies outside the {used.images + used.images_fitted} images of the calibration (up to "
            f"{used.largest_count:.0f} cells, counters differing by up to {used.largest_disagreement:.1f} standard "
            f"units): the interval would not hold and is not given; {_said(counts)}."
        ]
    if both and disagreement(pair)[0] > _MUCH:
        return [f"The two counters disagree in {where}: {_said(counts)}; look at the map of their disagreement."]
    return []


def _said(counts: RegionCounts) -> str:
    parts = [] if np.isnan(counts.instances) else [f"instances say {counts.instances:.0f}"]
    return ", ".join(parts + ([] if np.isnan(counts.density) else [f"density says {counts.density:.1f}"]))


def _place(image: Image, plane: CountedPlane) -> str:
    places = [f"{axis} {at + 1}" for axis, at in (("T", plane.t), ("Z", plane.z)) if axis in image.axes]
    return f"{image.name} ({', '.join(places)})" if places else image.name
