"""The home folder of studies, and the file there by which programs find the server that runs."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["ADDRESS_FILE", "default_home"]

ADDRESS_FILE = "server.json"
"""File of the home folder, for its owner's eyes only, with the address and the token of the server that runs."""


def default_home() -> Path:
    """Return the folder of studies: ``CELLMETRY_HOME``, or the folder Cellmetry in the user's own."""
    given = os.environ.get("CELLMETRY_HOME")
    return Path(given).expanduser() if given else Path.home() / "Cellmetry"
