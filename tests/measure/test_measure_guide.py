"""The guide to measuring names every column."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellmetry.measure.columns import CHANNEL_COLUMNS, OBJECT_COLUMNS

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "measuring.md"


@pytest.mark.parametrize("name", [column.name for column in (*OBJECT_COLUMNS, *CHANNEL_COLUMNS)])
def test_the_guide_names_the_column(name):
    assert f"`{name}`" in GUIDE.read_text(encoding="utf-8")
