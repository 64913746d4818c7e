"""What is said when an image needs more memory than a job may have."""

from __future__ import annotations

import re

import psutil

__all__ = ["memory_sentence", "too_large"]

_GB = 1e9
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50, "EiB": 2**60}
_ASKED = re.compile(r"Unable to allocate ([\d.]+) ([KMGTPE]iB)")


def memory_sentence(name: str, error: MemoryError) -> str:
    """Return how much memory an image needs at least, in a sentence with what to do.

    It is what the process has, and what it asked for when it got no more.
    """
    asked = _ASKED.search(str(error))
    more = float(asked[1]) * _UNITS[asked[2]] if asked else 0.0
    return too_large(name, psutil.Process().memory_info().rss + more)


def too_large(name: str, n_bytes: float) -> str:
    """Return the sentence for an image that needs so much memory."""
    return (
        f"{name} needs about {max(n_bytes / _GB, 0.1):.1f} GB of memory or more, which it may not have; crop it, "
        f"work in smaller tiles (segment.tile_px), or allow more memory."
    )
