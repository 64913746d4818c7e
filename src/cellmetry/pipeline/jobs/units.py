"""`each_unit`: a job over images, one after the other; what is done stays done, one bad image stops nothing."""

from __future__ import annotations

import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cellmetry.errors import Cancelled, CellmetryError, OutputError
from cellmetry.pipeline.memory import memory_sentence
from cellmetry.study.store.overtaken import TRIES, Overtaken
from cellmetry.study.store.plain_words import plain_words
from cellmetry.study.store.units import begin_unit, end_unit, units_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.study.store.units import Unit

    Commit = Callable[[], dict[str, Any]]
    """Keeps what was worked out, within a transaction, and returns what is to be known of it."""

__all__ = ["each_unit"]


def each_unit(
    work: JobWork,
    task: str,
    names: Mapping[str, str],
    do: Callable[[str, Progress], Commit],
    *,
    failed: Callable[[str, str], None] | None = None,
) -> list[Unit]:
    """Return what became of each unit of a job after doing those that are not done.

    Parameters
    ----------
    task
        What is done, as progress shows it.
    names
        Names of the images as users know them, by their ids.
    do
        Works on one, given a progress that only hears when to stop, and returns what keeps the result. That is called
        in the transaction that notes that the unit is done. If it raises `Overtaken`, the unit is done again.
    failed
        Hears of each unit that failed, with the reason; perhaps more than once.

    Raises
    ------
    Cancelled
        If the job is to stop; what is done is kept.
    OutputError
        If results cannot be written: then no other image will do better.
    """
    before = units_of(work.store, work.job_id)
    ended = {name for name in names if name in before and before[name].state != "running"}
    for name in ended:
        if failed is not None and before[name].state == "failed":
            failed(name, before[name].reason)
    work.progress.start(task, len(names))
    work.progress.advance(len(ended))
    listening = _Listening(work.progress)
    for name, shown in names.items():
        if name in ended:
            continue
        begin_unit(work.store, work.job_id, name)
        reason = plain_words(work.store, _done(work, name, shown, do, listening))
        if reason:
            work.say("warning", reason)
            with work.store.database.write():
                end_unit(work.store, work.job_id, name, "failed", reason=reason)
                if failed is not None:
                    failed(name, reason)
        work.progress.advance()
    after = units_of(work.store, work.job_id)
    return [after[name] for name in names]


def _done(work: JobWork, name: str, shown: str, do: Callable[[str, Progress], Commit], progress: Progress) -> str:
    """Do one unit and return why it failed; empty if it did not."""
    try:
        _do(work, name, do, progress)
    except (Cancelled, OutputError):
        raise
    except CellmetryError as error:
        return str(error)
    except MemoryError as error:
        return memory_sentence(shown, error)
    except Exception as error:  # noqa: BLE001  one image that fails in a way nobody foresaw must not stop the others
        work.say("traceback", traceback.format_exc())
        return f"{shown} failed with an unforeseen {type(error).__name__}: {error}"
    return ""


def _do(work: JobWork, name: str, do: Callable[[str, Progress], Commit], progress: Progress) -> None:
    """Do one unit and keep its result; again if somebody edits meanwhile what it was made of."""
    for _ in range(TRIES):
        keep = do(name, progress)
        with suppress(Overtaken), work.store.database.write():
            end_unit(work.store, work.job_id, name, "done", result=keep())
            return
    with work.store.database.write():  # somebody edits all the while: let them wait
        end_unit(work.store, work.job_id, name, "done", result=do(name, progress)())


class _Listening:
    """The progress of work within one image: not shown, but it hears when the job is cancelled."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def start(self, task: str, total: int) -> None:
        """Stop if the job is cancelled."""
        self._progress.advance(0)

    def advance(self, units: int = 1) -> None:
        """Stop if the job is cancelled."""
        self._progress.advance(0)
