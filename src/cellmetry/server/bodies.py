"""What requests and answers have in common: texts and numbers with limits, pages of lists, errors."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cellmetry.core.step import Parameters

__all__ = [
    "ActDone",
    "Body",
    "ErrorBody",
    "ErrorView",
    "IdText",
    "Key",
    "Limit",
    "Number",
    "PathText",
    "SessionName",
    "ShortText",
    "View",
    "Word",
]

ShortText = Annotated[str, Field(max_length=200)]
"""A name or a line that a user writes."""
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
Word = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
"""A word in an address, as the name of a step or a shipped recipe."""


class Body(Parameters):
    """A body of a request: refuses unknown names and numbers that are not finite; every field has limits."""


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ActDone(View):
    """A line of the study's history that a request made; undoing it takes back what the request did."""

    act: int


class ErrorView(View):
    """Why something was not done."""

    model_config = ConfigDict(extra="allow")
    kind: str
    """Class of the error, as ParameterError."""
    message: str
    """A sentence that says what is wrong and what to do."""


class ErrorBody(View):
    """The answer to a request that was not done."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": {"kind": "UnknownName", "message": "There is no study 'study_…'."}}]}
    )
    error: ErrorView
