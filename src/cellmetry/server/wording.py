"""Words of classes and columns as the API tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from cellmetry.core.columns import Column

__all__ = ["ActDone", "ColumnView", "column_view", "summary_of"]


class ActDone(BaseModel):
    """A line of the study's history that a request made; undoing it takes back what the request did."""

    act: int


class ColumnView(BaseModel):
    """What a column of a table means."""

    name: str
    unit: str
    definition: str
    source: str


def column_view(column: Column) -> ColumnView:
    """Return a column's description."""
    return ColumnView(**column._asdict())


def summary_of(kind: type) -> str:
    """Return the first sentence of a class's docstring."""
    return " ".join((kind.__doc__ or "").strip().partition("\n\n")[0].split())
