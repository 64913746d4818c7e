"""Names of a study's folder and of what it holds."""

from __future__ import annotations

from uuid import uuid4

__all__ = ["STUDY_SUFFIX", "new_name"]

STUDY_SUFFIX = ".cellmetry"
"""How the name of a study's folder ends."""


def new_name(kind: str) -> str:
    """Return a new id, ``img_3f…``: never used before, here or elsewhere."""
    return f"{kind}_{uuid4().hex[:16]}"
