"""Measurements of objects: one function a feature, one table of columns.

The package itself can be called: ``cellmetry.measure(image, labels)`` is `cellmetry.measure.table.measure`, although
the import system puts this package under that very name as soon as any of its modules is imported.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """A package that stands for the function of the same name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the table of an image's objects; see `cellmetry.measure.table.measure`."""
        return import_module("cellmetry.measure.table").measure(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
