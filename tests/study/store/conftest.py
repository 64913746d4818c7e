"""Fixtures of the tests of the store."""

from __future__ import annotations

import pytest

from .made_study import new_study


@pytest.fixture
def study(tmp_path):
    """Return an open study and the id of its labels; it is closed after the test."""
    store, labels = new_study(tmp_path)
    yield store, labels
    store.close()
