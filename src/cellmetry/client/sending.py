"""Files as parts of a form, which tell how far they were sent."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cellmetry.errors import MissingInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cellmetry.core.progress import Progress

__all__ = ["SentFile", "open_files"]

_TYPE = "application/octet-stream"


class SentFile:
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._file, self._progress = file, progress

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._file.read(size)
        if data:
            self._progress.advance(len(data))
        return data

    def fileno(self) -> int:
        """Return the number by which the system knows the file, and so its length."""
        return self._file.fileno()


_Part = tuple[str, tuple[str, SentFile, str]]


@contextmanager
def open_files(field: str, paths: Iterable[str | Path], progress: Progress) -> Iterator[list[_Part]]:
    """Yield the parts of a form for files, which are read bit by bit; `progress` hears the bytes.

    Raises
    ------
    MissingInput
        If one of them is no file.
    """
    found = [Path(path) for path in paths]
    missing = next((path for path in found if not path.is_file()), None)
    if missing is not None:
        raise MissingInput(f"{missing} is no file; name the files to be sent one by one, or register their folder.")
    progress.start("upload", sum(path.stat().st_size for path in found))
    with ExitStack() as stack:
        opened = [(path.name, SentFile(stack.enter_context(path.open("rb")), progress)) for path in found]
        yield [(field, (name, file, _TYPE)) for name, file in opened]
