"""Fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("cellmetry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cellmetry")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real images and reference numbers; a test that needs it is skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real images '../shared' is not beside this checkout")
    return SHARED
