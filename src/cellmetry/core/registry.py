"""`Registry`: name → "module:Class", built-ins first, then entry points; listing imports nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from cellmetry.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Registry"]

_IMPORTING = threading.RLock()
"""Python 3.11 may fail when two threads compile modules at once: "AST constructor recursion depth mismatch"."""


@dataclass(frozen=True)
class Registry:
    """Plug-ins of one kind. Built-ins win when a third party uses the same name.

    Parameters
    ----------
    kind
        What is registered, in one word, for messages: ``engine``, ``step``, ``reader``.
    builtin
        Name → ``"module:Class"``.
    group
        Entry-point group in which other packages register theirs.
    """

    kind: str
    builtin: Mapping[str, str]
    group: str

    def targets(self) -> dict[str, str]:
        """Return name → ``"module:Class"`` of all plug-ins, built-ins first, without importing any."""
        found = {entry.name: entry.value for entry in entry_points(group=self.group)}
        return {**self.builtin, **{name: value for name, value in found.items() if name not in self.builtin}}

    def names(self) -> list[str]:
        """Return the names of all plug-ins."""
        return list(self.targets())

    def load(self, name: str) -> Any:
        """Return the class registered as `name`, importing its module.

        Raises
        ------
        UnknownName
            If nothing is registered under this name.
        """
        targets = self.builtin if name in self.builtin else self.targets()
        if name not in targets:
            raise UnknownName(self.kind, name, targets)
        module, _, attribute = targets[name].partition(":")
        with _IMPORTING:
            return getattr(import_module(module), attribute)
