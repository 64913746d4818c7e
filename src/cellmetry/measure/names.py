"""Names of channels as they stand in column names."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["safe_names"]


def safe_names(names: Sequence[str]) -> list[str]:
    """Return one different name for each channel, made of letters, digits and single underscores.

    Letters of any script stay, in Unicode's compatible composed form; whatever else becomes ``_``; a name of
    which nothing is left becomes ``channel`` and its index; a name that was had before gets ``_2``, ``_3``, ….
    """
    out: list[str] = []
    for index, name in enumerate(names):
        plain = re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", name)).strip("_") or f"channel{index}"
        unique, number = plain, 2
        while unique in out:
            unique, number = f"{plain}_{number}", number + 1
        out.append(unique)
    return out
