"""`Sample`: what a recipe's steps hand to each other: an image, its labels, its tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["Sample"]


@dataclass(frozen=True)
class Sample:
    """An image with what was made of it so far. Steps return a new one; nothing here changes.

    Parameters
    ----------
    image
        The image that steps look at: as read, until a step corrects its pixels (background, shading, …).
    original
        The image as read, where `image` is no longer that; see `unprocessed`.
    labels
        Label images by name: ``cells``, ``nuclei``, ….
    masks
        Regions of cells by name (``target_mask``, ``radial_mask``, …): each pixel has the id of the cell to which it
        counts, inside the cell or, as in a ring, beside it; 0 elsewhere.
    tables
        Tables by name: ``cells`` has one row per object.
    warnings
        Plain sentences about what the steps found doubtful.
    maps
        Values for every pixel, by name: a network's ``density``, a ``ratio``, …; float32, NaN where undefined. Also
        corrected images that are to be kept, in the type in which they are to be written.
    scores
        Numbers about the whole image, by name: ``unfamiliarity``.
    """

    image: Image
    labels: dict[str, Labels] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    maps: dict[str, Image] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    original: Image | None = None
    masks: dict[str, Labels] = field(default_factory=dict)

    @property
    def unprocessed(self) -> Image:
        """The image with the pixels of the detector, on which saturation is judged."""
        return self.image if self.original is None else self.original

    def with_image(self, image: Image, original: Image | None = None) -> Sample:
        """Return this sample with corrected pixels in place of its image's.

        The original is kept, unless a correction that moves pixels gives it in the same places.
        """
        return replace(self, image=image, original=self.unprocessed if original is None else original)

    def with_masks(self, masks: dict[str, Labels]) -> Sample:
        """Return this sample with these masks added."""
        return replace(self, masks={**self.masks, **masks})

    def with_labels(self, name: str, labels: Labels) -> Sample:
        """Return this sample with the label image `name` set."""
        return replace(self, labels={**self.labels, name: labels})

    def drop_labels(self, name: str) -> Sample:
        """Return this sample without the label image `name`."""
        return replace(self, labels={other: labels for other, labels in self.labels.items() if other != name})

    def with_table(self, name: str, table: pd.DataFrame) -> Sample:
        """Return this sample with the table `name` set."""
        return replace(self, tables={**self.tables, name: table})

    def with_maps(self, maps: dict[str, Image]) -> Sample:
        """Return this sample with these maps added."""
        return replace(self, maps={**self.maps, **maps})

    def with_scores(self, scores: dict[str, float]) -> Sample:
        """Return this sample with these numbers added; of two of one name, the higher."""
        higher = {name: max(value, self.scores.get(name, value)) for name, value in scores.items()}
        return replace(self, scores={**self.scores, **higher})

    def with_warnings(self, *sentences: str) -> Sample:
        """Return this sample with more warnings."""
        return replace(self, warnings=(*self.warnings, *sentences))

    def need_labels(self, name: str) -> Labels:
        """Return the label image `name`.

        Raises
        ------
        ParameterError
            If no earlier step made it.
        """
        if name not in self.labels:
            made = ", ".join(self.labels) or "none"
            raise ParameterError(f"No step before made labels named {name!r} (there are: {made}).")
        return self.labels[name]

    def need_table(self, name: str) -> pd.DataFrame:
        """Return the table `name`.

        Raises
        ------
        ParameterError
            If no earlier step made it.
        """
        if name not in self.tables:
            made = ", ".join(self.tables) or "none"
            raise ParameterError(f"No step before made a table named {name!r} (there are: {made}).")
        return self.tables[name]

    def need_region(self, name: str) -> Labels:
        """Return the mask `name`, or the labels of this name.

        Raises
        ------
        ParameterError
            If no earlier step made either.
        """
        if name in self.masks:
            return self.masks[name]
        if name not in self.labels:
            made = ", ".join([*self.masks, *self.labels]) or "none"
            raise ParameterError(f"No step before made a mask or labels named {name!r} (there are: {made}).")
        return self.labels[name]
