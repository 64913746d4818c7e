"""The images of a study: upload, register, list, what is said of them, remove."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.io.discover import find_inputs
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.stored.apart import register_apart
from cellmetry.pipeline.stored.quality import quality_of_images
from cellmetry.pipeline.stored.reading_again import read_again
from cellmetry.server.app_words import Told
from cellmetry.server.bodies import ActDone, Body, IdText, Key, Limit, PathText, ShortText, View
from cellmetry.server.dependencies import (
    ActorDep,
    EditStudy,
    GrowStudy,
    Id,
    ReadStudy,
    RegisteringDep,
    RunnerDep,
    SettingsDep,
)
from cellmetry.server.security.folders import allowed_place, must_lie_below
from cellmetry.server.uploads import receive_upload
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import StoredImage, image, images, remove_images, said_of, say
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.right import CORRECTED
from cellmetry.study.store.said import refuse_wrong_words
from cellmetry.study.store.store import Store
from cellmetry.study.store.uploads import discard_upload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["images"])

_OWN_KEYS = {"pixel_size_um", "pixel_size_y_um", "pixel_size_z_um", "channel_names"}
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "properties": {
                    "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    "reading": {"type": "string", "description": "JSON of what the files do not say."},
                },
            }
        }
    },
}


class QualityView(View):
    """Whether an image can be used, as far as a look at its middle tells."""

    state: Literal["good", "doubtful"]
    faults: tuple[Literal["empty", "saturated", "blurred"], ...]
    reasons: tuple[str, ...] = Field(description="Why it is doubtful, a sentence each.")
    sharpness: float | None = Field(description="As a part of the median of the study's images; null if not known.")
    saturated: float = Field(description="Part of the pixels at the detector's largest value.")
    empty: bool
    middle: tuple[int, int] | None = Field(
        description="Rows and columns of the middle of a large plane, of which all this is; null if of the whole plane."
    )


class ImageView(View):
    """An image."""

    id: str
    seq: int
    name: str
    state: Literal["new", "ready", "failed"]
    reason: Told = Field(description="Why it could not be read.")
    header: dict[str, Any] = Field(description="Axes, shape, dtype, channels, pixel size, once it is ready.")
    warnings: tuple[Told, ...]
    said: dict[str, Any] = Field(description="What users said of it: condition, replicate, pixel size, ….")
    sha256: str
    files: tuple[str, ...] = Field(description="Ids of its originals.")
    labels: tuple[str, ...] = Field(description="Ids of its label images.")
    removed: bool
    quality: QualityView | None = Field(description="None until it is read.")


class ReadingSaid(Reading):
    """What the files do not say."""

    axes: Annotated[str, StringConstraints(max_length=10)] | None = None
    pattern: ShortText | None = None
    roles: dict[ShortText, ShortText] = Field(default_factory=dict, max_length=1000)


class Registration(Body):
    """Files and folders of the server's computer that are to become images, by reference."""

    paths: tuple[PathText, ...] = Field(min_length=1, max_length=1000)
    reading: ReadingSaid = ReadingSaid()


class ImageSaid(Body):
    """What is to be said of images; what is left out stays, null takes a word back."""

    values: dict[Key, ShortText | float | int | bool | None] = Field(default_factory=dict, max_length=100)
    """Columns of the tables, as condition, replicate, treatment."""
    pixel_size_um: float | None = Field(None, gt=0, le=1e6)
    pixel_size_y_um: float | None = Field(None, gt=0, le=1e6)
    """Height of a pixel where it differs from its width."""
    pixel_size_z_um: float | None = Field(None, gt=0, le=1e6)
    channel_names: tuple[ShortText, ...] | None = Field(None, max_length=1000)


class ManyImagesSaid(ImageSaid):
    """What is to be said of several images."""

    images: tuple[IdText, ...] = Field(min_length=1, max_length=10_000)


class SomeImages(Body):
    """Images by their ids."""

    images: tuple[IdText, ...] = Field(min_length=1, max_length=10_000)


