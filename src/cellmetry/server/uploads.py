"""Forms with files, as browsers and scripts send them: files are written to the disk as they come.

A client's name is text. In a study a file keeps it where it is harmless on every system, since the files of one image
name each other; else it is numbered. In a one-shot request each file lies in a folder of its own, under a name as like
its own as can be, by which the answer's files are called.
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

__all__ = ["FormRules", "Upload", "receive_upload", "safe_name", "stored_name"]

_MAX_FIELD = 300_000
_MAX_FIELDS = 200
_MAX_NAME = 4096
_SHOWN = 60
_LONGEST_NAME = 150
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .()+=,-]{0,119}")
_SUFFIXES = re.compile(r"(?:\.ome)?\.[A-Za-z0-9]{1,8}$", re.IGNORECASE)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class FormRules:
    """What a form may hold.

    Parameters
    ----------
    files
        Names of its parts that are files.
    archives
        Whether a file may be an archive, as outlines of Fiji are; nothing is unpacked here.
    most_files, most_bytes
        Most files, and most bytes of all that is sent; the limit of all bodies holds besides.
    apart
        Whether each file lies in a folder of its own, so that their names cannot meet.
    """

    files: frozenset[str] = frozenset({"files"})
    archives: bool = False
    most_files: int = 10_000
    most_bytes: int | None = None
    apart: bool = False


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
        The other parts of the form, each as often as it was sent.
    """

    folder: Path
    names: dict[Path, str]
    fields: dict[str, list[str]]


async def receive_upload(request: Request, folder: Path, rules: FormRules | None = None) -> Upload:
    """Return the files of a form after they are on the disk; all or nothing.

    Parameters
    ----------
    folder
        Folder in which a new one is made for them.

    Raises
    ------
    InputError
        If the form is malformed, or the client went away before its end.
    LimitExceeded
        If there are too many files, bytes or fields, or one of the fields is too long.
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
        form = _Form(temporary, rules or FormRules())
        parser = MultipartParser(boundary, form.callbacks())
        stack.callback(form.close)
        try:
            async for chunk in request.stream():
                if chunk:
                    form.count(len(chunk))
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
    names = {place / path.relative_to(temporary): name for path, name in form.names.items()}
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


def safe_name(name: str) -> str:
    """Return a file name as text that is safe in a folder: no folders, no control characters, not too long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter if letter.isprintable() and letter not in '<>:"|?*#' else "_" for letter in last)
    kept = kept.strip().rstrip(".") or "image"
    if _RESERVED.match(kept) or kept.startswith("."):
        kept = f"_{kept}"
    while len(kept.encode()) > _LONGEST_NAME:
        stem, dot, suffix = kept.rpartition(".")
        kept = f"{stem[:-1]}{dot}{suffix}" if dot and 0 < len(suffix) < 12 and stem else kept[:-1]
    return kept


@dataclass
class _Form:
    """The parts of a form as they come."""

    folder: Path
    rules: FormRules
    names: dict[Path, str] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)
    _bytes: int = 0
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

    def count(self, n_bytes: int) -> None:
        """Refuse a form as soon as it is too long: its header may lie about that.

        Raises
        ------
        LimitExceeded
            If it is.
        """
        self._bytes += n_bytes
        most = self.rules.most_bytes
        if most is not None and self._bytes > most:
            raise LimitExceeded(f"The request has more than {most:,} bytes; send fewer files at a time.")

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
            raise InputError(f"The form has no file; files are its parts called {self._wanted}.")

    @property
    def _wanted(self) -> str:
        return " or ".join(sorted(self.rules.files))

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
            if sum(map(len, self.fields.values())) >= _MAX_FIELDS:
                raise LimitExceeded(f"The form has more than {_MAX_FIELDS} fields.")
            self._text = bytearray()
            return
        name = options[b"filename"].decode("utf-8", "replace")
        if self._field not in self.rules.files:
            raise InputError(f"Files are the parts called {self._wanted}, not {self._field[:_SHOWN]!r}.")
        _refuse_kind(name, self.rules.archives)
        if len(self.names) >= self.rules.most_files:
            raise LimitExceeded(f"More than {self.rules.most_files} files at once; send them in several requests.")
        path = self._place(name)
        self.names[path] = name or path.name
        self._file = path.open("xb")

    def _place(self, name: str) -> Path:
        if not self.rules.apart:
            path = self.folder / stored_name(name, self._taken)
            self._taken.add(path.name.lower())
            return path
        own = self.folder / f"{len(self.names):04d}"
        own.mkdir()
        return own / safe_name(name)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > _MAX_FIELD:
            raise LimitExceeded(f"The field {self._field[:_SHOWN]!r} has more than {_MAX_FIELD} bytes.")

    def _part_end(self) -> None:
        if self._file is None:
            self.fields.setdefault(self._field[:_SHOWN], []).append(self._text.decode("utf-8", "replace"))
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
