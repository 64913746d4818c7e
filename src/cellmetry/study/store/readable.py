"""The database of a study that can only be read: as it lies there, or a copy where SQLite can make no file."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cellmetry.errors import DamagedFile, OutputError, StudyBusy, StudyInUse
from cellmetry.study.store.database import Database
from cellmetry.study.store.schema import VERSION, stored_version

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["readable_database"]


def readable_database(path: Path, why: str) -> tuple[Database, Callable[[], None]]:
    """Return a database that is opened for reading, and what to call when it is closed.

    Parameters
    ----------
    why
        Why nothing can be changed, as a sentence.

    Raises
    ------
    StudyBusy
        If another program writes to it so that it cannot even be read.
    DamagedFile
        If it is damaged: mending needs a place to write.
    OutputError
        If there is no state, or it cannot be read.
    StudyInUse
        If it is of another version: migrating needs a place to write.
    """
    nothing = f"{path.parent} has no study's state yet and none can be made. {why}"
    if not path.is_file():
        raise OutputError(nothing)
    with ExitStack() as stack:
        try:
            database = Database(path, read_only=True)
        except StudyBusy:
            raise
        except (OutputError, DamagedFile) as error:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cellmetry-")))
            try:
                database = _copied(path, place)
            except DamagedFile as damage:
                words = f"{path} is damaged ({damage.__cause__}) and cannot be mended now. {why}"
                raise DamagedFile(words) from damage
            except OSError:
                raise type(error)(f"{error} {why}") from error
        stack.callback(database.close)
        version = stored_version(database)
        if version == 0:
            raise OutputError(nothing)
        if version != VERSION:
            raise StudyInUse(
                f"{path.parent} has version {version} of its tables and this program reads {VERSION}. {why} Open it "
                f"where it can be written."
            )
        return database, stack.pop_all().close


def _copied(path: Path, place: Path) -> Database:
    """Return a copy of a database with its write-ahead log."""
    for each in path.parent.glob(f"{path.name}*"):
        shutil.copyfile(each, place / each.name)
    return Database(place / path.name)
