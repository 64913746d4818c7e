"""The record of a run: what was done to what, by which versions, how long it took."""

from __future__ import annotations

import platform
import re
from dataclasses import asdict
from importlib.metadata import requires, version
from typing import TYPE_CHECKING, Any

from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.pipeline.inputs import file_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.pipeline.work import Outcome

__all__ = ["run_record", "versions"]


def versions() -> dict[str, str]:
    """Return the versions of Cellmetry, Python and all libraries that Cellmetry requires."""
    needed = [text for text in requires("cellmetry") or [] if "extra ==" not in text]
    names = sorted(re.split(r"[\s<>=!~;\[(]", text)[0] for text in needed)
    libraries = {name: version(name) for name in names}
    return {"cellmetry": version("cellmetry"), "python": platform.python_version(), **libraries}


def run_record(recipe: Recipe, outcomes: Sequence[Outcome], times: dict[str, str], workers: int) -> dict[str, Any]:
    """Return the record of a run as JSON values.

    Parameters
    ----------
    times
        When the run started and ended, ISO 8601 with time zone.
    """
    engines = [step.load_engine().describe() for step in recipe.steps if isinstance(step, Segment | Maps)]
    return {
        "recipe": {"name": recipe.name, "sha256": recipe.hash, "file": "recipe.toml"},
        "files_read": {str(file): file_hash(file) for file in recipe.files_read()},
        "engines": engines,
        "versions": versions(),
        "machine": {"system": platform.system(), "processor": platform.machine()},
        **times,
        "workers": workers,
        "images": [asdict(outcome) for outcome in outcomes],
    }
