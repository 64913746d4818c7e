"""What there is to ask for, with the schema of each: steps, edit operations, kinds of jobs, engines, formats."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from cellmetry.core.step import Parameters
from cellmetry.engines.base import ENGINES, Engine
from cellmetry.errors import MissingExtra, UnknownName
from cellmetry.export.formats import FORMATS
from cellmetry.pipeline.jobs.registry import JOB_KINDS, job_kind
from cellmetry.pipeline.recipe import STEPS
from cellmetry.server.bodies import Word
from cellmetry.server.wording import summary_of
from cellmetry.study.editing.registry import EDIT_OPERATIONS

__all__ = ["router"]

router = APIRouter(tags=["schemas"])


class Described(BaseModel):
    """Something with parameters."""

    name: str
    summary: str
    parameters: dict[str, Any]
    """JSON schema of its parameters: names, types, bounds, defaults, descriptions."""


class EngineView(BaseModel):
    """An engine; `problem` says what it needs where it cannot be used."""

    name: str
    summary: str = ""
    licence: str = ""
    models: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    problem: str = ""


@router.get("/steps")
def list_steps() -> list[Described]:
    """Return all steps that a recipe can have, with the schema of their parameters."""
    return [_described(name, STEPS.load(name)) for name in STEPS.names()]


@router.get("/steps/{name}")
def get_step(name: Word) -> Described:
    """Return one step."""
    return _described(name, STEPS.load(name))


@router.get("/edit-operations")
def list_operations() -> list[Described]:
    """Return all ways to change labels, with the schema of their parameters."""
    return [_described(name, kind) for name, kind in EDIT_OPERATIONS.items()]


@router.get("/edit-operations/{name}")
def get_operation(name: Word) -> Described:
    """Return one way to change labels."""
    if name not in EDIT_OPERATIONS:
        raise UnknownName("edit operation", name, EDIT_OPERATIONS)
    return _described(name, EDIT_OPERATIONS[name])


@router.get("/job-kinds")
def list_job_kinds() -> list[Described]:
    """Return all kinds of jobs, with the schema of their parameters: the body of a request for one."""
    return [_described(name, job_kind(name)) for name in JOB_KINDS]


@router.get("/job-kinds/{name}")
def get_job_kind(name: Word) -> Described:
    """Return one kind of job."""
    return _described(name, job_kind(name))


@router.get("/formats")
def list_formats() -> list[Described]:
    """Return the formats of other programs into which labels are exported, with their options."""
    return [_described(name, FORMATS.load(name)) for name in FORMATS.names()]


@router.get("/formats/{name}")
def get_format(name: Word) -> Described:
    """Return one format."""
    return _described(name, FORMATS.load(name))


@router.get("/engines")
def list_engines() -> list[EngineView]:
    """Return the engines that find objects, with the schema of their options and their models."""
    return [_engine(name) for name in ENGINES.names()]


@router.get("/engines/{name}")
def get_engine(name: Word) -> EngineView:
    """Return one engine."""
    return _engine(name)


def _described(name: str, kind: type[Parameters]) -> Described:
    return Described(name=name, summary=summary_of(kind), parameters=kind.model_json_schema())


def _engine(name: str) -> EngineView:
    try:
        engine: type[Engine] = ENGINES.load(name)
    except MissingExtra as error:
        return EngineView(name=name, problem=str(error))
    return EngineView(
        name=name,
        summary=engine.summary,
        licence=engine.licence,
        models=tuple(engine.models()),
        parameters=engine.options_type.model_json_schema(),
    )
