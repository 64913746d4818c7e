"""Pictures and plots of a quantification: cells, masks and ring on the image, the ratio, the profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellmetry.core.sample import Sample
    from cellmetry.pipeline.work import Job

__all__ = ["write_quantification"]


def write_quantification(job: Job, sample: Sample) -> dict[str, str]:
    """Return what was drawn of a sample, relative to the run's folder, by what it is."""
    return {}
