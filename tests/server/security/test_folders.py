"""Folders may be registered below the roots only: no links out, no shares, no URLs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cellmetry.errors import CellmetryError, MissingInput, NotAllowed, ParameterError
from cellmetry.server.security.folders import allowed_place, must_lie_below

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a folder, beside one that is not allowed."""
    (tmp_path / "root" / "plate").mkdir(parents=True)
    (tmp_path / "rooted").mkdir()
    (tmp_path / "root" / "plate" / "a.tif").touch()
    return tmp_path / "root"


def test_what_lies_below_a_root_is_allowed(root: Path) -> None:
    for place in (root, root / "plate", root / "plate" / "a.tif", root / "plate" / ".." / "plate"):
        assert allowed_place(str(place), [root]) == place.resolve()


@pytest.mark.parametrize("tail", ["..", "../rooted", "plate/../../rooted", "plate/../../../../etc/passwd"])
def test_nothing_above_or_beside(root: Path, tail: str) -> None:
    with pytest.raises(NotAllowed, match="--root"):
        allowed_place(f"{root}/{tail}", [root])


@pytest.mark.parametrize(
    "text", ["plate", "", "\\\\host\\share", "//host/share", "http://127.0.0.1/x", "file:///etc/passwd", "/a\0b", "~"]
)
def test_only_whole_paths_of_this_computer(root: Path, text: str) -> None:
    with pytest.raises(ParameterError):
        allowed_place(text, [root])


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_out_are_refused(root: Path) -> None:
    (root / "out").symlink_to("/etc")
    (root / "plate" / "b.tif").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(root / "loop")
    for place in ("out", "out/passwd", "plate/b.tif"):
        with pytest.raises(NotAllowed):
            allowed_place(f"{root}/{place}", [root])
    with pytest.raises(CellmetryError):
        allowed_place(f"{root}/loop", [root])
    with pytest.raises(NotAllowed, match=r"b\.tif"):
        must_lie_below((root / "plate").iterdir(), [root])


def test_what_is_not_there_is_told_below_a_root_only(root: Path) -> None:
    with pytest.raises(MissingInput):
        allowed_place(f"{root}/none", [root])
    with pytest.raises(NotAllowed):
        allowed_place(f"{root.parent}/none", [root])
    with pytest.raises(NotAllowed):
        allowed_place(str(root), [])
