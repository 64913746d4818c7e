"""Files that browsers and scripts send: written to the study's folder as they come, under names of ours.

A client's name is text. A file keeps it where it is harmless on every system, since the files of one image name each
other; else it is numbered.
"""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from cellmetry.errors import InputError, LimitExceeded, UnsupportedFormat
from cellmetry.io.atomic import atomic_folder
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    from pathlib import Path

    from python_multipart.multipart import MultipartCallbacks
    from starlette.requests import Request

__all__ = ["Upload", "receive_upload", "stored_name"]

MAX_FILES = 10_000
_MAX_FIELD = 100_000
_MAX_FIELDS = 20
_MAX_NAME = 4096
_SHOWN = 60
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .()+=,-]{0,119}")
_SUFFIXES = re.compile(r"(?:\.ome)?\.[A-Za-z0-9]{1,8}$", re.IGNORECASE)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """What was sent.

    Parameters
    ----------
    folder
        Where the files lie, in the study's folder.
    names
        What the client called each file.
    fields
        The other parts of the form.
    """

    folder: Path
    names: dict[Path, str]
    fields: dict[str, str]


async def receive_upload(
    request: Request, folder: Path, *, wanted: frozenset[str] = frozenset({"files"}), archives: bool = False
) -> Upload:
    """Return the files of a form after they are on the disk; all or nothing.

    Parameters
    ----------
    folder
        Folder in which a new one is made for them.
    wanted
        Names of the parts of the form that are files.
    archives
        Whether a file may be an archive, as outlines of Fiji are; nothing is unpacked here.

    Raises
    ------
    InputError
        If the form is malformed, or the client went away before its end.
    LimitExceeded
        If there are too many files or fields, or one of the fields is too long.
    UnsupportedFormat
        If a file is an archive or a part of a folder.
    OutputError
        If the disk is full.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
        raise UnsupportedFormat("Send files as a form, multipart/form-data, in parts called `files`.")
    place = folder / new_name("upl")
    stack = ExitStack()
    try:
        temporary = await run_in_threadpool(stack.enter_context, atomic_folder(place))
        form = _Form(temporary, wanted, archives)
        parser = MultipartParser(boundary, form.callbacks())
        stack.callback(form.close)
        try:
            async for chunk in request.stream():
                if chunk:
                    parser.write(chunk)
        except ClientDisconnect as error:
            raise InputError("The connection broke before the end of the form; nothing was kept.") from error
        except MultipartParseError as error:
            raise InputError(f"The form is malformed ({error}); nothing was kept.") from error
        form.must_be_whole()
    except BaseException:
        if not await run_in_threadpool(stack.__exit__, *sys.exc_info()):
            raise
    await run_in_threadpool(stack.close)
    names = {place / path.name: name for path, name in form.names.items()}
    return Upload(place, names, form.fields)


def stored_name(name: str, taken: set[str]) -> str:
    """Return the name under which a file is stored: the client's own if it is harmless and free, else a number.

    Parameters
    ----------
    taken
        Names that are used already, in lower case.
    """
    last = re.split(r"[/\\]", name)[-1]
    harmless = _SAFE.fullmatch(last) and not last.endswith((".", " ")) and not _RESERVED.match(last)
    if harmless and last.lower() not in taken:
        return last
    suffix = _SUFFIXES.search(last)
    return f"{len(taken) + 1:05d}{suffix[0].lower() if suffix else ''}"


@dataclass
class _Form:
    """The parts of a form as they come."""

    folder: Path
    wanted: frozenset[str]
    archives: bool = False
    names: dict[Path, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    _headers: dict[str, bytes] = field(default_factory=dict)
    _name: bytes = b""
    _value: bytes = b""
    _file: BinaryIO | None = None
    _field: str = ""
    _text: bytearray = field(default_factory=bytearray)
    _ended: bool = False
    _taken: set[str] = field(default_factory=set)

    def callbacks(self) -> MultipartCallbacks:
        """Return what the parser is to call."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._open,
            "on_part_data": self._data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def close(self) -> None:
        """Close the file that is being written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def must_be_whole(self) -> None:
        """Refuse a form that broke off, or has no file.

        Raises
        ------
        InputError
            If it did.
        """
        if not self._ended:
            raise InputError("The form ends in the middle; nothing was kept. Send the files again.")
        if not self.names:
            raise InputError(f"The form has no file; files are its parts called {' or '.join(sorted(self.wanted))}.")

    def _begin(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        if len(self._value) > _MAX_NAME:
            raise LimitExceeded(f"A file's name has more than {_MAX_NAME} bytes.")

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            if len(self.fields) >= _MAX_FIELDS:
                raise LimitExceeded(f"The form has more than {_MAX_FIELDS} fields.")
            self._text = bytearray()
            return
        name = options[b"filename"].decode("utf-8", "replace")
        if self._field not in self.wanted:
            raise InputError(
                f"Files are the parts called {' or '.join(sorted(self.wanted))}, not {self._field[:_SHOWN]!r}."
            )
        _refuse_kind(name, self.archives)
        if len(self.names) >= MAX_FILES:
            raise LimitExceeded(f"More than {MAX_FILES} files at once; send them in several requests.")
        path = self.folder / stored_name(name, self._taken)
        self._taken.add(path.name.lower())
        self.names[path] = name or path.name
        self._file = path.open("xb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > _MAX_FIELD:
            raise LimitExceeded(f"The field {self._field[:_SHOWN]!r} has more than {_MAX_FIELD} bytes.")

    def _part_end(self) -> None:
        if self._file is None:
            self.fields[self._field[:_SHOWN]] = self._text.decode("utf-8", "replace")
        self.close()

    def _end(self) -> None:
        self._ended = True


def _refuse_kind(name: str, archives: bool) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    shown = name[-_SHOWN:]
    if any(part.lower().endswith(".zarr") for part in parts):
        raise UnsupportedFormat(f"{shown!r} is a part of a Zarr folder, which cannot be uploaded; register its folder.")
    if archives:
        return
    if parts and parts[-1].lower().endswith((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")):
        raise UnsupportedFormat(f"{shown!r} is an archive; unpack it and send the images, or register their folder.")
