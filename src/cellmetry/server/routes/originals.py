"""Originals: the files that users gave, as they were given, and found again where they were moved."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.io.links import refuse_links
from cellmetry.server.bodies import Body, PathText, View
from cellmetry.server.dependencies import ActorDep, EditStudy, Id, ReadStudy, SettingsDep
from cellmetry.server.downloading import BYTES, file_answer
from cellmetry.server.security.folders import allowed_place
from cellmetry.study.store.images import image as found_image
from cellmetry.study.store.images import images
from cellmetry.study.store.originals import find_moved, missing_originals, original, original_path, original_status

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["images"])

_ORIGINAL = file_answer("The file, to be saved.", BYTES)


class OriginalView(View):
    """A file that a user gave."""

    id: str
    name: str = Field(description="As the user called it: text.")
    sha256: str
    bytes: int
    uploaded: bool
    status: Literal["there", "missing", "changed"]


class MissingView(View):
    """A file that is not where it was."""

    id: str
    name: str = Field(description="As the user called it: text.")
    images: list[str] = Field(description="Names of the images that need it.")


class Folder(Body):
    """A folder of the server's computer."""

    path: PathText


@router.get("/images/{image}/originals")
def list_originals(store: ReadStudy, image: Id) -> list[OriginalView]:
    """Return the files of an image and whether they are there; a file that was written since is read as a whole."""
    files = [original(store, each) for each in found_image(store, image).source["files"]]
    return [
        OriginalView(
            id=file.id,
            name=file.name,
            sha256=file.sha256,
            bytes=file.state.size,
            uploaded=file.uploaded,
            status=original_status(store, file),
        )
        for file in files
    ]


@router.get("/images/{image}/originals/{file}", responses=_ORIGINAL, response_class=FileResponse)
def download_original(store: ReadStudy, image: Id, file: Id) -> FileResponse:
    """Return an original as it was given."""
    if file not in found_image(store, image).source["files"]:
        raise ParameterError(f"The image {image} has no file {file}.")
    found = original(store, file)
    path = original_path(store, found)
    refuse_links(path)
    if not path.is_file():
        raise ParameterError(f"{found.name} is a folder; export the image to get it as one file.")
    name = found.name.replace("\\", "/").rsplit("/", 1)[-1]
    headers = {"X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=BYTES, filename=name or file, headers=headers)


@router.get("/originals/missing")
def list_missing(store: ReadStudy) -> list[MissingView]:
    """Return the files of images that are not where they were; `relink` finds them in another folder."""
    needed: dict[str, list[str]] = {}
    for image in images(store):
        for file in image.source["files"]:
            needed.setdefault(file, []).append(image.name)
    missing = (file for file in missing_originals(store) if file.id in needed)
    return [MissingView(id=file.id, name=file.name, images=needed[file.id]) for file in missing]


@router.post("/originals/relink")
def relink(body: Folder, store: EditStudy, actor: ActorDep, settings: SettingsDep) -> list[str]:
    """Return the ids of missing originals that were found by their content in a folder below the server's roots."""
    return [file.id for file in find_moved(store, actor, [allowed_place(body.path, settings.roots)]).found]
