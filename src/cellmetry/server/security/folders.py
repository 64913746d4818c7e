"""Folders that may be registered: real ones below the roots that the server was started with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cellmetry.errors import MissingInput, NotAllowed, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["allowed_place", "must_lie_below"]


def allowed_place(text: str, roots: Iterable[Path]) -> Path:
    """Return the real path of a folder or file that lies below one of the roots.

    Raises
    ------
    ParameterError
        If the text is no whole path of this computer: a share of another one, a URL, a relative path.
    NotAllowed
        If it lies elsewhere, also by a link.
    MissingInput
        If it lies below a root and is not there.
    """
    if "\0" in text or "://" in text or text.startswith(("\\\\", "//")):
        raise ParameterError("Give a whole path on this server: no URL, no share of another computer.")
    place = Path(text)
    if not place.is_absolute():
        raise ParameterError("Give a whole path on this server, from its root on.")
    try:
        real = place.resolve()
    except (OSError, RuntimeError) as error:  # a link to itself
        raise ParameterError(f"{text} cannot be followed: {error}.") from error
    must_lie_below([real], roots)
    if not real.exists():
        raise MissingInput(f"There is no {text}.")
    return real


def must_lie_below(paths: Iterable[Path], roots: Iterable[Path]) -> None:
    """Refuse files that lie elsewhere than below the roots, as a link in a folder may.

    Raises
    ------
    NotAllowed
        If one does.
    """
    real_roots = [root.resolve() for root in roots]
    for path in paths:
        real = path.resolve()
        if not any(real.is_relative_to(root) for root in real_roots):
            raise NotAllowed(
                f"{path.name} does not lie below a folder that this server may read; start it with --root FOLDER."
            )
