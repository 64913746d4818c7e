"""How the median absolute deviation tells the spread of normal values."""

from __future__ import annotations

__all__ = ["SD_OF_MAD"]

SD_OF_MAD = 1.482602218505602
"""Standard deviation over median absolute deviation of a normal distribution: 1 / Φ⁻¹(3/4) (Hampel 1974)."""
