"""Turns what reading libraries raise and log into Cellmetry's errors and warnings, in one place."""

from __future__ import annotations

import logging
import re
import struct
import threading
import tokenize
import warnings
import zlib
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError, DamagedFile, InputError, MissingInput, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LIBRARY_ERRORS", "file_name", "library_words", "reading"]

LIBRARY_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
)
"""Classes that the reading libraries raise for damaged files: tifffile and Pillow alone raise all of these
(Pillow's `UnidentifiedImageError` is an OSError, broken PNG chunks are SyntaxErrors, imagecodecs' errors
RuntimeErrors, XML errors SyntaxErrors; NumPy's reader of old headers raises TokenErrors)."""

_CODEC_MISSING = re.compile(r"requires the '?imagecodecs|not supported|not implemented|unknown compression", re.I)
_ADDRESS = re.compile(r"<[\w.]+ [^>]*>\s*")
_HARMLESS = re.compile(r"correcting LSM bitspersample", re.I)
_LOGGERS = ("tifffile", "nd2", "oiffile", "liffile", "roifile", "PIL")


def file_name(path: str) -> str:
    """Return the last part of a path or URL, as named in messages."""
    return PurePath(path.rstrip("/\\")).name or path


@contextmanager
def reading(path: str, part: str = "") -> Iterator[None]:
    """Turn any failure of a library inside the block into one plain sentence about `path`.

    Parameters
    ----------
    part
        Which part of the file is being read, for example ``strip 3 of page 0``.

    Raises
    ------
    DamagedFile
        If the library failed on the content.
    UnsupportedFormat
        If it lacks a codec or does not implement this variant.
    """
    where = f"{part} of {file_name(path)}" if part else file_name(path)
    try:
        yield
    except CellmetryError:
        raise
    except FileNotFoundError as error:
        raise MissingInput(f"{where} is not there any more: {_words(error)}.") from error
    except PermissionError as error:
        raise InputError(f"{where} cannot be read: permission denied.") from error
    except LIBRARY_ERRORS as error:
        text = _words(error)
        if isinstance(error, NotImplementedError) or _CODEC_MISSING.search(text):
            raise UnsupportedFormat(f"{where} cannot be decoded: {text}.") from error
        raise DamagedFile(f"{where} is damaged: {text}.") from error


def _words(error: BaseException) -> str:
    """Return the first line of what an error says, with its kind, fit for the end of a sentence."""
    text = _clean(str(error).strip())
    kind = type(error).__name__
    return f"{text} ({kind})" if text else kind


def _clean(text: str) -> str:
    """Return a library's message without addresses of its objects, on one line of bounded length."""
    line = _ADDRESS.sub("", text).strip().split("\n")[0].strip().rstrip(".")
    return line if len(line) <= 200 else line[:200] + "…"


class _Listener(logging.Handler):
    """Collects what libraries log in the thread that made it."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.said, self.thread = said, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread and not _HARMLESS.search(record.getMessage()):
            self.said.append(_clean(record.getMessage()))


@contextmanager
def library_words() -> Iterator[list[str]]:
    """Yield a list that fills with what the libraries log or warn inside the block."""
    said: list[str] = []
    listener = _Listener(said)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield said
        said.extend(_clean(str(warning.message)) for warning in caught if warning.category is not ResourceWarning)
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
