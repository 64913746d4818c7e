"""Fixtures that all tests share."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("cellmetry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cellmetry")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the few and long tests of the app, so that none of them runs alone at the end."""
    items.sort(key=lambda item: "web" not in item.path.relative_to(Path(__file__).parent).parts)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real images and reference numbers; a test that needs it is skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real images '../shared' is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def tiny_models():
    """Return the function that writes the tiny network of the engine's tests, with a card of one's choice."""
    spec = spec_from_file_location("tiny_model_for_all", Path(__file__).parent / "engines" / "tiny_model.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_model
