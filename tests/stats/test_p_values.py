"""p-values are written alike everywhere."""

from __future__ import annotations

import pytest

from cellmetry.stats.p_values import p_text, shown_p


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "< 0.0001"), (0.0001, "0.000100"), (0.02, "0.0200"), (0.99999, "1.00")]
)
def test_three_digits_or_below_a_ten_thousandth(value: float, text: str) -> None:
    assert shown_p(value) == text
    assert p_text(value) == ("p < 0.0001" if value < 0.0001 else f"p = {text}")
