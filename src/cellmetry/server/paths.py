"""Paths of requests: as routes see them, and what may be done at one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

__all__ = ["methods_at", "pattern_of", "route_path"]


def route_path(scope: Scope) -> str:
    """Return the path of a request below the root path of a proxy or of the application that mounts this one."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and (path == root or path.startswith(f"{root}/")) else path


def pattern_of(template: str) -> re.Pattern[str]:
    """Return what matches the paths of a template such as ``/studies/{study}``."""
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))


def methods_at(path: str, document: Mapping[str, Any]) -> str:
    """Return the methods that an OpenAPI document has for a path, as ``GET, POST``; empty for a path it has not."""
    found = {
        method.upper()
        for template, item in document["paths"].items()
        if pattern_of(template).fullmatch(path)
        for method in item
    }
    return ", ".join(sorted(found))
