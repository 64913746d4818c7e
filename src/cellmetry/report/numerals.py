"""Numbers and other values of tables as text for readers: few digits, a true minus sign, – for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

from cellmetry.stats import p_values

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MISSING", "is_numeric", "p_text", "shown", "shown_column", "shown_number", "shown_p", "span"]

MISSING = "–"
"""In place of a value that is not there."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_EXACT = 2**53


def shown(value: Any) -> str:
    """Return a cell of a table as text: numbers with few digits, yes and no, and – where it is missing."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return MISSING
    if isinstance(value, int | float | np.integer | np.floating):
        return shown_number(value)
    return str(value)


def shown_column(column: pd.Series[Any]) -> list[str]:
    """Return the cells of a column as text; numbers that are all whole (counts beside missing ones) as whole ones."""
    if is_float_dtype(column):
        known = column.dropna()
        if bool((np.isfinite(known) & (known == np.floor(known)) & (known.abs() < _EXACT)).all()):
            return [MISSING if pd.isna(value) else shown_number(int(value)) for value in column]
    return [shown(value) for value in column]


def shown_number(value: float | np.number[Any], digits: int = 3) -> str:
    """Return a number with few significant digits: whole numbers in full, tiny and huge ones with a power of ten."""
    number = float(value)
    if not np.isfinite(number):
        return MISSING if np.isnan(number) else ("∞" if number > 0 else "−∞")
    if isinstance(value, int | np.integer):
        return f"{int(value):,}".replace("-", "−")
    size = abs(number)
    if size and not 1e-4 <= size < 1e7:
        mantissa, power = f"{number:.{digits - 1}e}".split("e")
        return f"{mantissa}×10{str(int(power)).translate(_RAISED)}".replace("-", "−")
    decimals = max(0, digits - 1 - int(np.floor(np.log10(size)))) if size else 0
    return f"{number:,.{decimals}f}".replace("-", "−")


def span(low: float, high: float) -> str:
    """Return an interval as text: ``0.1 to 0.4``; – if an end is missing."""
    return MISSING if pd.isna(low) or pd.isna(high) else f"{shown_number(float(low))} to {shown_number(float(high))}"


def shown_p(value: float) -> str:
    """Return a p-value as text, ``< 0.0001`` where it is less; – if it is missing."""
    return MISSING if pd.isna(value) else p_values.shown_p(float(value))


def p_text(value: float) -> str:
    """Return ``p = 0.0120`` or ``p < 0.0001``; – if it is missing."""
    return MISSING if pd.isna(value) else p_values.p_text(float(value))


def is_numeric(column: pd.Series[Any]) -> bool:
    """Return whether a column is set to the right: numbers, or text that is numbers or intervals throughout."""
    if is_numeric_dtype(column):
        return not is_bool_dtype(column)
    return _are_numbers([text for text in column.map(shown) if text != MISSING])


def _are_numbers(texts: Sequence[str]) -> bool:
    return bool(texts) and all(text.lstrip("−+<≥≤ ")[:1].isdigit() and not text[-1:].isalpha() for text in texts)
