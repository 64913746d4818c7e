"""`refuse_links`: an image that is a folder must not lead elsewhere by links in it."""

from __future__ import annotations

import os
from pathlib import Path

from cellmetry.errors import InputError

__all__ = ["refuse_links"]


def refuse_links(path: Path) -> None:
    """Refuse a link, and a folder that is an image, or belongs to one, with a link in it that leads out of it.

    Raises
    ------
    InputError
        If there is one; names it.
    """
    if path.is_symlink():
        raise InputError(f"{path.name} is a link, and this server follows none; put the file itself there.")
    for folder in (path, path.with_name(f"{path.name}.files")):  # the second one belongs to NAME.oif
        for where, folders, files in os.walk(folder):
            for each in (Path(where, name) for name in (*folders, *files)):
                if each.is_symlink() and not each.resolve().is_relative_to(folder.resolve()):
                    link = each.relative_to(folder).as_posix()
                    raise InputError(
                        f"{folder.name} has a link, {link}, that leads out of it, and this server follows none; "
                        f"put the file itself there."
                    )
