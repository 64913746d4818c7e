"""Files of drawn regions: a JSON list of rectangles and polygons by name."""

from __future__ import annotations

import json
from pathlib import Path

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import MissingInput, ParameterError
from cellmetry.ops.shapes import Shape

__all__ = ["read_shapes"]


def read_shapes(path: str | Path) -> tuple[Shape, ...]:
    """Return the regions of a JSON file: a list of objects with ``name`` and ``rectangle`` or ``polygon``.

    Raises
    ------
    MissingInput, ParameterError
        If there is no such file, or it does not hold regions.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; give a JSON file of regions or a label image.")
    try:
        entries = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise ParameterError(f"{path} is not JSON: {error}.") from error
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ParameterError(
            f'{path} must hold a list of regions, as [{{"name": "left", "rectangle": [0, 0, 100, 200]}}].'
        )
    return tuple(parse_parameters(Shape, entry, where=f"{path}, region {n}") for n, entry in enumerate(entries, 1))
