"""Numbers in reports: few digits, nothing lost, a true minus sign."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.report.numerals import is_numeric, p_text, shown, shown_column, shown_number, shown_p, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (1234567, "1,234,567"),
        (-3, "−3"),
        (3.14159, "3.14"),
        (-0.012345, "−0.0123"),
        (12345.6, "12,346"),
        (2.5e-9, "2.50×10⁻⁹"),
        (True, "yes"),
        (np.bool_(False), "no"),
        (np.nan, "–"),
        (pd.NA, "–"),
        (None, "–"),
        (float("inf"), "∞"),
        ("a < b", "a < b"),
    ],
)
def test_values_as_a_reader_wants_them(value, text) -> None:
    assert shown(value) == text


@given(st.floats(-1e300, 1e300, allow_subnormal=False))
def test_three_digits_are_within_half_a_unit_of_the_third(value) -> None:
    text = shown_number(value).replace(",", "").replace("−", "-")
    if "×10" in text:
        mantissa, power = text.split("×10")
        text = f"{mantissa}e{power.translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))}"
    assert float(text) == pytest.approx(value, rel=5.1e-3)


def test_counts_beside_missing_ones_stay_whole() -> None:
    assert shown_column(pd.Series([3.0, np.nan, 1200.0])) == ["3", "–", "1,200"]
    assert shown_column(pd.Series([3.0, 2.5])) == ["3.00", "2.50"]


def test_p_values_too_small_for_a_number_are_not_zero() -> None:
    assert shown_p(0.0) == "< 0.0001"
    assert p_text(0.000099) == "p < 0.0001"
    assert p_text(0.0001) == "p = 0.000100"
    assert p_text(0.0312) == "p = 0.0312"
    assert p_text(np.nan) == "–"


def test_intervals_and_numbers_are_set_right_and_words_left() -> None:
    assert span(-1, 2.5) == "−1.00 to 2.50"
    assert span(np.nan, 1.0) == "–"
    assert is_numeric(pd.Series(["−1.00 to 2.50", "–"]))
    assert is_numeric(pd.Series([1, 2]))
    assert not is_numeric(pd.Series(["3 wells"]))
    assert not is_numeric(pd.Series([True]))
    assert not is_numeric(pd.Series(["–"]))
