"""The server that tests of routes share."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def _load(name: str) -> Any:
    spec = spec_from_file_location(f"tests_server_{name}", Path(__file__).parent / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def serving() -> Any:
    """Return the module `real_server`: `with serving.real_server(home, *options) as server: server.client()…`."""
    return _load("real_server")


@pytest.fixture(scope="session")
def raw() -> Any:
    """Return the module `raw`: requests as no HTTP library would send them."""
    return _load("raw")


@pytest.fixture(scope="module")
def server(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real server of mode laptop, with an empty home folder; images may be registered below `server.home.parent`."""
    folder = tmp_path_factory.mktemp("server")
    with serving.real_server(folder / "home", "--root", str(folder)) as running:
        yield running


@pytest.fixture
def client(server: Any) -> Any:
    """A client that is let in; its URLs are below ``/api/v1/``."""
    return server.client()


@pytest.fixture(scope="session")
def seeding() -> Any:
    """Return the module `seeded`: `seeding.seeded_study(server, client, tiny_models, place)` has something of all."""
    return _load("seeded")
