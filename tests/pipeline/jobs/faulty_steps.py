"""Steps that fail in every way a library can, on the image whose name says so; found as another package's plug-ins."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar

import numpy as np

from cellmetry.core.progress import SILENT, Progress
from cellmetry.core.sample import Sample
from cellmetry.core.step import Step


class Faulty(Step):
    """Does what the name of the image says: raises, crashes, hangs, asks for memory; waits for leave to go on."""

    name: ClassVar[str] = "faulty"

    leave: str = ""
    """Folder in which a file of an image's name lets it go on."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample, or fail."""
        fault = sample.image.name.partition("_")[2]
        if fault == "raises":
            raise ZeroDivisionError("nobody thought of this")
        if fault == "crashes":
            os.kill(os.getpid(), 11)
        if fault == "hangs":
            time.sleep(600)
        if fault == "large":
            np.ones(1 << 40)
        while self.leave and not Path(self.leave, sample.image.name).exists():
            progress.advance(0)
            time.sleep(0.02)
        return sample


def install(folder: Path) -> Path:
    """Return a folder that, on PYTHONPATH, offers these steps as an installed package does."""
    (folder / "faulty_steps.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    about = folder / "faulty-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[cellmetry.steps]\nfaulty = faulty_steps:Faulty\n", encoding="utf-8")
    return folder
