"""Where models lie, and the proof that weights are what their card says. Nothing is ever downloaded.

A model is two files side by side: ``NAME.onnx`` and its card, ``NAME.json`` or ``NAME.toml``. Models come with the
package, lie in the user's folder (`cellmetry.settings.models_folder`), or anywhere when given by path.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ModelError, ParameterError
from cellmetry.models.card import ModelCard
from cellmetry.settings import models_folder

__all__ = ["DEFAULT_MODEL", "ListedModel", "Model", "find_model", "is_model_path", "list_models", "read_card"]

DEFAULT_MODEL = "base"
"""The model that is run where none is named."""

PACKAGED = Path(__file__).parent / "weights"

_CARDS = (".json", ".toml")
_FOREIGN = {
    b"\x80": "a pickle (such as PyTorch and joblib write), which could run any program when opened",
    b"PK\x03\x04": "a zip archive, as PyTorch saves its pickles, which could run any program when opened",
    b"\x89HDF": "an HDF5 file, as Keras writes",
    b"\x93NUMPY": "a NumPy array",
    b"version https://git-lfs": "a Git LFS pointer, which stands for weights that were not fetched",
    b"<": "a web page or XML",
    b"{": "JSON",
}
_EXTERNAL = b"\n\x08location"
"""The key, as protobuf stores it, by which an ONNX tensor names a file that holds its values."""
_MAX_CARD_BYTES = 1_000_000


@dataclass(frozen=True)
class Model:
    """Weights with their card."""

    card: ModelCard
    path: Path

    def read_weights(self) -> bytes:
        """Return the weights, proven to be those that the card describes.

        Raises
        ------
        ModelError
            If they are missing, cut short, altered, incomplete, or no ONNX file.
        """
        weights = _read_weights(self.path, self.card)
        found = hashlib.sha256(weights).hexdigest()
        if found != self.card.sha256:
            raise _altered(self.path, f"its SHA-256 is {found[:12]}…, the card says {self.card.sha256[:12]}…")
        if _EXTERNAL in weights:
            raise ModelError(
                f"The weights {self.path} keep part of themselves in another file, which their hash does not cover; "
                f"save the model as one file."
            )
        return weights


class ListedModel(NamedTuple):
    """A model as found in a folder, or what is wrong with its card."""

    name: str
    path: Path
    card: ModelCard | None
    problem: str | None


def find_model(name_or_path: str | Path | None = None) -> Model:
    """Return the model of this name, or at this path, its weights proven.

    A path leads to the ``.onnx`` file, to the card, or to a folder that holds exactly one model, such as
    ``cellmetry train --out`` makes.

    A packaged model wins over one of the same name in the user's folder. None stands for the default model.

    Raises
    ------
    ModelError
        If there is none, or it is damaged, altered or foreign.
    """
    wanted = name_or_path or DEFAULT_MODEL
    model = _at(Path(wanted)) if is_model_path(wanted) else _named(str(wanted))
    model.read_weights()
    return model


def list_models() -> tuple[ListedModel, ...]:
    """Return all models of the package and of the user's folder by name; weights are not read."""
    found: dict[str, ListedModel] = {}
    for folder in (PACKAGED, models_folder()):
        for path in sorted(folder.glob("*.*")):
            if path.suffix in _CARDS and path.stem not in found:
                found[path.stem] = _listed(path)
    return tuple(found.values())


def _listed(card_path: Path) -> ListedModel:
    try:
        model = read_card(card_path)
    except ModelError as error:
        return ListedModel(card_path.stem, card_path, None, str(error))
    return ListedModel(card_path.stem, model.path, model.card, None)


def is_model_path(name: str | Path) -> bool:
    """Return whether a model of this name would be looked for as a file; names of models hold no dot and no slash."""
    return isinstance(name, Path) or any(mark in name for mark in "/\\.")


