"""A real server, and what makes studies on it, for tests of the whole service."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parents[1] / "server"


def _load(name: str) -> Any:
    spec = spec_from_file_location(f"tests_acceptance_{name}", SERVER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def serving() -> Any:
    """Return the module `real_server` of the tests of the server."""
    return _load("real_server")


@pytest.fixture(scope="session")
def seeding() -> Any:
    """Return the module `seeded` of the tests of the server."""
    return _load("seeded")
