"""Files that are no images: label images and outlines of other programs, which the job `import` makes labels of."""

from __future__ import annotations

import shutil

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from cellmetry.errors import InputError
from cellmetry.server.dependencies import GrowStudy
from cellmetry.server.uploads import FormRules, receive_upload
from cellmetry.study.store.uploads import UPLOADS

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/uploads", tags=["uploads"])

_RULES = FormRules(files=frozenset({"file"}), archives=True)
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    },
}


class UploadView(BaseModel):
    """A file that was sent."""

    id: str
    """What jobs call it by."""
    name: str
    """What the client called it."""
    size: int
    """Its bytes."""


@router.post("", status_code=201, openapi_extra={"requestBody": _FORM})
async def upload_file(request: Request, store: GrowStudy) -> UploadView:
    """Send one file, the part `file` of a form; it is only kept: the job `import` reads it, in a process of its own."""
    upload = await receive_upload(request, store.folder / UPLOADS, _RULES)
    if len(upload.names) != 1:
        await run_in_threadpool(shutil.rmtree, upload.folder, ignore_errors=True)
        raise InputError("Send one file at a time; nothing was kept.")
    ((path, name),) = upload.names.items()
    return UploadView(id=upload.folder.name, name=name, size=path.stat().st_size)
