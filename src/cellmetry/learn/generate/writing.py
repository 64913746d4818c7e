"""Data sets of generated fields: images, true labels, card and list of items in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.core.parameters import parse_parameters
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.io.pictures import write_png
from cellmetry.learn.dataset import (
    CARD_FILE,
    DataSet,
    DataSetCard,
    Item,
    read_data_set,
    refuse_contents,
    write_data_set,
)
from cellmetry.learn.generate.field import generate_field
from cellmetry.learn.generate.look import KINDS, CellShape, FieldLook, Kind, Range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress

__all__ = ["GenerationPlan", "write_generated"]

_SUMMARY = (
    "Generated images of cells with exact truth: {kinds}. Made by Cellmetry from seed {seed}; no image of a cell."
)


class GenerationPlan(Parameters):
    """Which fields a generated data set has."""

    count: int = Field(default=100, ge=1, le=1_000_000)
    """Number of fields."""
    kinds: dict[Kind, float] = Field(default=dict.fromkeys(KINDS, 1.0), min_length=1)
    """Kinds of microscopy, each with its share of the fields (any positive numbers)."""
    shape: tuple[int, int] = (512, 512)
    """Height and width of the fields, in pixels."""
    diameter_px: Range | None = None
    """Range of the fields' mean diameter of a cell, in pixels; None = usual ones of each kind."""
    density: Range = (0.2, 1.0)
    """Range of the part of the fields that holds cells as densely as they can lie."""
    cell_shape: CellShape | None = None
    """Shape of the cells of brightfield fields; None draws one for each field."""
    inverted: float = Field(default=0.0, ge=0, le=1)
    """Part of the fields whose image is turned from bright to dark."""
    seed: int = Field(default=0, ge=0)
    """The same seed gives the same fields."""

    def fields(self) -> list[tuple[str, FieldLook, int]]:
        """Return name, look and seed of each field.

        Raises
        ------
        ParameterError
            If no kind has a positive share, or a range does not fit.
        """
        shares = np.array(list(self.kinds.values()), float)
        if (shares < 0).any() or shares.sum() <= 0:
            raise ParameterError(f"The shares of kinds are positive numbers, not {dict(self.kinds)}.")
        ends = np.rint(np.cumsum(shares) / shares.sum() * self.count).astype(int)
        counts = np.diff(ends, prepend=0).tolist()
        return [each for kind, n in zip(self.kinds, counts, strict=True) for each in self._of_kind(kind, n)]

    def _of_kind(self, kind: Kind, count: int) -> list[tuple[str, FieldLook, int]]:
        shared = self.model_dump(include={"shape", "diameter_px", "density", "cell_shape", "inverted"})
        look = parse_parameters(FieldLook, {"kind": kind, **shared}, where="options")
        seeds = np.random.SeedSequence([self.seed, KINDS.index(kind)]).generate_state(max(count, 1))
        return [(f"{kind}_{number:04d}", look, int(seeds[number])) for number in range(count)]


def write_generated(
    plan: GenerationPlan, out: str | Path, *, name: str = "generated", progress: Progress = SILENT
) -> DataSet:
    """Return the data set of generated fields that was written into the folder `out`.

    ``images/`` holds 8-bit PNG or 16-bit TIFF, ``labels/`` label images, and ``fluorescence/`` the stained channel of
    the brightfield fields, in the same form as their images. The folder is there as a whole, or not at all.

    Raises
    ------
    OutputError
        If `out` has contents, or cannot be written.
    """
    folder = Path(out).absolute()
    fields = plan.fields()
    kinds = ", ".join(kind for kind, share in plan.kinds.items() if share > 0)
    card = DataSetCard(name=name, licence="CC0-1.0", summary=_SUMMARY.format(kinds=kinds, seed=plan.seed))
    refuse_contents(folder)
    progress.start("generate", len(fields))
    with atomic_folder(folder, marker=CARD_FILE) as temporary:
        items = []
        for stem, look, seed in fields:
            items.append(_write_field(temporary, stem, look, seed))
            progress.advance()
        write_data_set(DataSet(card, temporary, tuple(items)))
    return read_data_set(folder)


def _write_field(folder: Path, stem: str, look: FieldLook, seed: int) -> Item:
    field = generate_field(look, seed)
    planes = {"images": field.image, **field.channels}
    eight_bit = max(float(plane.max(initial=0)) for plane in planes.values()) <= np.iinfo(np.uint8).max
    suffix = ".png" if eight_bit else ".tif"
    for channel, counts in planes.items():
        _write_counts(counts, folder / channel / f"{stem}{suffix}")
    truth = folder / "labels" / f"{stem}.tif"
    write_labels(labels_from_array(field.labels.astype(np.uint32)), truth)
    return Item(stem, folder / "images" / f"{stem}{suffix}", truth, modality=field.kind)


def _write_counts(counts: NDArray[np.float32], path: Path) -> None:
    """Write counts in the form that the suffix names: 8-bit PNG or 16-bit TIFF."""
    if path.suffix == ".png":
        write_png(counts.astype(np.uint8), path)
    else:
        write_image(image_from_array(counts.astype(np.uint16), "YX", name=path.stem), path)