class ReadingAgain(SomeImages):
    """Images that are to be read again, and as what; what is left out stays."""

    axes: Annotated[str, StringConstraints(min_length=2, max_length=10, pattern=r"^[A-Za-z]+$")] | None = None
    """What their axes are, as ZYX; null says that they are as the files say."""
    rgb: Literal["colour", "channels"] | None = None
    """Whether RGB files are colour pictures or three channels."""
    pixel_size_um: float | None = Field(None, gt=0, le=1e6)
    pixel_size_y_um: float | None = Field(None, gt=0, le=1e6)
    """Height of a pixel where it differs from its width."""
    pixel_size_z_um: float | None = Field(None, gt=0, le=1e6)


class ReadAgainView(ActDone):
    """Images that are read again."""

    images: tuple[str, ...]
    """Their ids, which are new ones."""


@router.post("/images", status_code=201, openapi_extra={"requestBody": _FORM})
async def upload_images(
    request: Request, store: GrowStudy, actor: ActorDep, runner: RunnerDep, registering: RegisteringDep
) -> list[ImageView]:
    """Upload files as images: a form whose parts `files` are the files. All of them become images, or none.

    The field `reading` is JSON with what the files do not say; its `pattern` makes one image of several files by their
    names. Archives and Zarr folders are refused.
    """
    registering.check_room()
    upload = await receive_upload(request, store.folder / "uploads")
    try:
        reading = _reading_of_text(upload.fields)
        look = partial(register_apart, store, actor, list(upload.names), reading=reading, names=upload.names)
        ids = await registering.run(partial(look, memory_bytes=runner.limits.worker_bytes))
    except BaseException:
        await run_in_threadpool(discard_upload, store, upload.folder)  # the process may have ended after it was done
        raise
    runner.wake()
    return await run_in_threadpool(_views_of, store, ids)


@router.post("/images/register", status_code=201)
async def register_folder(
    body: Registration,
    *,
    store: GrowStudy,
    actor: ActorDep,
    settings: SettingsDep,
    runner: RunnerDep,
    registering: RegisteringDep,
) -> list[ImageView]:
    """Add files and folders of the server's computer as images, by reference; they must lie below its roots."""

    def look() -> tuple[str, ...]:
        places = [allowed_place(path, settings.roots) for path in body.paths]
        must_lie_below([file.path for file in find_inputs(places)], settings.roots)
        memory = runner.limits.worker_bytes
        return register_apart(store, actor, places, memory_bytes=memory, reading=_plain(body.reading))

    ids = await registering.run(look)
    runner.wake()
    return await run_in_threadpool(_views_of, store, ids)


@router.get("/images")
def list_images(
    store: ReadStudy,
    *,
    state: Literal["new", "ready", "failed"] | None = None,
    name: Annotated[str, Query(max_length=300, description="Text that the name has.")] = "",
    sort: Literal["seq", "name", "-seq", "-name"] = "seq",
    after: Annotated[str | None, Query(max_length=64, description="Id of the last image of the page before.")] = None,
    limit: Limit = 100,
) -> list[ImageView]:
    """Return the images, page by page."""
    found = [each for each in images(store) if state in (None, each.state) and name.casefold() in each.name.casefold()]

    def place(each: StoredImage) -> tuple[str, int]:
        return (each.name if sort.endswith("name") else "", each.seq)

    backwards = sort.startswith("-")
    if after is not None:  # it may have been removed by now, or be no longer one of those asked for
        last = place(image(store, after))
        found = [each for each in found if place(each) != last and (place(each) < last) == backwards]
    found.sort(key=place, reverse=backwards)
    return _views(store, found[:limit])


@router.get("/images/{image}")
def get_image(store: ReadStudy, image: Id) -> ImageView:
    """Return one image, also a removed one."""
    return _view_of(store, image)


@router.patch("/images")
def say_of_images(body: ManyImagesSaid, store: EditStudy, actor: ActorDep) -> ActDone:
    """Say the same of several images in one act."""
    return _say(store, actor, body.images, body)


@router.patch("/images/{image}")
def say_of_image(body: ImageSaid, store: EditStudy, actor: ActorDep, image: Id) -> ImageView:
    """Say what an image is: condition, replicate, pixel size, names of channels."""
    _say(store, actor, (image,), body)
    return _view_of(store, image)


