"""`count`: cells in an image by every counter that the model has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from cellmetry.core.image import Image
from cellmetry.core.parameters import check_type, parse_parameters
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.counting.step import Count
from cellmetry.counting.validity import counted_by, with_checked_calibrations, with_own_calibration
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.network import NetworkEngine
from cellmetry.engines.segment import Segment
from cellmetry.errors import ModelError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.step import Step

__all__ = ["Counted", "count", "count_known", "counting_steps"]


class Counted(NamedTuple):
    """What counting an image gives.

    Attributes
    ----------
    table
        One row for each plane and each region; ``attrs["columns"]`` says what its columns mean.
    labels
        The objects that were counted; None if the model counts by density only.
    maps
        ``density``, and ``disagreement`` of the two counters, as far as there are.
    warnings
        What is doubtful, and why an interval is missing.
    """

    table: pd.DataFrame
    labels: Labels | None
    maps: dict[str, Image]
    warnings: tuple[str, ...]


def count(image: Image, counting: Count | None = None, *, progress: Progress = SILENT, **parameters: Any) -> Counted:
    """Return how many cells an image shows: by instances, by density, and by both with an interval.

    Parameters
    ----------
    counting
        Regions, and the calibration if not the model's own.
    **parameters
        Fields of the step `Segment`: ``model``, ``channel``, ``diameter_px``, ….

    Raises
    ------
    ModelError
        If the model can neither label cells nor map their density.
    ParameterError
        If a parameter is wrong, or the calibration was made with another engine or model.
    """
    steps = counting_steps(parameters, counting or Count())
    sample = _count(image, with_checked_calibrations(with_own_calibration(steps)), progress)
    last = steps[-1]
    return Counted(sample.tables[last.table], sample.labels.get(last.labels), sample.maps, sample.warnings)


def count_known(known: Iterable[tuple[Image, int]], *, progress: Progress = SILENT, **parameters: Any) -> pd.DataFrame:
    """Return the counts of images whose true count is known, one row each, as `calibrate` wants them.

    Columns: ``image``, ``truth``; ``instances``, ``density`` or both, as the model counts; ``unfamiliarity`` of the
    images if it can tell; ``engine``, ``model`` and ``sha256`` of its weights, as far as there are.

    Parameters
    ----------
    known
        Images of one plane, each with its true count.
    **parameters
        Fields of the step `Segment`, as for `count`.
    """
    steps = counting_steps(parameters, Count())
    counter = counted_by(steps[0].load_engine()).model_dump()
    rows = []
    for image, truth in known:
        sample = _count(image, steps, progress)
        found = sample.tables[steps[-1].table]
        if len(found) != 1:
            raise ParameterError(f"{image.name} has {len(found)} planes; calibration takes images of one plane.")
        row = found.iloc[0]
        rows.append((image.name, truth, row["n_instances"], row["n_density"], sample.scores.get("unfamiliarity")))
    columns = ["image", "truth", "instances", "density", "unfamiliarity"]
    return pd.DataFrame(rows, columns=columns).assign(**counter).dropna(axis="columns", how="all")


def _count(image: Image, steps: Sequence[Step], progress: Progress) -> Sample:
    """Return what the steps make of an image."""
    check_type(image, Image, "count", "cm.open_image or cm.image_from_array")
    sample = Sample(image)
    for step in steps:
        sample = step(sample, progress)
    return sample


def counting_steps(look: Mapping[str, Any], counting: Count) -> tuple[Segment | Maps, Count]:
    """Return the steps that count cells by every counter that an engine's model has.

    Parameters
    ----------
    look
        Fields of the step `Segment`; the engine is `cellmetry` if not said.
    counting
        The last step.
    """
    segment = parse_parameters(Segment, {"engine": "cellmetry", **look}, where="count")
    engine = segment.load_engine()
    if not isinstance(engine, NetworkEngine):
        return segment, counting
    card = engine.card
    if card.segments:
        kept = tuple(dict.fromkeys((*segment.maps, "density"))) if "density" in card.heads else segment.maps
        return segment.model_copy(update={"maps": kept, "labels": counting.labels}), counting
    if "density" not in card.heads:
        raise ModelError(
            f"The model {card.name!r} cannot count: that needs the heads foreground and flow, or density, and it has "
            f"{', '.join(card.heads)} only. Choose another with --model."
        )
    return _maps_step(segment, look), counting


def _maps_step(segment: Segment, look: Mapping[str, Any]) -> Maps:
    """Return the step that makes a density alone, from the choices for a segmentation."""
    useless = sorted(set(look) - set(Maps.model_fields) - {"engine"})
    useless += ["stack=volume"] if segment.stack == "volume" else []
    if useless:
        raise ParameterError(
            f"This model counts by density only and labels no cells; it has no use for {', '.join(useless)}."
        )
    shared = {name: getattr(segment, name) for name in look if name in Maps.model_fields and name != "heads"}
    return Maps(**shared, heads=("density",))
