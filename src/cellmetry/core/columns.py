"""`Column`: what a column of a table means, so that a table never travels without its words."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Column"]


class Column(NamedTuple):
    """Description of one column of a table.

    Parameters
    ----------
    name
        As in the table; ends in its unit where there is one (``area_um2``).
    unit
        ``px``, ``um``, ``um2``, ``1`` for a ratio, ``intensity`` for the detector's own scale, …
    definition
        One sentence.
    source
        Where the definition comes from: a paper, ``ImageJ``, ``scikit-image``, or ``Cellmetry``.
    """

    name: str
    unit: str
    definition: str
    source: str
