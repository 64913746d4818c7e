"""Folders of the server's computer that may be read: only those below the configured roots, links followed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cellmetry.errors import NotAllowed
from cellmetry.io.discover import find_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["inputs_below", "place_below"]

_SHOWN = 200


def place_below(text: str, roots: Sequence[Path]) -> Path:
    """Return the real place that a text names, if it is a root or lies below one.

    The answer is the same whether there is nothing, or something that may not be read.

    Raises
    ------
    NotAllowed
        If it does not lie there, or there is no root.
    """
    if not roots:
        raise NotAllowed("This server reads no folders of its computer; upload the files, or start it with --root.")
    try:
        place = Path(text).resolve(strict=True)
        below = Path(text).is_absolute() and any(place.is_relative_to(root.resolve()) for root in roots)
    except (OSError, RuntimeError, ValueError):
        below = False
    if not below:
        raise NotAllowed(f"{text[:_SHOWN]} is not there, or is outside the folders that this server may read.")
    return place


def inputs_below(texts: Sequence[str], roots: Sequence[Path]) -> list[Path]:
    """Return the files and folders that texts name, after looking at every file that they mean.

    Raises
    ------
    NotAllowed
        If one, or what a link in it points to, lies outside the roots.
    MissingInput
        If a folder has no image.
    """
    places = [place_below(text, roots) for text in texts]
    for file in find_inputs(places):
        place_below(str(file.path), roots)
    return places
