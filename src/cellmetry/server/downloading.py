"""Files that leave the server: their headers, and folders as a ZIP that is made while it is sent."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import FileResponse, Response, StreamingResponse

from cellmetry.errors import MissingInput

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BYTES", "DOWNLOADS", "download", "download_headers", "file_answer", "show_in_frame", "zip_stream"]

_MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".toml": "application/toml",
    ".txt": "text/plain; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
_PACKED = {".png", ".zip", ".xlsx", ".parquet", ".pdf", ".tif", ".jpg"}
_PART = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)


BYTES = "application/octet-stream"


def file_answer(description: str, *media: str) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of an answer that is a file of one of some types."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": description, "content": dict.fromkeys(media, binary)}}


DOWNLOADS = file_answer("The file to save; a folder comes as a ZIP.", BYTES, *_MEDIA.values())
"""What the OpenAPI document says of `download`."""


def download_headers(name: str) -> dict[str, str]:
    """Return the headers of a download: saved under its name, never shown or guessed at, without scripts.

    The name is given plainly and as RFC 5987 has it, so that any letters survive.
    """
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\%;' else "_" for letter in name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        "Cache-Control": "private, no-cache",
    }


def show_in_frame(answer: Response) -> None:
    """Let a report be shown in a frame of our own pages.

    It is of no origin there and reaches nothing. Of scripts only those run whose hashes its own policy names.
    """
    answer.headers["Content-Disposition"] = "inline"
    answer.headers["Content-Security-Policy"] = (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "img-src data:; frame-ancestors 'self'"
    )
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"


def download(path: Path, name: str) -> Response:
    """Return a file to be saved, or a folder as a ZIP.

    Raises
    ------
    MissingInput
        If it is not there any more.
    """
    if path.is_dir():
        headers = download_headers(f"{name}.zip")
        return StreamingResponse(zip_stream(path), media_type="application/zip", headers=headers)
    if not path.is_file():
        raise MissingInput(f"{name} is not in the study's folder any more; make it again.")
    media = _MEDIA.get(path.suffix.lower(), "application/octet-stream")
    return FileResponse(path, media_type=media, headers=download_headers(name))


def zip_stream(folder: Path) -> Iterator[bytes]:
    """Yield the bytes of a ZIP of all files below a folder, in order, without ever holding a whole file.

    Links are left out: what they lead to need not belong to the study.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", allowZip64=True) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if path.suffix.lower() in _PACKED else zipfile.ZIP_DEFLATED
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while part := source.read(_PART):
                    target.write(part)
                    yield from sink.taken()
            yield from sink.taken()
    yield from sink.taken()


class _Sink(io.RawIOBase):
    """A file that cannot be read or moved in; what was written is taken away piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def taken(self) -> list[bytes]:
        """Return what was written since the last call."""
        parts, self._parts = self._parts, []
        return parts
