"""Every route of a study asks for a right: to change it asks for more than to see it."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest

from cellmetry.server import routes
from cellmetry.server.dependencies import EditStudy, OwnStudy, ReadStudy, RoleDep
from cellmetry.server.security.refusal import UNSAFE

if TYPE_CHECKING:
    from collections.abc import Callable

FOUND = [
    route
    for each in iter_modules(routes.__path__)
    for route in getattr(getattr(import_module(f"{routes.__name__}.{each.name}"), "router", None), "routes", [])
]
OF_STUDIES = [route for route in FOUND if "/{study}" in getattr(route, "path", "")]
TO_SEE_ONLY = {"query_rows"}
"""Names of routes that change nothing though their method could."""


def rights(endpoint: Callable[..., Any]) -> set[str]:
    asked = {each.annotation for each in inspect.signature(endpoint, eval_str=True).parameters.values()}
    names = {"see": ReadStudy, "edit": EditStudy, "own": OwnStudy, "role": RoleDep}
    return {name for name, right in names.items() if right in asked}


@pytest.mark.parametrize("route", OF_STUDIES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_a_route_of_a_study_asks_for_a_right(route: Any) -> None:
    asked = rights(route.endpoint)
    if route.methods & UNSAFE and route.name not in TO_SEE_ONLY:
        assert asked & {"edit", "own"}
    else:
        assert asked & {"see", "edit", "own"}


def test_there_are_routes_to_look_at() -> None:
    assert len(OF_STUDIES) > 2
