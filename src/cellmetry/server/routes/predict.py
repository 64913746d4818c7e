"""One-shot calls: files in, labels, outlines, tables, pictures or counts out; nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, cast, get_origin

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.pipeline.oneshot.answer import all_failed, count_file, predict_file, status_of
from cellmetry.pipeline.oneshot.pool import Batch, OneShotPool, PoolBusy
from cellmetry.pipeline.oneshot.request import CountRequest, OneShotRequest, PredictRequest
from cellmetry.pipeline.oneshot.task import FileTask, ImageAnswer, Verb
from cellmetry.server.errors import error_body
from cellmetry.server.temporary import TemporaryFile
from cellmetry.server.uploads import FormRules, receive_upload

__all__ = ["router"]

router = APIRouter(tags=["one-shot"])

_FILES = "files"
_LOOK_S = 0.25
_LEFT = 499


async def _pool(request: Request) -> OneShotPool:
    return cast("OneShotPool", request.app.state.service.oneshot)


def _new_folder(request: Request) -> TemporaryDirectory[str]:
    return cast("TemporaryDirectory[str]", request.app.state.service.scratch.folder())


PoolDep = Annotated[OneShotPool, Depends(_pool)]


def _documented(kind: type[OneShotRequest], answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what OpenAPI says of a multipart request."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
    schema["properties"] = {_FILES: {**files, "description": "Images, one or many."}, **schema["properties"]}
    schema["required"] = [_FILES]
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body, "responses": {"200": {"description": "Done.", "content": answers}}}


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_PREDICTED = {
    **dict.fromkeys(("image/tiff", "image/png", "application/zip"), _BINARY),
    "application/json": {"schema": {"type": "object"}},
}
_COUNTED = {"application/json": {"schema": {"type": "object"}}}
_OTHERS: dict[int | str, dict[str, Any]] = {
    207: {"description": "Some of several images failed; their rows say why."},
    413: {"description": "Too many files or bytes, or an image too large for a one-shot request."},
    415: {"description": "No multipart form, or a file of no known format."},
    422: {"description": "A parameter is wrong, or no image could be worked; `files` has a row for each."},
    503: {"description": "Too many files wait; send it again after `Retry-After` seconds."},
}


@router.post("/predict", openapi_extra=_documented(PredictRequest, _PREDICTED), responses=_OTHERS)
async def predict(request: Request, pool: PoolDep) -> Response:
    """Return the labels of images: one image as a file, several as a ZIP with `results.json`, or tables as JSON."""
    return await _answer(request, pool, "predict")


@router.post("/count", openapi_extra=_documented(CountRequest, _COUNTED), responses=_OTHERS)
async def count(request: Request, pool: PoolDep) -> Response:
    """Return how many cells images show, by every counter of the model, with an interval where one holds."""
    return await _answer(request, pool, "count")


async def _answer(request: Request, pool: OneShotPool, verb: Verb) -> Response:
    folder = await run_in_threadpool(_new_folder, request)
    kept = False
    try:
        pool.check_room(1)
        wanted, sent = await _received(request, pool, verb, Path(folder.name))
        batch = pool.submit([_task(verb, wanted, each, Path(folder.name)) for each in sent])
        answers = await _awaited(request, batch)
        if answers is None:
            return Response(status_code=_LEFT)
        if all_failed(answers):
            return _refusal(answers)
        made = await run_in_threadpool(_made, wanted, answers, Path(folder.name), several=len(sent) > 1)
        failures = sum(each.status == "failed" for each in answers)
        response = TemporaryFile(made, folder, status_code=status_of(answers))
        response.headers["X-Cellmetry-Failed"] = str(failures)
        kept = True
    except PoolBusy as busy:
        retry = {"Retry-After": str(pool.limits.retry_after_s)}
        return JSONResponse(error_body("PoolBusy", str(busy)), busy.http_status, headers=retry)
    else:
        return response
    finally:
        if not kept:
            await run_in_threadpool(folder.cleanup)


async def _received(request: Request, pool: OneShotPool, verb: Verb, folder: Path) -> tuple[OneShotRequest, list[Path]]:
    """Return what is asked and the files, which lie in the folder; wrong parameters are refused before any work."""
    limits = pool.limits
    kind: type[OneShotRequest] = PredictRequest if verb == "predict" else CountRequest
    rules = FormRules(archives=True, most_files=limits.max_files, most_bytes=limits.max_bytes, apart=True)
    sent = await receive_upload(request, folder, rules)
    wanted = parse_parameters(kind, _values(kind, sent.fields), where=verb)
    await run_in_threadpool(wanted.to_recipe)
    return wanted, list(sent.names)


def _values(kind: type[OneShotRequest], fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the fields of a form, those that take several values as lists.

    Raises
    ------
    ParameterError
        If one was given twice that takes one value.
    """
    lists = {name for name, field in kind.model_fields.items() if get_origin(field.annotation) is tuple}
    for name, given in fields.items():
        if len(given) > 1 and name not in lists:
            raise ParameterError(f"The field {name} was given {len(given)} times; it takes one value.")
    return {name: given if name in lists else given[0] for name, given in fields.items()}


def _task(verb: Verb, wanted: OneShotRequest, sent: Path, folder: Path) -> FileTask:
    fields = wanted.model_dump(mode="json", exclude_defaults=True)
    return FileTask(verb, fields, str(sent), sent.name, str(folder / "out" / sent.parent.name))


async def _awaited(request: Request, batch: Batch) -> list[ImageAnswer] | None:
    """Return what became of all images; None if who asked has left, who then needs none of it."""
    answers = asyncio.wrap_future(batch.answers)
    try:
        while not answers.done():
            await asyncio.wait({answers}, timeout=_LOOK_S)
            if not answers.done() and await request.is_disconnected():
                return None
        return [answer for file in answers.result() for answer in file]
    finally:
        batch.cancel()


def _made(wanted: OneShotRequest, answers: list[ImageAnswer], folder: Path, *, several: bool) -> Any:
    if isinstance(wanted, PredictRequest):
        return predict_file(answers, folder, as_json=wanted.output == "json", several=several)
    return count_file(answers, folder)


def _refusal(answers: list[ImageAnswer]) -> Response:
    """Return an error that names the first file, with a row for each."""
    first = answers[0]
    body = error_body(first.kind, first.reason, files=[each.row() for each in answers])
    return JSONResponse(body, first.http_status)
