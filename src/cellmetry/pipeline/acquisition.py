"""Whether the images of a run were taken alike: exposure, gain, light, binning and objective, as their files say."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.measure.conditions import columns_in
from cellmetry.measure.filter import FilterCells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.core.step import Step

__all__ = [
    "FLAG",
    "SETTINGS",
    "compare_settings",
    "refuse_settings_filter",
    "settings_of",
    "settings_table",
    "with_settings_flag",
]

FLAG = Column(
    "flag_settings",
    "",
    "A setting differs from that of most images of the run; missing where the file states none.",
    "Cellmetry",
)
SETTINGS = (
    Column("exposure_ms", "ms", "Exposure of each channel.", "file"),
    Column("gain", "", "Gain or high voltage of each detector, in the unit of the microscope's maker.", "file"),
    Column("digital_gain", "1", "Factor by which values were multiplied after the detector, by channel.", "file"),
    Column("light_percent", "percent", "Power of the light by channel, or by laser line.", "file"),
    Column("binning", "", "Binning of each channel.", "file"),
    Column("objective", "", "Name of the objective.", "file"),
    Column("magnification", "1", "Magnification of the objective.", "file"),
    Column("numerical_aperture", "1", "Numerical aperture of the objective.", "file"),
)
"""Settings that must agree for intensities of images to be compared, as readers name them in ``Image.metadata``."""

_SHOWN = 3
_UNSTATED = "?"


def settings_of(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that an image's file states, as text with numbers to four digits.

    Values of several channels stand in order with ``; `` between, ``?`` for a channel that states none.
    """
    stated = {column.name: metadata.get(column.name) for column in SETTINGS}
    return {name: _text(value) for name, value in stated.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_text(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_text(each) for each in value)
    if isinstance(value, int | float):
        return f"{value:.4g}"
    return _UNSTATED if value is None else str(value)


def compare_settings(settings: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, bool | None], list[str]]:
    """Return which images differ from most in a setting, and a sentence for each setting that differs.

    Parameters
    ----------
    settings
        By image, what `settings_of` returned.

    Notes
    -----
    An image is compared by the settings that its file states; None where it states none. Of two values that equally
    many images have, that of the earlier image counts as usual.
    """
    flags: dict[str, bool | None] = {image: False if stated else None for image, stated in settings.items()}
    sentences = []
    for column in SETTINGS:
        values = {image: stated[column.name] for image, stated in settings.items() if column.name in stated}
        counts = Counter(values.values())
        if len(counts) < 2:
            continue
        usual = counts.most_common(1)[0][0]
        odd = [image for image, value in values.items() if value != usual]
        flags.update(dict.fromkeys(odd, True))
        sentences.append(_sentence(column.name, usual, counts, {image: values[image] for image in odd}))
    return flags, sentences


def _sentence(name: str, usual: str, counts: Mapping[str, int], odd: Mapping[str, str]) -> str:
    named = [f"{image} ({value})" for image, value in list(odd.items())[:_SHOWN]]
    more = len(odd) - len(named)
    others = ", ".join(named) + (f" and {more} more" if more else "")
    most = "1 image" if counts[usual] == 1 else f"{counts[usual]} images"
    return (
        f"The images were not taken alike: {name} is {usual} in {most}, and differs in {others}; "
        f"do not compare their intensities."
    )


def refuse_settings_filter(steps: Sequence[Step]) -> None:
    """Refuse to filter by `FLAG` within a run: it is known only when all images are done.

    Raises
    ------
    ParameterError
        If a filter has such a condition.
    """
    for step in steps:
        if isinstance(step, FilterCells) and any(FLAG.name in columns_in(text) for text in step.keep):
            raise ParameterError(
                f"{FLAG.name} compares each image with the others of the run, so no step can filter by it; leave it "
                f"out of the conditions. With a passport it stands in tables/{step.table}.csv when all images are "
                f"done, where rows can be chosen by it."
            )


def with_settings_flag(table: pd.DataFrame, settings: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return a table of objects of a run with `FLAG` of their image; unchanged where no file states settings.

    Parameters
    ----------
    table
        With the column ``image``.
    settings
        By image, what `settings_of` returned.
    """
    if not any(settings.values()):
        return table
    flags, _ = compare_settings(settings)
    places = pd.Index(list(flags)).get_indexer(pd.Index(table["image"]))
    values = pd.array(list(flags.values()), "boolean")[places]
    return table.assign(**{FLAG.name: values})


def settings_table(settings: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return the columns of ``images.csv`` that say how each image was taken; none where no file says."""
    stated = [column.name for column in SETTINGS if any(column.name in each for each in settings.values())]
    flags, _ = compare_settings(settings)
    columns: dict[str, Any] = {
        name: pd.array([each.get(name, "") for each in settings.values()], "str") for name in stated
    }
    if stated:
        columns[FLAG.name] = pd.array(list(flags.values()), "boolean")
    return pd.DataFrame(columns, index=range(len(settings)))
