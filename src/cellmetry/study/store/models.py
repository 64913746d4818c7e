"""Models of a study: what its trainings made, which of them is active; activating is an act, undoing it rolls back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ModelError, ParameterError, UnknownName
from cellmetry.models.store import Model, find_model, list_models
from cellmetry.study.store.acts import ALIVE, act, hide_row, undo_act
from cellmetry.study.store.images import said_of, say
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = [
    "ACTIVE",
    "StoredModel",
    "activate_model",
    "active_model",
    "add_model",
    "find_model_of",
    "hide_model",
    "load_model",
    "model",
    "model_folder",
    "model_path",
    "models",
    "new_model_folder",
    "refuse_unknown_model",
    "roll_back_model",
]

ACTIVE = "active_model"
"""What is said of the study: the id of its active model, or null for the one that comes with Cellmetry."""
_STUDY, _FOLDER = "study", "models"


@dataclass(frozen=True)
class StoredModel:
    """A model that a study made or was given.

    Parameters
    ----------
    place
        Its weights, seen from the study's folder; the card lies beside them.
    sha256
        Of the weights.
    card
        Name, licence, training data, scores on held-out images, ….
    """

    id: str
    name: str
    place: str
    sha256: str
    card: dict[str, Any]
    job_id: str | None
    added_by: int
    removed_by: int | None


def new_model_folder(store: Store) -> tuple[str, Path]:
    """Return a new id of a model, and the folder into which its weights and card are to be put."""
    model_id = new_name("mdl")
    return model_id, model_folder(store, model_id)


def model_folder(store: Store, model_id: str) -> Path:
    """Return the folder of a model of this id."""
    return store.folder / _FOLDER / model_id


def add_model(store: Store, act: int, model_id: str, found: Model, *, job_id: str | None = None) -> str:
    """Return the id of a model whose weights and card lie in the study's folder; it is not active.

    Raises
    ------
    ModelError
        If the weights are not what the card says.
    """
    found.read_weights()
    place = found.path.resolve().relative_to(store.folder.resolve()).as_posix()
    with store.database.write() as connection:
        connection.execute(
            "INSERT INTO models (id, name, place, sha256, card, job_id, added_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (model_id, found.card.name, place, found.card.sha256, found.card.model_dump_json(), job_id, act),
        )
    return model_id


def model(store: Store, model_id: str) -> StoredModel:
    """Return a model by its id, also a hidden one.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row("SELECT * FROM models WHERE id = ?", (model_id,))
    if row is None:
        raise UnknownName("model of the study", model_id)
    return _model_of(row)


def models(store: Store) -> list[StoredModel]:
    """Return the models that are to be seen, the oldest first."""
    return [
        _model_of(row) for row in store.database.rows(f"SELECT * FROM models WHERE {ALIVE} ORDER BY added_by, rowid")
    ]


def model_path(store: Store, found: StoredModel) -> Path:
    """Return where the weights of a model lie."""
    return store.folder / found.place


def load_model(store: Store, found: StoredModel) -> Model:
    """Return a model with its weights proven to be those that were kept.

    Raises
    ------
    ModelError
        If they are missing, altered or foreign.
    """
    loaded = find_model(model_path(store, found))
    if loaded.card.sha256 != found.sha256:
        raise ModelError(
            f"The weights of the model {found.name!r} of {store.folder.name} are not those that were kept."
        )
    return loaded


def activate_model(store: Store, actor: Actor, model_id: str | None) -> int:
    """Return the act by which a model became the one that is taken where none is named; undoing it rolls back.

    Parameters
    ----------
    model_id
        None for the model that comes with Cellmetry.

    Raises
    ------
    UnknownName
        If there is no such model, or it was removed.
    ModelError
        If its weights are missing, altered or foreign: then the old one stays active.
    """
    store.must_be_writable()
    known = {each.id: each for each in models(store)}
    if model_id is not None and model_id not in known:
        raise UnknownName("model of the study", model_id, known)
    name = "that comes with Cellmetry" if model_id is None else load_model(store, known[model_id]).card.name
    with store.database.write():
        seq = act(store, actor, "activate", f"Activate the model {name}", model=model_id)
        say(store, seq, _STUDY, {ACTIVE: model_id})
    return seq


def roll_back_model(store: Store, actor: Actor) -> int:
    """Return the act that took back the last activation: the model that was active before is active again.

    Raises
    ------
    ParameterError
        If none was ever activated, or all activations were taken back.
    """
    store.must_be_writable()
    row = store.database.row(
        "SELECT max(seq) AS seq FROM acts WHERE verb = 'activate' AND seq IN (SELECT seq FROM holding)"
    )
    if row is None or row["seq"] is None:
        raise ParameterError("No model was activated in this study, so there is none to go back to.")
    return undo_act(store, actor, row["seq"])


def active_model(store: Store) -> StoredModel | None:
    """Return the model that is taken where none is named; None for the one that comes with Cellmetry."""
    said = said_of(store, _STUDY).get(ACTIVE)
    return next((each for each in models(store) if each.id == said), None)


def find_model_of(store: Store, name: str) -> StoredModel | None:
    """Return the model of this id, or the newest of this name, among those that are to be seen."""
    return next((each for each in reversed(models(store)) if name in (each.id, each.name)), None)


def refuse_unknown_model(store: Store, name: str) -> None:
    """Refuse a name that neither a model of the study has, by its id or name, nor an installed one.

    Raises
    ------
    UnknownName
        If so; says the nearest right word.
    """
    if find_model_of(store, name) is None:
        installed = {each.name for each in list_models()}
        if name not in installed:
            raise UnknownName("model", name, installed | {each.name for each in models(store)})


def hide_model(store: Store, actor: Actor, model_id: str) -> int:
    """Return the act that hid a model; undoing it brings the model back.

    Raises
    ------
    UnknownName
        If there is none.
    ParameterError
        If it is hidden already.
    """
    store.must_be_writable()
    with store.database.write():
        found = model(store, model_id)
        seq = act(store, actor, "remove", f"Remove the model {found.name}", model=model_id)
        hide_row(store, seq, "models", model_id)
    return seq


def _model_of(row: sqlite3.Row) -> StoredModel:
    return StoredModel(**{**dict(row), "card": json.loads(row["card"])})
