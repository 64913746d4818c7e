"""Words for wells as one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.io.wells import PLATES, Well, parse_row, parse_well, plate_of, row_name

ROWS, COLUMNS = st.integers(0, 31), st.integers(0, 47)
FORMS = (
    "{r}{c}",
    "{r}{c:02d}",
    "{r} - {c}",
    "{r}-{c:02d}",
    "{r}_{c}",
    "{r}/{c}",
    " {r}{c} ",
    "r{n}c{c}",
    "R{n:02d}C{c:02d}",
)


@given(ROWS, COLUMNS, st.sampled_from(FORMS), st.booleans())
def test_all_forms_of_a_well_are_one(row: int, column: int, form: str, small: bool) -> None:
    text = form.format(r=row_name(row), c=column + 1, n=row + 1)
    assert parse_well(text.lower() if small else text) == Well(row, column)


@given(ROWS, COLUMNS)
def test_names_lead_back(row: int, column: int) -> None:
    assert parse_well(Well(row, column).name) == (row, column)
    assert parse_row(row_name(row)) == parse_row(str(row + 1)) == row


@pytest.mark.parametrize("word", ["", "A0", "A49", "AG01", "dish 1", "12", "A", "r33c1", "A01b", "r0c1"])
def test_what_is_no_well(word: str) -> None:
    assert parse_well(word) is None


def test_plates() -> None:
    assert [plate.wells for plate in PLATES.values()] == list(PLATES)
    assert plate_of([Well(7, 11)]).wells == 96
    assert plate_of([Well(0, 0), Well(0, 12)]).wells == 384
    assert plate_of([Well(16, 0)]).wells == 1536
    assert [Well(0, 4).on_edge(PLATES[96]), Well(7, 4).on_edge(PLATES[96]), Well(7, 4).on_edge(PLATES[384])] == [
        True,
        True,
        False,
    ]
