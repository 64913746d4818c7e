"""What several routes say of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.study.file import STUDY_SUFFIX
from cellmetry.study.store.images import said_of

if TYPE_CHECKING:
    from cellmetry.study.store.store import Store

__all__ = ["study_name"]


def study_name(store: Store) -> str:
    """Return what people call a study: the name that was given to it, else that of its folder."""
    return str(said_of(store, "study").get("name") or store.folder.name.removesuffix(STUDY_SUFFIX))
