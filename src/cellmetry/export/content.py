"""`Content`: what is written into another program's format: labels, and what is known of each object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError
from cellmetry.export.frame import Frame, frame_of_labels
from cellmetry.export.tracing import trace_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels
    from cellmetry.export.frame import Lead
    from cellmetry.export.tracing import Outlines

__all__ = ["Content", "ObjectFacts", "Plane", "make_content"]

_PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
"""Colours of classes, in order: those of Okabe and Ito (2008), which colour-blind people tell apart."""
_KEYS = ("label", "t", "z")


class ObjectFacts(NamedTuple):
    """What is known of an object besides its pixels: its class (empty for none), and numbers by name."""

    label_class: str = ""
    values: Mapping[str, float] = {}


class Plane(NamedTuple):
    """One plane of labels: where it lies, its ids (uint32, (Y, X)), and the facts of its objects by id."""

    lead: Lead
    array: NDArray[np.uint32]
    facts: Mapping[int, ObjectFacts]

    def outlines(self) -> Outlines:
        """Return the outlines of its objects."""
        return trace_labels(self.array)

    def fact(self, identity: int) -> ObjectFacts:
        """Return what is known of an object."""
        return self.facts.get(identity, _NOTHING)


_NOTHING = ObjectFacts()


@dataclass(frozen=True)
class Content:
    """Labels with a table of their objects.

    Parameters
    ----------
    labels
        To be written.
    name
        Of the image or the label file, without suffix.
    facts
        By (id, *place of the plane).
    """

    labels: Labels
    name: str
    facts: Mapping[tuple[int, ...], ObjectFacts]

    @property
    def frame(self) -> Frame:
        """Where the labels lie."""
        return frame_of_labels(self.labels)

    @property
    def classes(self) -> dict[str, str]:
        """Colour of each class, ``#rrggbb``, classes in alphabetical order."""
        names = sorted({fact.label_class for fact in self.facts.values()} - {""})
        return {name: _PALETTE[place % len(_PALETTE)] for place, name in enumerate(names)}

    def planes(self) -> Iterator[Plane]:
        """Yield the planes one by one; labels on disk are read when their plane is due."""
        by_lead: dict[Lead, dict[int, ObjectFacts]] = {}
        for place, fact in self.facts.items():
            by_lead.setdefault(place[1:], {})[place[0]] = fact
        for lead in self.frame.leads():
            array = np.ascontiguousarray(self.labels.array[(*lead, slice(None), slice(None))], np.uint32)
            yield Plane(lead, array, by_lead.get(lead, {}))


def make_content(labels: Labels, name: str, table: pd.DataFrame | None = None, class_column: str = "") -> Content:
    """Return labels with what `table` says of their objects: its numbers, and the class in `class_column`.

    Parameters
    ----------
    table
        With the columns ``label``, and ``t`` and ``z`` if the labels have these axes and the table tells planes apart.

    Raises
    ------
    ParameterError
        If a column is missing, or a row stands twice for the same object.
    """
    if table is None:
        if class_column:
            raise ParameterError(f"The class column {class_column!r} needs a table; give it with --table.")
        return Content(labels, name, {})
    missing = next((column for column in ("label", class_column) if column and column not in table.columns), None)
    if missing:
        raise ParameterError(f"The table has no column {missing!r}; its columns are {', '.join(table.columns)}.")
    frame = frame_of_labels(labels)
    keys = [axis for axis in frame.axes[:-2].lower() if axis in table.columns]
    twice = table.duplicated(["label", *keys])
    if twice.any():
        raise ParameterError(
            f"The table has two rows for the object {table.loc[twice, 'label'].iloc[0]}; give the table of one image."
        )
    return Content(labels, name, _facts(table, class_column, keys, frame))


def _facts(table: pd.DataFrame, class_column: str, keys: list[str], frame: Frame) -> dict[tuple[int, ...], ObjectFacts]:
    numbers = [
        name
        for name in table.columns
        if name not in (*_KEYS, class_column) and pd.api.types.is_numeric_dtype(table[name].dtype)
    ]
    texts = [""] * len(table) if not class_column else table[class_column].fillna("").astype(str).tolist()
    rows: list[list[float]] = table[numbers].to_numpy(np.float64, na_value=np.nan).tolist()
    places = zip(*(table[name].tolist() for name in ("label", *keys)), strict=True)
    found: dict[tuple[int, ...], ObjectFacts] = {}
    for place, text, row in zip(places, texts, rows, strict=True):
        values = {name: value for name, value in zip(numbers, row, strict=True) if np.isfinite(value)}
        for lead in _leads(dict(zip(keys, map(int, place[1:]), strict=True)), frame):
            found[int(place[0]), *lead] = ObjectFacts(text, values)
    return found


def _leads(said: dict[str, int], frame: Frame) -> Iterator[Any]:
    """Yield the planes for which a row stands: all along axes of which the table says nothing."""
    sizes = [[said[axis]] if axis in said else range(size) for axis, size in
             zip(frame.axes[:-2].lower(), frame.shape, strict=False)]  # fmt: skip
    index: list[Lead] = [()]
    for places in sizes:
        index = [(*lead, place) for lead in index for place in places]
    yield from index
