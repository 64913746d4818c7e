"""What bodies of requests are made of: texts and numbers with limits."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

__all__ = ["IdText", "Key", "Limit", "Number", "PathText", "SessionName"]

IdText = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z]+_[0-9a-f]{16}$")]
"""An id in a body."""
PathText = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]
Key = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""Name of what is said of an image: a column of the tables."""
SessionName = Annotated[str, StringConstraints(max_length=64)]
"""Name of the window or program that edits."""
Limit = Annotated[int, Query(ge=1, le=1000)]
"""Most lines of a list."""
Number = Annotated[int, Query(ge=0, le=2**62)]
"""A number in a query, as of an act or a version."""
