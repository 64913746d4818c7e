"""Models: the shipped ones, those of a study, which of them is active; training and evaluating are jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from cellmetry.core.step import Parameters
from cellmetry.errors import ModelError, UnknownName
from cellmetry.models.store import ListedModel, list_models
from cellmetry.server.bodies import ActDone, Word
from cellmetry.server.dependencies import ActorDep, EditStudy, Id, ReadStudy
from cellmetry.server.downloading import download, file_answer
from cellmetry.study.store.models import (
    StoredModel,
    activate_model,
    active_model,
    hide_model,
    load_model,
    model,
    models,
    roll_back_model,
)

__all__ = ["router"]

router = APIRouter(tags=["models"])

_ZIP = file_answer("A ZIP of the weights and the card.", "application/zip")


class ModelView(BaseModel):
    """A model; `id` is empty for one that every study may use."""

    id: str = ""
    name: str
    active: bool = False
    problem: str = ""
    """What is wrong with it where it cannot be used."""
    card: dict[str, Any] = {}
    """Licence, training data, scores on held-out images, how it is run."""
    job_id: str | None = None


class Choice(Parameters):
    """Which model is taken where none is named."""

    model: Annotated[str, Field(max_length=64, pattern=r"^mdl_[0-9a-f]{16}$")] | None = None
    """Id of a model of the study; null for the one that comes with Cellmetry."""


@router.get("/models")
def list_shared_models() -> list[ModelView]:
    """Return the models that come with Cellmetry or were installed."""
    return [_shared(each) for each in list_models()]


@router.get("/models/{name}")
def get_shared_model(name: Word) -> ModelView:
    """Return one of them with its card."""
    known = {each.name: each for each in list_models()}
    if name not in known:
        raise UnknownName("model", name, known)
    return _shared(known[name])


@router.get("/studies/{study}/models")
def list_study_models(store: ReadStudy) -> list[ModelView]:
    """Return the models that a study made or was given, the oldest first."""
    active = active_model(store)
    return [_view(each, active) for each in models(store)]


@router.get("/studies/{study}/models/active")
def get_active(store: ReadStudy) -> ModelView | None:
    """Return the model of the study that is taken where none is named; null for the one that comes with Cellmetry."""
    active = active_model(store)
    return None if active is None else _view(active, active)


@router.put("/studies/{study}/models/active")
def activate(store: EditStudy, actor: ActorDep, body: Choice) -> ActDone:
    """Make a model the one that is taken where none is named; its weights are proven first."""
    return ActDone(act=activate_model(store, actor, body.model))


@router.post("/studies/{study}/models/rollback")
def roll_back(store: EditStudy, actor: ActorDep) -> ActDone:
    """Take back the last activation: the model that was active before it is active again."""
    return ActDone(act=roll_back_model(store, actor))


@router.get("/studies/{study}/models/{model_id}")
def get_study_model(store: ReadStudy, model_id: Id) -> ModelView:
    """Return a model of the study with its card."""
    return _view(model(store, model_id), active_model(store))


@router.get("/studies/{study}/models/{model_id}/download", responses=_ZIP, response_class=Response)
def download_model(store: ReadStudy, model_id: Id) -> Response:
    """Return a ZIP of the weights and the card, as `cellmetry model install` takes them."""
    found = load_model(store, model(store, model_id))
    return download(found.path.parent, found.card.name)


@router.delete("/studies/{study}/models/{model_id}")
def remove_model(store: EditStudy, actor: ActorDep, model_id: Id) -> ActDone:
    """Hide a model; undoing the act brings it back. The active one stays until another is active."""
    active = active_model(store)
    if active is not None and active.id == model_id:
        raise ModelError(f"The model {active.name!r} is active; activate another before it is removed.")
    return ActDone(act=hide_model(store, actor, model_id))


def _shared(listed: ListedModel) -> ModelView:
    card = {} if listed.card is None else listed.card.model_dump(mode="json")
    problem = "" if listed.problem is None else f"The card of {listed.name} cannot be used."
    return ModelView(name=listed.name, problem=problem, card=card)


def _view(found: StoredModel, active: StoredModel | None) -> ModelView:
    is_active = active is not None and active.id == found.id
    return ModelView(id=found.id, name=found.name, active=is_active, card=found.card, job_id=found.job_id)
