"""Bleed-through: light of one dye that the detector of another channel sees, taken away by known shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import ConfigDict, Field, model_serializer, model_validator

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters, Step
from cellmetry.errors import ParameterError
from cellmetry.ops.correct import corrected
from cellmetry.ops.subtract import Negatives, subtracted

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import PlaneReader, ReadPart

__all__ = ["Bleed", "BleedThrough", "Unmixing", "unmixing_weights"]

_LEAST_DETERMINANT = 1e-6


class Bleed(Parameters):
    """How much of one channel's signal appears in another."""

    model_config = ConfigDict(populate_by_name=True)

    source: str | int = Field(alias="from")
    """Channel of the dye whose light spills over."""
    into: str | int
    """Channel that sees it too."""
    share: float = Field(gt=0)
    """What `into` shows of a dye that is in `from` only, over what `from` shows of it, backgrounds taken off."""

    @model_serializer
    def _written(self) -> dict[str, Any]:
        return {"from": self.source, "into": self.into, "share": self.share}


def unmixing_weights(shares: NDArray[np.float64], *, exact: bool) -> NDArray[np.float64]:
    """Return by what measured channels (columns) are multiplied and summed to give the dyes' own signals (rows).

    ``shares[i, j]`` is the share of channel j's dye that appears in channel i; 0 on the diagonal. Exact: the inverse
    of 1 + shares. Otherwise 1 - shares, which takes the measured values for the true ones.

    Raises
    ------
    ParameterError
        If the exact form has no answer, as where two channels show the same.
    """
    mixing = np.eye(len(shares)) + shares
    if not exact:
        return np.asarray(np.eye(len(shares)) - shares)
    if abs(np.linalg.det(mixing)) < _LEAST_DETERMINANT:
        raise ParameterError(
            "These shares of bleed-through cannot be told apart (channels show the same mixture); measure them again "
            "on samples with one dye each."
        )
    return np.asarray(np.linalg.inv(mixing))


@dataclass(frozen=True)
class Unmixing:
    """Gives each channel the weighted sum of all channels at the same place.

    Parameters
    ----------
    weights
        One row a channel, as from `unmixing_weights`.
    negatives
        What becomes of sums below 0.
    """

    weights: NDArray[np.float64]
    negatives: Negatives = "keep"

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the unmixed plane."""
        weights = {int(c): float(self.weights[plane.c, c]) for c in np.flatnonzero(self.weights[plane.c])}

        def part(box: Box) -> NDArray[np.float32]:
            total = np.zeros(box.shape, np.float32)
            for channel, weight in weights.items():
                total += np.float32(weight) * plane.of_channel(channel).values(box)
            return subtracted(total, 0.0, self.negatives)

        return part


class BleedThrough(Step):
    """Take from channels the light of other channels' dyes, by known shares; after the background."""

    name: ClassVar[str] = "bleed_through"

    coefficients: tuple[Bleed, ...] = Field(min_length=1)
    """Which channel spills over into which, and how much of it: {from, into, share} each."""
    exact: bool = True
    """Solve for all dyes at once, by the inverse matrix; or (false) subtract shares of the measured channels, which
    takes too much where light spills over in both directions or on to a third channel."""
    negatives: Negatives = "keep"
    """What becomes of values below 0: keep (so that means are unbiased) or clip (0)."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        pairs = [(str(each.source).lower(), str(each.into).lower()) for each in self.coefficients]
        if len(set(pairs)) < len(pairs):
            raise ValueError("coefficients: each pair of channels stands once.")
        if any(source == into for source, into in pairs):
            raise ValueError("coefficients: a channel does not spill over into itself.")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the unmixed image; channels into which nothing spills over stay as they are."""
        shares = self._shares(sample.image)
        correction = Unmixing(unmixing_weights(shares, exact=self.exact), self.negatives)
        changed = [int(c) for c in np.flatnonzero(shares.any(axis=1))]
        return sample.with_image(corrected(sample.image, correction, changed))

    def _shares(self, image: Image) -> NDArray[np.float64]:
        shares = np.zeros((len(image.channels),) * 2)
        for each in self.coefficients:
            into, source = image.channel_index(each.into), image.channel_index(each.source)
            if into == source or shares[into, source]:
                raise ParameterError(
                    f"bleed_through names one channel of {image.name} twice, as {each.source!r} into {each.into!r}; "
                    f"give each pair of two different channels once."
                )
            shares[into, source] = each.share
        return shares
