"""`cellmetry job submit`: a job at the end of a study's queue."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from cellmetry.cli.job.opening import StudyFolder, actor, shared
from cellmetry.cli.options import Settings
from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.pipeline.jobs.registry import JOB_KINDS, parse_job
from cellmetry.pipeline.served_jobs import check_job
from cellmetry.study.store.images import images
from cellmetry.study.store.jobs import add_job
from cellmetry.study.store.store import Store

__all__ = ["submit"]


def submit(
    study: StudyFolder,
    kind: Annotated[str, typer.Argument(help=f"What is done: {', '.join(JOB_KINDS)}.")],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            help="name=value each, as in recipe=nuclei or look.channel=DAPI; values are TOML or JSON, so a text of "
            "digits is '\"2024\"'; name=@FILE takes a file's text."
        ),
    ] = None,
    settings: Settings = None,
    image: Annotated[
        list[str] | None, typer.Option("--image", help="Name or id of an image; all if left out. Repeatable.")
    ] = None,
) -> None:
    """Put a job into the queue of a study and print its id; also while a server has the study open.

    Whoever has the study open works on it: a server, or `cellmetry job run`.

    Example: [bold]cellmetry job submit edu.cellmetry segment recipe=nuclei --set segment.diameter_um=12[/bold]
    """
    given: dict[str, Any] = {}
    for text in parameters or ():
        _put(given, *_pair(text))
    if settings:
        given["set"] = settings
    with shared(study) as store:
        if image:
            given["images"] = _ids(store, image)
        job = parse_job(kind, given)
        check_job(store, job)
        typer.echo(add_job(store, actor(), kind, job.model_dump(mode="json", exclude_unset=True)))


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(f"{text!r} is not of the form name=value, as in recipe=nuclei.")
    if value.startswith("@"):
        file = Path(value[1:])
        if not file.is_file():
            raise MissingInput(f"There is no file {file}, whose text {name} is to be.")
        return name, file.read_text(encoding="utf-8-sig")
    for read in (_of_json, _of_toml):
        with suppress(ValueError):
            return name, read(value)
    return name, value


def _of_json(text: str) -> Any:
    return json.loads(text)


def _of_toml(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"]


def _put(given: dict[str, Any], name: str, value: Any) -> None:
    """Put a value under its name, of which dots part the names of parameters within parameters."""
    *groups, last = name.split(".")
    for group in groups:
        given = given.setdefault(group, {})
        if not isinstance(given, dict):
            raise ParameterError(f"{name} cannot be said beside {group}, which has a value already.")
    given[last] = value


def _ids(store: Store, names: list[str]) -> list[str]:
    """Return the ids of images by their names or ids."""
    there = images(store)
    found = []
    for name in names:
        ids = [each.id for each in there if name in (each.id, each.name)]
        if not ids:
            raise UnknownName("image in the study", name, [each.name for each in there])
        if len(ids) > 1:
            raise ParameterError(f"{len(ids)} images of the study are named {name}; give an id: {', '.join(ids)}.")
        found += ids
    return found
