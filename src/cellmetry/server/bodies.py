"""What bodies of requests and answers have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cellmetry.core.step import Parameters

__all__ = ["Body", "ErrorBody", "ErrorView", "ShortText", "View"]

ShortText = Annotated[str, Field(max_length=200)]
"""A name or a line that a user writes."""


class Body(Parameters):
    """A body of a request: refuses unknown names and numbers that are not finite; every field has limits."""


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


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
