"""Models of a user as they follow each other: each training makes a new version, and none is lost.

A model's folder holds the version in use, ``NAME.onnx`` with its card ``NAME.json``, and in ``versions/`` every
version in a folder named by its number.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from cellmetry.io.atomic import atomic_write
from cellmetry.models.card import ModelCard
from cellmetry.models.store import Model, find_model

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["list_versions", "save_version", "use_version"]

_FOLDER = "versions"


def list_versions(folder: Path, name: str) -> list[int]:
    """Return the numbers of the versions of a model, ascending."""
    found = (path.parent.name for path in (folder / _FOLDER).glob(f"*/{name}.json"))
    return sorted(int(number) for number in found if number.isdigit())


def save_version(folder: Path, weights: bytes, fields: dict[str, Any]) -> Model:
    """Write weights as the next version of a model, take it into use, and return it.

    Parameters
    ----------
    fields
        Of the card, as JSON values; version, file, hash and size are filled in.
    """
    name = fields["name"]
    number = max([0, *list_versions(folder, name)]) + 1
    _write(folder / _FOLDER / str(number), weights, fields | {"version": str(number)})
    return use_version(folder, name, number)


def use_version(folder: Path, name: str, number: int) -> Model:
    """Take a version of a model into use, and return it.

    Raises
    ------
    ModelError
        If there is no such version, or its weights are damaged.
    """
    kept = find_model(folder / _FOLDER / str(number) / f"{name}.json")
    _write(folder, kept.read_weights(), kept.card.model_dump(mode="json"))
    return find_model(folder / f"{name}.json")


def _write(folder: Path, weights: bytes, fields: dict[str, Any]) -> None:
    """Write weights, then the card, which alone makes them a model."""
    proof = {"sha256": hashlib.sha256(weights).hexdigest(), "size_bytes": len(weights)}
    card = ModelCard.model_validate(fields | proof | {"file": f"{fields['name']}.onnx"})
    with atomic_write(folder / card.file) as part:
        part.write_bytes(weights)
    with atomic_write(folder / f"{card.name}.json") as part:
        part.write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
