"""Every route of a study asks for a right: to change it asks for more than to see it."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter

from cellmetry.server import routes
from cellmetry.server.app import API, create_app
from cellmetry.server.dependencies import EditStudy, GrowStudy, OwnStudy, ReadStudy, RoleDep
from cellmetry.server.security.refusal import UNSAFE
from cellmetry.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUTERS = {
    id(each): each
    for module in iter_modules(routes.__path__)
    for each in vars(import_module(f"{routes.__name__}.{module.name}")).values()
    if isinstance(each, APIRouter)
}
OF_STUDIES = [route for each in ROUTERS.values() for route in each.routes if "/{study}" in getattr(route, "path", "")]
TO_SEE_ONLY = {"find_place", "get_values", "query_rows", "summarise"}
"""Names of routes that change nothing though their method could."""


def rights(endpoint: Callable[..., Any]) -> set[str]:
    asked = {each.annotation for each in inspect.signature(endpoint, eval_str=True).parameters.values()}
    names = {"see": ReadStudy, "edit": EditStudy, "grow": GrowStudy, "own": OwnStudy, "role": RoleDep}
    return {name for name, right in names.items() if right in asked}


@pytest.mark.parametrize("route", OF_STUDIES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_a_route_of_a_study_asks_for_a_right(route: Any) -> None:
    asked = rights(route.endpoint)
    if route.methods & UNSAFE and route.name not in TO_SEE_ONLY:
        assert asked & {"edit", "grow", "own"}
    else:
        assert asked & {"see", "edit", "grow", "own"}


def test_all_routes_of_studies_are_looked_at(tmp_path: Path) -> None:
    documented = create_app(ServerSettings(tmp_path)).openapi()["paths"]
    assert {f"{API}{route.path}" for route in OF_STUDIES} == {path for path in documented if "{study}" in path}
