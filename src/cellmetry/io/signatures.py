"""Which format a file has by its content: the first bytes, or the metadata files of a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import fsspec
from fsspec.core import split_protocol

from cellmetry.errors import InputError, MissingInput
from cellmetry.io.compound import MAGIC, read_compound

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SIGNATURES", "SUFFIXES", "Probe", "is_url", "odd_suffix", "probe", "sniff"]

_HEAD_BYTES = 4096
_ZARR_FILES = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
_SETTINGS = "ProfileSaveInfo"


@dataclass(frozen=True)
class Probe:
    """What is looked at to tell formats apart.

    Parameters
    ----------
    path
        File, folder or URL.
    head
        The first bytes of a file; empty for a folder.
    files
        Names of the Zarr metadata files of a folder.
    """

    path: str
    head: bytes = b""
    files: frozenset[str] = field(default_factory=frozenset)


def is_url(path: str) -> bool:
    """Return whether `path` names a place that fsspec reads (``s3://…``, ``https://…``)."""
    protocol, _ = split_protocol(path)
    return protocol is not None and len(protocol) > 1


def probe(path: str) -> Probe:
    """Return the first bytes of a file, or the Zarr metadata files of a folder or URL.

    Raises
    ------
    MissingInput
        If there is nothing at `path`.
    """
    if is_url(path):
        return _probe_url(path)
    place = Path(path)
    try:
        if place.is_dir():
            return Probe(path, files=frozenset(name for name in _ZARR_FILES if (place / name).is_file()))
        with place.open("rb") as file:
            return Probe(path, head=file.read(_HEAD_BYTES))
    except FileNotFoundError as error:
        raise MissingInput(f"There is no file {path}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{place.name} cannot be read: {error}.") from error


def _probe_url(path: str) -> Probe:
    filesystem, root = fsspec.core.url_to_fs(path)
    root = root.rstrip("/")
    found = frozenset(name for name in _ZARR_FILES if filesystem.exists(f"{root}/{name}"))
    if found:
        return Probe(path, files=found)
    if not filesystem.exists(root):
        raise MissingInput(f"There is nothing at {path}.")
    return Probe(path, head=filesystem.head(root, _HEAD_BYTES) if filesystem.isfile(root) else b"")


def _starts(*magics: bytes) -> Callable[[Probe], bool]:
    return lambda probe: probe.head.startswith(magics)


def _is_webp(probe: Probe) -> bool:
    return probe.head[:4] == b"RIFF" and probe.head[8:12] == b"WEBP"


def _is_bmp(probe: Probe) -> bool:
    return probe.head[:2] == b"BM" and len(probe.head) >= 26 and probe.head[6:10] == bytes(4)


def _is_lif(probe: Probe) -> bool:
    return probe.head[:4] == b"\x70\x00\x00\x00" and probe.head[8:9] == b"\x2a"


def _is_oif(probe: Probe) -> bool:
    if probe.head.startswith(MAGIC):
        return "OibInfo.txt" in read_compound(probe.path).names
    return _SETTINGS.encode("utf-16-le") in probe.head or probe.head.startswith(b"[" + _SETTINGS.encode())


def _is_zarr(probe: Probe) -> bool:
    return bool(probe.files)


SIGNATURES: dict[str, Callable[[Probe], bool]] = {
    "tiff": _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"EP*\0"),
    "raster": lambda probe: _starts(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")(probe) or _is_webp(probe) or _is_bmp(probe),
    "npy": _starts(b"\x93NUMPY"),
    "omezarr": _is_zarr,
    "nd2": _starts(b"\xda\xce\xbe\n", b"\0\0\0\x0cjP  \r\n\x87\n"),
    "czi": _starts(b"ZISRAWFILE"),
    "lif": _is_lif,
    "oif": _is_oif,
}
"""Reader name → whether the content is of its format; cheap, and no library is imported for it."""

SUFFIXES: dict[str, tuple[str, ...]] = {
    "tiff": (".tif", ".tiff", ".lsm", ".btf", ".tf2", ".tf8", ".stk", ".svs", ".ndpi", ".scn", ".qptiff", ".flex"),
    "raster": (".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".webp", ".dib"),
    "npy": (".npy",),
    "omezarr": (".zarr",),
    "nd2": (".nd2", ".jp2"),
    "czi": (".czi",),
    "lif": (".lif",),
    "oif": (".oif", ".oib"),
}
"""Reader name → usual endings of file names, for choosing files in a folder and noticing wrong names."""


def sniff(probe: Probe) -> str | None:
    """Return the name of the built-in reader whose format this is, or None."""
    return next((name for name, matches in SIGNATURES.items() if matches(probe)), None)


def odd_suffix(path: str, reader: str) -> str | None:
    """Return the ending of a file name if it belongs to another format than `reader`'s, else None."""
    suffix = PurePath(path.rstrip("/\\")).suffix.lower()
    others = {ending for name, endings in SUFFIXES.items() if name != reader for ending in endings}
    return suffix if suffix in others else None
