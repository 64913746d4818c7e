"""The process that does one job of a study: ``python -m cellmetry.pipeline.jobs.worker STUDY JOB --memory BYTES``.

Who started it says through standard input when to stop: ``c`` at once, ``s`` after the present image. When that ends,
its starter is gone and the process ends too: whatever it had not finished leaves no trace.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import signal
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellmetry.errors import Cancelled, CellmetryError, StudyBusy, StudyInUse
from cellmetry.pipeline.jobs.kind import JobWork
from cellmetry.pipeline.jobs.limits import limit_memory
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.memory import memory_sentence
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.jobs import job, note, set_state, tell_progress
from cellmetry.study.store.lock import take_lock
from cellmetry.study.store.patience import Patience
from cellmetry.study.store.plain_words import plain_words
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from types import FrameType

    from cellmetry.study.store.jobs import JobState
    from cellmetry.study.store.lock import StudyLock
    from cellmetry.study.store.store import Store

__all__ = ["Told", "WorkerProgress", "work_on_job"]

_TELL_EVERY_S = 0.25
_TELL_AGAIN_S = 5.0
_PATIENCE_S = 900.0
"""How long a worker waits while another program writes to the study: nobody waits for its answer."""
_OTHER_ENDS_S = 10.0


class Told:
    """What a worker was told: to cancel its job, or to stop after the present image."""

    def __init__(self) -> None:
        self.cancel = False
        self.stop = False

    def hear(self, handle: int) -> None:
        """Hear what comes through a pipe until it ends; then who started this process is gone, and it ends too."""
        while word := os.read(handle, 1):
            self.cancel |= word == b"c"
            self.stop |= word == b"s"
        os._exit(1)

    def go_on(self) -> None:
        """Stop waiting if the job was cancelled.

        Raises
        ------
        Cancelled
            If it was.
        """
        if self.cancel:
            raise Cancelled("The job was cancelled; what is finished is kept.")

    def hear_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Stop after the present image."""
        self.stop = True


class WorkerProgress:
    """Tells the study how far a job is, a few times a second, and stops the work when that was told."""

    def __init__(self, store: Store, job_id: str, told: Told) -> None:
        self._store, self._job_id, self._told = store, job_id, told
        self._tasks: list[tuple[str, int, int]] = []
        self._next = 0.0
        self._unsaid = False

    def start(self, task: str, total: int) -> None:
        """Note that a task begins, within the one that is not finished."""
        while self._tasks and self._tasks[-1][1] >= self._tasks[-1][2]:
            self._tasks.pop()
        self._tasks.append((task, 0, total))
        if len(self._tasks) == 1:  # what may take long before it advances is not to look like the task before it
            self._next = 0.0
        self._heard()
        self.advance(0)

    def advance(self, units: int = 1) -> None:
        """Note how far it is.

        Raises
        ------
        Cancelled
            If the job was cancelled; or, after a whole unit, if it is to stop.
        """
        for index in range(len(self._tasks) - 1, -1, -1):
            task, done, total = self._tasks[index]
            if units and done + units <= total:
                self._tasks[index] = (task, done + units, total)
                self._heard()
                break
        self._told.go_on()
        if units and self._told.stop:
            raise Cancelled("The job was interrupted; what is finished is kept, and it can be resumed.")

    def flush(self) -> None:
        """Tell what was not told yet."""
        if self._unsaid:
            tell_progress(self._store, self._job_id, self._far)
            self._unsaid = False

    @property
    def _far(self) -> tuple[str, int, int]:
        """How far the newest unfinished task is."""
        open_tasks = [each for each in self._tasks if each[1] < each[2]] or self._tasks[:1]
        return open_tasks[-1]

    def _heard(self) -> None:
        """Tell how far it is, unless that was told a moment ago; if another program writes, tell it later."""
        self._unsaid = True
        now = time.monotonic()
        if now < self._next:
            return
        try:
            tell_progress(self._store, self._job_id, self._far, wait_s=0.0)
        except StudyBusy:
            self._next = now + _TELL_AGAIN_S
        else:
            self._next, self._unsaid = now + _TELL_EVERY_S, False


def work_on_job(folder: Path, job_id: str, told: Told) -> None:
    """Do a job of a study that another process has open, and note how it ended.

    A job whose state somebody else has changed meanwhile is left as it is; so is one that was cancelled while another
    program wrote to the study: who started this process notes that.
    """
    store = join_store(folder, patience=Patience(_PATIENCE_S, told.go_on))
    try:
        place = folder / "jobs" / job_id
        place.mkdir(parents=True, exist_ok=True)
        lock = _locked(place)
        try:
            _do(store, job_id, place, told)
        finally:
            lock.release()
    except Cancelled:
        pass
    except StudyInUse as error:
        _end(store, job_id, "failed", error=str(error))
    finally:
        store.database.close()


def _do(store: Store, job_id: str, place: Path, told: Told) -> None:
    found = job(store, job_id)
    progress = WorkerProgress(store, job_id, told)
    work = JobWork(
        store=store,
        job_id=job_id,
        folder=place,
        actor=Actor(found.who, found.via),
        progress=progress,
        say=lambda kind, text: note(store, job_id, kind, plain_words(store, text)),
    )
    try:
        result = parse_job(found.kind, found.parameters).run(work)
    except Cancelled:
        progress.flush()
        _end(store, job_id, "cancelled" if told.cancel else "interrupted")
    except CellmetryError as error:
        _end(store, job_id, "failed", error=str(error))
    except MemoryError as error:
        _end(store, job_id, "failed", error=memory_sentence(f"The job {found.kind}", error))
    except Exception as error:  # noqa: BLE001  the one place where a job's failure that nobody foresaw is told
        work.say("traceback", traceback.format_exc())
        reason = f"The job {found.kind} failed with an unforeseen {type(error).__name__}: {error}"
        _end(store, job_id, "failed", error=reason)
    else:
        progress.flush()
        _end(store, job_id, "done", result=result)


def _end(store: Store, job_id: str, state: JobState, *, error: str = "", result: dict[str, Any] | None = None) -> None:
    act = (result or {}).get("act")
    with store.database.write():
        if job(store, job_id).state in ("running", "stopping"):
            by = act if isinstance(act, int) else None
            set_state(store, job_id, state, error=plain_words(store, error), result=result, act=by)


def _locked(place: Path) -> StudyLock:
    """Return the lock of a job's folder after a worker before this one, of a server that was killed, has ended."""
    until = time.monotonic() + _OTHER_ENDS_S
    while True:
        lock = take_lock(place, "worker")
        if lock is not None:
            return lock
        if time.monotonic() > until:
            raise StudyInUse("Another process still works on this job; wait until it ends, then resume the job.")
        time.sleep(0.1)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("study", type=Path)
    parser.add_argument("job")
    parser.add_argument("--memory", type=int, default=0)
    given = parser.parse_args()
    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    told = Told()
    signal.signal(signal.SIGTERM, told.hear_signal)
    threading.Thread(target=told.hear, args=(0,), daemon=True).start()
    if given.memory:
        limit_memory(given.memory)
    work_on_job(given.study, given.job, told)


if __name__ == "__main__":
    _main()
