"""Fixtures of the counting tests."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_models():
    """Return the function that writes the tiny network of the engine's tests, with a card of one's choice."""
    path = Path(__file__).resolve().parents[1] / "engines" / "tiny_model.py"
    spec = spec_from_file_location("tiny_model_for_counting", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_model
