"""`Step`: one operation with named parameters; its schema is the only list of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from cellmetry.core.progress import SILENT

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Parameters", "Step"]


class Parameters(BaseModel):
    """A frozen set of named, described, bounded parameters that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Step(Parameters):
    """One operation of a recipe: fields are its parameters, calling it does the work.

    A subclass sets `name`, declares its fields with a description each, and calls a pure array function
    in `__call__`.
    """

    name: ClassVar[str]
    """The word by which recipes and ``--set`` address the step."""

    def files_read(self) -> tuple[Path, ...]:
        """Return the files that the step reads besides the image; a result holds only while they stay the same."""
        return ()

    def detectors_used(self, image: Image) -> tuple[int, ...]:
        """Return the channels of an image, by index, on whose detector's largest value the result depends."""
        return ()

    @abstractmethod
    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return a new sample with this step's result added."""
