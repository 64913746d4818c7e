"""`Registry`: listing imports nothing, built-ins win, unknown names are explained."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from cellmetry.core import registry
from cellmetry.core.registry import Registry
from cellmetry.errors import UnknownName

THINGS = Registry("thing", {"counter": "collections:Counter", "far": "not_there:Thing"}, "cellmetry.test_things")


def test_loads_by_name() -> None:
    assert THINGS.load("counter").__name__ == "Counter"


def test_listing_imports_nothing() -> None:
    assert THINGS.names() == ["counter", "far"]
    assert "not_there" not in sys.modules


def test_an_unknown_name_is_explained() -> None:
    with pytest.raises(UnknownName, match=r"no thing 'conter'. Did you mean 'counter'\? Known: counter, far"):
        THINGS.load("conter")


def test_entry_points_are_added_and_built_ins_win(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        EntryPoint("path", "pathlib:Path", "cellmetry.test_things"),
        EntryPoint("counter", "pathlib:PurePath", "cellmetry.test_things"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry for entry in found if entry.group == group])
    assert THINGS.names() == ["counter", "far", "path"]
    assert THINGS.load("path") is Path
    assert THINGS.load("counter").__name__ == "Counter"
