"""`OneShotLimits`: what one request, and the processes that work for all of them, may take."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OneShotLimits"]


@dataclass(frozen=True)
class OneShotLimits:
    """Limits of one-shot requests.

    Parameters
    ----------
    max_files
        Most files in one request.
    max_bytes
        Most bytes of one request's body.
    workers
        Processes that work, all requests together.
    memory_bytes
        Most memory that one of them may take; an image that needs more fails.
    time_s
        Longest that one file may take.
    waiting
        Most files that may wait; a request that would make it more is asked to come again.
    retry_after_s
        When it is asked to come again.
    idle_s
        How long a process that has nothing to do stays warm, its memory taken.
    """

    max_files: int = 100
    max_bytes: int = 2_000_000_000
    workers: int = 1
    memory_bytes: int = 4_000_000_000
    time_s: float = 300.0
    waiting: int = 200
    retry_after_s: int = 15
    idle_s: float = 1800.0
