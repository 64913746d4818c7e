"""A study opened by a command, also while a server has it."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cellmetry.study.store.acts import Actor
from cellmetry.study.store.jobs import interrupted
from cellmetry.study.store.places import writable
from cellmetry.study.store.store import join_store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.study.store.store import Store

__all__ = ["JobId", "StudyFolder", "actor", "opened", "shared"]

StudyFolder = Annotated[Path, typer.Argument(help="Folder of the study, NAME.cellmetry.")]
JobId = Annotated[str, typer.Argument(help="Id of the job, as `cellmetry job list` shows it.")]


def actor() -> Actor:
    """Return who types."""
    try:
        return Actor(getpass.getuser(), "cli")
    except (KeyError, OSError):  # a container whose user has no name
        return Actor("unknown", "cli")


@contextmanager
def opened(study: Path) -> Iterator[Store]:
    """Yield a study that this program alone may change meanwhile.

    Raises
    ------
    StudyInUse
        If another program has it open; says which.
    """
    with open_store(study) as store:
        store.must_be_writable()
        interrupted(store)
        yield store


@contextmanager
def shared(study: Path) -> Iterator[Store]:
    """Yield a study for what any program may do at any time: look at the queue, put jobs into it, cancel them.

    Raises
    ------
    StudyInUse
        If nothing can be written there.
    """
    store = open_store(study)
    if not store.read_only:
        interrupted(store)
    elif writable(study):
        store.close()
        store = join_store(study)
    with store:
        store.must_be_writable()
        yield store