def _named(name: str) -> Model:
    for folder in (PACKAGED, models_folder()):
        for suffix in _CARDS:
            if (card := folder / f"{name}{suffix}").is_file():
                return read_card(card)
        if (weights := folder / f"{name}.onnx").is_file():
            return _at(weights)
    known = ", ".join(model.name for model in list_models()) or "none"
    none_given = (
        " It comes with the package and is taken when none is named: install Cellmetry again."
        if name == DEFAULT_MODEL
        else ""
    )
    here = f" For the folder of that name here, write ./{name}." if Path(name).is_dir() else ""
    raise ModelError(
        f"There is no model {name!r}.{none_given}{here} Known: {known}. Give one with --model PATH, the path of its "
        f".onnx file with the card beside it, or put both into {models_folder()}; nothing is downloaded."
    )


def _at(path: Path) -> Model:
    if path.is_dir():
        return _at(_only_weights(path))
    if path.suffix.lower() in _CARDS:
        if not path.is_file():
            raise ModelError(f"There is no model card {path}.")
        return read_card(path)
    if not path.is_file():
        raise ModelError(f"There is no model file {path}. Give the path of an .onnx file, or the name of a model.")
    _refuse_foreign(path)
    cards = [path.with_suffix(suffix) for suffix in _CARDS if path.with_suffix(suffix).is_file()]
    if len(cards) != 1:
        names = " or ".join(path.with_suffix(suffix).name for suffix in _CARDS)
        problem = "has no card" if not cards else "has two cards"
        raise ModelError(f"The model {path} {problem}; exactly one of {names} must lie beside it.")
    model = read_card(cards[0])
    if model.path.name != path.name:
        raise ModelError(f"The card {cards[0]} describes {model.path.name}, not {path.name}; name one like the other.")
    return model


def _only_weights(folder: Path) -> Path:
    found = sorted(folder.glob("*.onnx"))
    if len(found) != 1:
        what = f"{len(found)} models ({', '.join(path.stem for path in found)})" if found else "no model"
        raise ModelError(f"The folder {folder} holds {what}; give the path of an .onnx file, or of a folder with one.")
    return found[0]


def read_card(path: Path) -> Model:
    """Return the model of the card at `path`; its weights are not read.

    Raises
    ------
    ModelError
        If the card is missing, damaged, or of another model.
    """
    card = _parse_card(path)
    if card.name != path.stem:
        raise ModelError(f"The card {path} is of a model named {card.name!r}; the file must be named like the model.")
    return Model(card, path.parent / card.file)


def _parse_card(path: Path) -> ModelCard:
    values = _card_values(path)
    if values.get("format", 1) != 1:
        raise ModelError(f"The card {path} has format {values['format']!r}; this Cellmetry reads format 1. Upgrade it.")
    try:
        return parse_parameters(ModelCard, values, where=f"model card {path}")
    except ParameterError as error:
        raise ModelError(str(error)) from error


def _card_values(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_CARD_BYTES:
            raise ModelError(f"The card {path} is larger than {_MAX_CARD_BYTES:,} bytes, which no model card is.")
        text = path.read_text("utf-8")
        values = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"The card {path} cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise ModelError(f"The card {path} must hold named values, not a {type(values).__name__}.")
    return values


def _read_weights(path: Path, card: ModelCard) -> bytes:
    try:
        _refuse_foreign(path)
        size = path.stat().st_size
        if size != card.size_bytes:
            how = "ends early" if size < card.size_bytes else "is too long"
            raise _altered(path, f"it {how}, {size:,} bytes of {card.size_bytes:,}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"The weights of model {card.name!r} are missing; they should be {path}.") from error
    except OSError as error:
        raise ModelError(f"The weights of model {card.name!r}, {path}, cannot be read: {error}.") from error


def _altered(path: Path, why: str) -> ModelError:
    return ModelError(
        f"The weights {path} are not those that their card describes: {why}. Copy the model again from where it came."
    )


def _refuse_foreign(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(32)
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise ModelError(f"The model file {path} is {what}; Cellmetry runs ONNX files only, and did not open it.")
    if not start:
        raise ModelError(f"The model file {path} is empty.")
