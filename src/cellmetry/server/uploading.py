"""Files that come with a request, laid into a folder under names that are safe."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from cellmetry.errors import LimitExceeded, ParameterError, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

__all__ = ["SentFile", "form_values", "read_form", "safe_name", "store_files"]

_MOST_FIELDS = 200
_FIELD_BYTES = 300_000
_MOST_NAME = 150
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}


class SentFile(NamedTuple):
    """A file of a request.

    Parameters
    ----------
    name
        As its sender calls it, without folders.
    path
        Where it lies: in a folder of its own.
    """

    name: str
    path: Path


class _TooLarge(MultiPartException):
    """The body passes the limit; a kind of error for which the parser closes its files."""


async def read_form(headers: Headers, stream: AsyncIterator[bytes], *, max_files: int, max_bytes: int) -> FormData:
    """Return the fields and files of a multipart body; close it when done.

    Raises
    ------
    UnsupportedFormat
        If it is no multipart form.
    LimitExceeded
        If it has more files or bytes than may be.
    ParameterError
        If the form is damaged.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise UnsupportedFormat("Send the files as multipart/form-data, as `curl -F files=@image.tif` does.")
    parser = MultiPartParser(
        headers, _counted(stream, max_bytes), max_files=max_files, max_fields=_MOST_FIELDS, max_part_size=_FIELD_BYTES
    )
    try:
        return await parser.parse()
    except _TooLarge as error:
        raise LimitExceeded(error.message) from error
    except MultiPartException as error:
        if error.message.startswith("Too many"):
            raise LimitExceeded(f"The request has too many parts: {error.message}") from error
        raise ParameterError(f"The form cannot be read: {error.message}") from error
    except (KeyError, LookupError, UnicodeDecodeError, ValueError) as error:
        raise ParameterError("The form cannot be read: its boundary or the names in it are damaged.") from error


def store_files(form: FormData, field: str, folder: Path) -> list[SentFile]:
    """Return the files of a form's field after writing each into a folder of its own below `folder`."""
    stored = []
    for number, upload in enumerate(each for each in form.getlist(field) if isinstance(each, UploadFile)):
        name = safe_name(upload.filename or "")
        place = folder / f"{number:04d}" / name
        place.parent.mkdir(parents=True)
        with place.open("wb") as target:
            shutil.copyfileobj(upload.file, target, 1 << 20)
        stored.append(SentFile(name, place))
    return stored


def form_values(form: FormData, fields: dict[str, Any], files: str) -> dict[str, Any]:
    """Return the text fields of a form by name, those that take several values as lists.

    Raises
    ------
    ParameterError
        If a field was given twice that takes one value, or a file where text belongs.
    """
    values: dict[str, Any] = {}
    for name in form:
        given = form.getlist(name)
        if name == files:
            if any(isinstance(each, str) for each in given):
                raise ParameterError(f"The field {files} takes files, as in `curl -F {files}=@image.tif`, not text.")
            continue
        if any(isinstance(each, UploadFile) for each in given):
            raise ParameterError(f"The field {name} takes text, not a file; files go into the field {files}.")
        if fields.get(name) is list:
            values[name] = given
        elif len(given) > 1:
            raise ParameterError(f"The field {name} was given {len(given)} times; it takes one value.")
        else:
            values[name] = given[0]
    return values


def safe_name(name: str) -> str:
    """Return a file name as text that is safe in a folder: no folders, no control characters, not too long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter if letter.isprintable() and letter not in '<>:"|?*#' else "_" for letter in last)
    kept = kept.strip().rstrip(".") or "image"
    if kept.partition(".")[0].lower() in _RESERVED or kept.startswith("."):
        kept = f"_{kept}"
    while len(kept.encode()) > _MOST_NAME:
        stem, dot, suffix = kept.rpartition(".")
        kept = f"{stem[:-1]}{dot}{suffix}" if dot and 0 < len(suffix) < 12 and stem else kept[:-1]
    return kept


async def _counted(stream: AsyncIterator[bytes], most: int) -> AsyncGenerator[bytes, None]:
    """Yield the parts of a body, and refuse it as soon as it is too long: its header may lie about that."""
    total = 0
    async for part in stream:
        total += len(part)
        if total > most:
            raise _TooLarge(f"The request has more than {most:,} bytes; send fewer files at a time.")
        yield part
