"""`register_apart`: images are registered by a process of its own, so that no file can bring a server down.

``python -m cellmetry.pipeline.stored.apart STUDY --memory BYTES`` takes what to register as JSON and answers in JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cellmetry.errors
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import CellmetryError, DamagedFile, LimitExceeded
from cellmetry.io.discover import find_inputs
from cellmetry.io.hashing import file_state
from cellmetry.pipeline.jobs.limits import limit_memory
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.plain_words import plain_words
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.study.store.store import Store

__all__ = ["register_apart"]

_TIME_S = 120.0
_BYTES_A_SECOND = 20e6
"""Slowest disk on which files are hashed."""


def register_apart(
    store: Store,
    actor: Actor,
    inputs: Sequence[Path],
    *,
    memory_bytes: int,
    reading: Reading | None = None,
    names: Mapping[Path, str] | None = None,
) -> tuple[str, ...]:
    """Return the ids of the images that files or folders became, as `register_images` does; no links are followed.

    Parameters
    ----------
    memory_bytes
        Memory that looking at them may take.
    names
        What users call files that they uploaded; None for files that stay where they are.

    Raises
    ------
    CellmetryError
        Whatever `register_images` refuses.
    DamagedFile
        If a file ends the process, by a crash in a library for example.
    LimitExceeded
        If it takes too long.
    """
    store.must_be_writable()
    size = sum(file_state(file.path).size for file in find_inputs(inputs))
    asked = {
        "actor": [actor.who, actor.via],
        "inputs": [str(path) for path in inputs],
        "reading": (reading or Reading()).model_dump(mode="json"),
        "names": None if names is None else {str(path): name for path, name in names.items()},
    }
    command = [sys.executable, "-P", "-m", __name__, str(store.folder), "--memory", str(memory_bytes)]
    try:
        done = subprocess.run(  # noqa: S603  our own module
            command,
            input=json.dumps(asked),
            capture_output=True,
            encoding="utf-8",
            timeout=_TIME_S + size / _BYTES_A_SECOND,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LimitExceeded("To look at the files took too long; nothing was added. Add fewer at a time.") from error
    if not done.stdout:
        raise DamagedFile("One of the files ended the process that looked at it; nothing was added. Add them singly.")
    answer = json.loads(done.stdout)
    if "kind" in answer:
        raise _error(answer["kind"], answer["message"])
    return tuple(answer["ids"])


def _error(kind: str, message: str) -> CellmetryError:
    """Return an error of another process: of its class, or of the nearest that is made from a sentence alone."""
    found: type[CellmetryError] = getattr(cellmetry.errors, kind, CellmetryError)
    plain: type[CellmetryError] = next(each for each in found.__mro__ if "__init__" not in vars(each))
    return plain(message)


def _registered(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the ids of the images, or the kind and sentence of the error."""
    store = join_store(folder)
    try:
        names = asked["names"]
        ids = register_images(
            store,
            Actor(*asked["actor"]),
            [Path(each) for each in asked["inputs"]],
            reading=parse_parameters(Reading, asked["reading"], where="reading"),
            names=None if names is None else {Path(path): name for path, name in names.items()},
            links=False,
        )
    except CellmetryError as error:
        return {"kind": type(error).__name__, "message": plain_words(store, str(error))}
    except MemoryError:
        message = "One of the files needs more memory to be opened than it may have; nothing was added."
        return {"kind": "LimitExceeded", "message": message}
    else:
        return {"ids": ids}
    finally:
        store.database.close()


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("study", type=Path)
    parser.add_argument("--memory", type=int, required=True)
    given = parser.parse_args()
    asked = json.load(sys.stdin)
    limit_memory(given.memory)
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
        answers.write(json.dumps(_registered(given.study, asked)))


if __name__ == "__main__":
    _main()
