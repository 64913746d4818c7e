"""Ids of what a study holds."""

from __future__ import annotations

from uuid import uuid4

__all__ = ["new_name"]


def new_name(kind: str) -> str:
    """Return a new id, ``img_3f…``: never used before, here or elsewhere."""
    return f"{kind}_{uuid4().hex[:16]}"
