"""Models of a user as they follow each other: each training makes a new version, and none is lost.

A model's folder holds the version in use, ``NAME.onnx`` with its card ``NAME.json``, and in ``versions/`` every
version in a folder named by its number: a model of its own, which can be run by path.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ModelError, ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.models import store
from cellmetry.models.card import ModelCard
from cellmetry.models.store import Model, find_model, read_card
from cellmetry.settings import models_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Version",
    "describe_versions",
    "install_model",
    "list_versions",
    "locate_versions",
    "save_version",
    "use_version",
]

_FOLDER = "versions"


class Version(NamedTuple):
    """One version of a model.

    Parameters
    ----------
    number
        Its number, from 1.
    model
        Its card and where its weights are.
    used
        Whether it is the one in use.
    """

    number: int
    model: Model
    used: bool


def list_versions(folder: Path, name: str) -> list[int]:
    """Return the numbers of the versions of a model, ascending."""
    found = (path.parent.name for path in (folder / _FOLDER).glob(f"*/{name}.json"))
    return sorted(int(number) for number in found if number.isdecimal())


def describe_versions(folder: Path, name: str) -> list[Version]:
    """Return all versions of a model, ascending; weights are not read."""
    in_use = folder / f"{name}.json"
    now = read_card(in_use).card if in_use.is_file() else None
    found = [(number, read_card(_place(folder, number) / f"{name}.json")) for number in list_versions(folder, name)]
    return [
        Version(number, model, now is not None and (now.version, now.sha256) == (str(number), model.card.sha256))
        for number, model in found
    ]


def locate_versions(path: Path) -> tuple[Path, str]:
    """Return the folder and the name of the model whose versions lie at `path`: its folder, weights or card.

    Raises
    ------
    ModelError
        If there are no versions, or those of several models.
    """
    if path.is_dir():
        cards = (path / _FOLDER).glob("*/*.json")
        names = sorted({card.stem for card in cards if card.parent.name.isdecimal()})
        if len(names) > 1:
            raise ModelError(
                f"{path} holds versions of several models ({', '.join(names)}); give {path / names[0]}.json."
            )
        folder, name = path, names[0] if names else ""
    else:
        folder, name = path.parent, path.stem
    if not name or not list_versions(folder, name):
        raise ModelError(
            f"There are no versions of a model at {path}; give the folder that `cellmetry train --out` made."
        )
    return folder, name


def save_version(folder: Path, weights: bytes, fields: dict[str, Any]) -> Model:
    """Write weights as the next version of a model, take it into use, and return it.

    Parameters
    ----------
    fields
        Of the card, as JSON values; version, file, hash and size are filled in.
    """
    name = fields["name"]
    number = max([0, *list_versions(folder, name)]) + 1
    _write(_place(folder, number), weights, fields | {"version": str(number)})
    return use_version(folder, name, number)


def use_version(folder: Path, name: str, number: int) -> Model:
    """Take a version of a model into use, and return it; the others stay.

    Raises
    ------
    ModelError
        If there is no such version, or its weights are damaged: then nothing changes.
    """
    known = list_versions(folder, name)
    if number not in known:
        listed = ", ".join(map(str, known)) or "none"
        raise ModelError(f"The model {name!r} in {folder} has no version {number}; there are: {listed}.")
    kept = find_model(_place(folder, number) / f"{name}.json")
    return _write(folder, kept.read_weights(), kept.card.model_dump(mode="json"))


def install_model(model: Model, name: str | None = None, *, replace: bool = False) -> Model:
    """Return a copy of a model in the user's folder, where ``--model NAME`` finds it.

    Parameters
    ----------
    name
        For the copy; the model's own if None.
    replace
        Whether another model of that name may be replaced.

    Raises
    ------
    ModelError
        If the weights are damaged, or the name belongs to another model.
    """
    name = name or model.card.name
    taken = next((known for known in store.list_models() if known.name == name), None)
    if taken is not None and taken.path.parent == store.PACKAGED:
        raise ModelError(f"{name!r} is a model that comes with Cellmetry and is found first; give another --name.")
    other = taken is not None and (taken.card is None or taken.card.sha256 != model.card.sha256)
    if other and not replace:
        raise ModelError(
            f"There is another model {name!r} in {models_folder()}; give this one another --name, or replace that one "
            f"with --replace."
        )
    for suffix in (".toml", ".json") if other else ():
        (models_folder() / f"{name}{suffix}").unlink(missing_ok=True)
    return _write(models_folder(), model.read_weights(), model.card.model_dump(mode="json") | {"name": name})


def _place(folder: Path, number: int) -> Path:
    return folder / _FOLDER / str(number)


def _write(folder: Path, weights: bytes, fields: dict[str, Any]) -> Model:
    """Write weights, then the card, which alone makes them a model, and return it once it is proven."""
    name = str(fields["name"])
    proof = {"file": f"{name}.onnx", "sha256": hashlib.sha256(weights).hexdigest(), "size_bytes": len(weights)}
    try:
        card = parse_parameters(ModelCard, fields | proof, where=f"card of the model {name!r}")
    except ParameterError as error:
        raise ModelError(str(error)) from error
    with atomic_write(folder / card.file) as part:
        part.write_bytes(weights)
    with atomic_write(folder / f"{name}.json") as part:
        part.write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return find_model(folder / f"{name}.json")