@router.post("/images/read-again", status_code=202)
def read_images_again(body: ReadingAgain, store: GrowStudy, actor: ActorDep, runner: RunnerDep) -> ReadAgainView:
    """Read images again as they are said to be; undoing the act brings those of before back, with their labels."""
    changes = body.model_dump(mode="json", exclude={"images"}, exclude_none=True)
    if "axes" in body.model_fields_set:
        changes["axes"] = body.axes
    done = read_again(store, actor, body.images, changes)
    runner.wake()
    return ReadAgainView(act=done.act, images=done.images)


@router.post("/images/remove")
def remove_several(body: SomeImages, store: EditStudy, actor: ActorDep) -> ActDone:
    """Hide images; their originals stay, and undoing the act brings them back."""
    names = [_image(store, each).name for each in body.images]
    what = names[0] if len(names) == 1 else f"{len(names)} images"
    with store.database.write():
        seq = act(store, actor, "remove images", f"Remove {what}", images=list(body.images))
        remove_images(store, seq, body.images)
    return ActDone(act=seq)


def _image(store: Store, image_id: str) -> StoredImage:
    return image(store, image_id)


def _view_of(store: Store, image_id: str) -> ImageView:
    return _views_of(store, [image_id])[0]


def _views_of(store: Store, ids: Sequence[str]) -> list[ImageView]:
    return _views(store, [image(store, each) for each in ids])


def _views(store: Store, found: Sequence[StoredImage]) -> list[ImageView]:
    shown = images(store) if found else []
    alive, quality = {each.id for each in shown}, quality_of_images(shown)
    labels: dict[str, list[str]] = {}
    only = found[0].id if len(found) == 1 else None
    for each in label_sets(store, only):
        labels.setdefault(each.image_id, []).append(each.id)
    return [
        ImageView(
            **{name: getattr(each, name) for name in ("id", "seq", "name", "state", "reason", "header", "warnings")},
            said=_words(store, each),
            sha256=each.sha256,
            files=tuple(each.source.get("files", ())),
            labels=tuple(labels.get(each.id, ())),
            removed=each.id not in alive,
            quality=QualityView(**quality[each.id]._asdict()) if each.id in quality else None,
        )
        for each in found
    ]


def _words(store: Store, found: StoredImage) -> dict[str, Any]:
    """Return what is said of an image; that cells are right, as studies had it at first, is told of its labels."""
    return {key: value for key, value in said_of(store, found.id).items() if key != CORRECTED}


def _say(store: Store, actor: Actor, ids: Sequence[str], body: ImageSaid) -> ActDone:
    values: dict[str, Any] = {**body.values, **body.model_dump(include=_OWN_KEYS & body.model_fields_set, mode="json")}
    taken = _OWN_KEYS & set(body.values)
    if taken:
        raise ParameterError(f"{min(taken)} is not one of `values`; it stands beside them.")
    if not values:
        raise ParameterError("There is nothing to be said.")
    found = [_image(store, each) for each in ids]
    for each in found:
        refuse_wrong_words(each, values)
    what = found[0].name if len(found) == 1 else f"{len(found)} images"
    with store.database.write():
        seq = act(store, actor, "say", f"Say {', '.join(values)} of {what}", images=list(ids), values=values)
        for each in found:
            say(store, seq, each.id, values)
    return ActDone(act=seq)


def _reading_of_text(fields: Mapping[str, Sequence[str]]) -> Reading:
    unknown = set(fields) - {"reading"}
    if unknown:
        raise ParameterError(f"The form has a field {min(unknown)!r}; beside files there is only `reading`.")
    *others, text = fields.get("reading", ["{}"])
    if others:
        raise ParameterError("reading: it was given twice.")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParameterError("reading: it is not JSON.") from error
    if not isinstance(said, dict):
        raise ParameterError('reading: it is an object, as {"pattern": "{well}_w{channel}.tif"}.')
    return _plain(parse_parameters(ReadingSaid, said, where="reading"))


def _plain(said: ReadingSaid) -> Reading:
    return Reading.model_validate(said.model_dump())
