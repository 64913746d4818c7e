"""`JobLimits`: how much of the computer jobs may have, and how long one image may take."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

import psutil

__all__ = ["JobLimits", "limit_memory"]

_SHARE = 0.75
_LEAST = 1 << 29
"""Bytes without which libraries cannot even be loaded."""


def _workers() -> int:
    """Return 2, or 1 on a small computer: a job itself uses several threads."""
    small = (os.cpu_count() or 1) < 4 or psutil.virtual_memory().total < 12e9
    return 1 if small else 2


def _memory() -> int:
    return int(_SHARE * psutil.virtual_memory().total)


@dataclass(frozen=True)
class JobLimits:
    """What all jobs of a program share.

    Parameters
    ----------
    workers
        Jobs that are worked on at the same time. One more may read new images meanwhile.
    memory_bytes
        For all of them together.
    image_s
        Longest time for one image; a longer one is given up, and the job goes on with the next.
    job_s
        Longest time for one job as a whole; a longer one fails. What is finished is kept, and it can be resumed.
    free_bytes
        A job fails as soon as the study's disk has less room than that.
    cancel_s
        Time in which a cancelled job may end by itself; after it its process is killed.
    stop_s
        Time in which an image may be finished when the program ends.
    """

    workers: int = field(default_factory=_workers)
    memory_bytes: int = field(default_factory=_memory)
    image_s: float = 3600.0
    job_s: float = 14 * 86400.0
    free_bytes: int = 0
    cancel_s: float = 3.0
    stop_s: float = 60.0

    @property
    def worker_bytes(self) -> int:
        """Memory that one job may have."""
        return max(_LEAST, self.memory_bytes // (self.workers + 1))


def limit_memory(n_bytes: int) -> None:
    """Let this process have no more memory than that where the system can limit it; asking for more fails then.

    What is mapped from files and shared with others does not count. Elsewhere the runner watches the process.
    """
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  not on Windows

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        soft = max(n_bytes, _LEAST)
        soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
