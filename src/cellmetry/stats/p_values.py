"""p-values as they are written everywhere: in figures, reports and notes."""

from __future__ import annotations

__all__ = ["p_text", "shown_p"]

_LEAST = 0.0001


def shown_p(p_value: float) -> str:
    """Return a p-value with three digits, or that it is below 0.0001."""
    return f"< {_LEAST}" if p_value < _LEAST else f"{p_value:#.3g}"


def p_text(p_value: float) -> str:
    """Return ``p = 0.0120`` or ``p < 0.0001``."""
    return f"p {shown_p(p_value)}" if p_value < _LEAST else f"p = {shown_p(p_value)}"
