"""What a study says, as the settings of the pipeline: how images are opened, what is compared, drawn and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.pipeline.comparison.settings import CompareSettings
from cellmetry.pipeline.reading import Reading
from cellmetry.report.comparison.filters import IMAGES_KEPT
from cellmetry.report.style import FigureStyle

if TYPE_CHECKING:
    from cellmetry.study.file import Study

__all__ = ["reading_of", "settings_of"]


def settings_of(study: Study) -> CompareSettings | None:
    """Return what the study compares, gates, filters, draws and writes; None if nothing is compared.

    Raises
    ------
    ParameterError
        If an entry is wrong, or curves of dose and response are asked for without a value to compare.
    """
    said = study.said
    if not said.compare:
        if said.dose_response:
            raise ParameterError(f"{study.path}: dose_response needs a value in [[compare]] beside it; name one.")
        return None
    shared = {"control": said.design.control, "order": said.design.order}
    comparisons = tuple(
        each.model_copy(update={key: value for key, value in shared.items() if value and not getattr(each, key)})
        for each in said.compare
    )
    style = parse_parameters(FigureStyle, said.style, where=f"{study.path} [style]")
    given = {
        "comparisons": comparisons,
        "gates": said.positive,
        "table": said.filters.table,
        "keep": (IMAGES_KEPT, *said.filters.keep),
        "style": style,
        **dict(said.output),
    }
    return parse_parameters(CompareSettings, given, where=f"{study.path} [output]")


def reading_of(study: Study) -> Reading:
    """Return how the images of a study are opened."""
    said = study.said.images.model_dump(exclude={"folder", "headers", "aligned_to"})
    return parse_parameters(Reading, said, where=f"{study.path} [images]")
