"""A step that ends its process on image b, as a crash in a library would."""

from __future__ import annotations

import os
from typing import ClassVar

from cellmetry.core.progress import SILENT, Progress
from cellmetry.core.sample import Sample
from cellmetry.core.step import Step


class KillsItsProcess(Step):
    """Ends the process on image b."""

    name: ClassVar[str] = "kills"

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample, or end the process."""
        if sample.image.name == "b":
            os._exit(9)
        return sample
