"""Words of studies, classes and columns as the API tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from cellmetry.study.store.images import said_of
from cellmetry.study.store.names import STUDY_SUFFIX

if TYPE_CHECKING:
    from cellmetry.core.columns import Column
    from cellmetry.study.store.store import Store

__all__ = ["ColumnView", "ValuesView", "column_view", "study_name", "summary_of"]


class ColumnView(BaseModel):
    """What a column of a table means."""

    name: str
    unit: str
    definition: str
    source: str


class ValuesView(BaseModel):
    """Columns whole, each as one list."""

    total: int
    """Rows that meet the conditions; more than the lists have where those are too many to be sent."""
    values: dict[str, list[Any]]


def column_view(column: Column) -> ColumnView:
    """Return a column's description."""
    return ColumnView(**column._asdict())


def summary_of(kind: type) -> str:
    """Return the first sentence of a class's docstring."""
    return " ".join((kind.__doc__ or "").strip().partition("\n\n")[0].split())


def study_name(store: Store) -> str:
    """Return what people call a study: the name that was given to it, else that of its folder."""
    return str(said_of(store, "study").get("name") or store.folder.name.removesuffix(STUDY_SUFFIX))
