"""`BoundedJob`: a job whose request is bounded throughout: no endless text, list or nesting, wherever it stands."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from cellmetry.pipeline.jobs.kind import JobKind
from cellmetry.pipeline.jobs.kinds.reading import ImageId

__all__ = ["RUN_TABLE", "BoundedJob", "ImageIds", "Name", "ResultId", "TableName", "refuse_endless"]

_LONGEST_TEXT, _LONGEST_LIST, _DEEPEST = 10_000, 100_000, 16

RUN_TABLE = "run_"
"""How names of tables begin that a recipe made, which no other job may make: they tell what the recipe found, whatever
became of its labels since."""


def _is_of_no_run(name: str) -> str:
    if name.startswith(RUN_TABLE):
        raise ValueError(f"names that begin with {RUN_TABLE} are those of tables that recipes make; choose another")
    return name


Name = Annotated[str, Field(min_length=1, max_length=200)]
"""Name of labels, tables, columns."""
TableName = Annotated[Name, AfterValidator(_is_of_no_run)]
"""Name of a table that a job makes."""
ResultId = Annotated[str, Field(max_length=64, pattern=r"^res_[0-9a-f]{16}$")]
"""Id of a result in a request."""
ImageIds = Annotated[tuple[ImageId, ...], Field(min_length=1, max_length=100_000)] | None
"""Ids of images in a request; all that fit if left out."""


class BoundedJob(JobKind):
    """A kind of job with parameters of other modules, which know of no limits themselves."""

    @model_validator(mode="before")
    @classmethod
    def _is_bounded(cls, given: Any) -> Any:
        refuse_endless(given)
        return given


def refuse_endless(value: Any, depth: int = 0) -> None:
    """Refuse JSON values with texts, lists or nesting beyond all use.

    Raises
    ------
    ValueError
        If there is one; says what is the most.
    """
    if depth > _DEEPEST:
        raise ValueError(f"values are nested more than {_DEEPEST} deep")
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            raise ValueError(f"a text has {len(value):,} characters; at most {_LONGEST_TEXT:,} are read")
        return
    if not isinstance(value, dict | list | tuple):
        return
    if len(value) > _LONGEST_LIST:
        raise ValueError(f"a list has {len(value):,} entries; at most {_LONGEST_LIST:,} are read")
    for each in value:
        refuse_endless(each, depth + 1)
        if isinstance(value, dict):
            refuse_endless(value[each], depth + 1)
