"""Limits that protect the machine from hostile or damaged files, and where models lie; all set by the environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path

from cellmetry.errors import ParameterError

__all__ = ["Settings", "current_settings", "models_folder"]


@dataclass(frozen=True)
class Settings:
    """Limits in force; each field is read from ``CELLMETRY_<FIELD NAME>`` when that variable is set."""

    max_plane_bytes: int = 4_000_000_000
    """Largest single plane (one channel, Z and T) that is decoded as a whole."""
    max_pages: int = 1_000_000
    """Most pages that a TIFF may have."""
    max_tiny_pages: int = 20_000
    """Most pages of a TIFF whose pages are smaller than 16 × 16 pixels."""
    max_compression_ratio: int = 1_000
    """Largest decoded size per stored byte of a file above 64 MB decoded."""
    max_labels_in_memory: int = 1 << 27
    """Most pixels of a label image that is kept in memory; larger ones lie in a temporary file."""
    max_file_levels: int = 32
    """Most resolution levels of a pyramid."""
    threads: int = os.cpu_count() or 1
    """Threads with which a network is run; the result does not depend on it."""


def current_settings() -> Settings:
    """Return the settings with the environment's changes.

    Raises
    ------
    ParameterError
        If a variable is not a positive whole number.
    """
    changes: dict[str, int] = {}
    for field in fields(Settings):
        text = os.environ.get(f"CELLMETRY_{field.name.upper()}")
        if text is None:
            continue
        if not text.isdigit() or int(text) == 0:
            raise ParameterError(f"CELLMETRY_{field.name.upper()} must be a positive whole number, not {text!r}.")
        changes[field.name] = int(text)
    return replace(Settings(), **changes)


def models_folder() -> Path:
    """Return the user's folder of models: ``CELLMETRY_MODELS``, or the platform's place for a user's data."""
    given = os.environ.get("CELLMETRY_MODELS")
    if given:
        return Path(given).expanduser()
    return _data_home() / "cellmetry" / "models"


def _data_home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
