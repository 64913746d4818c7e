"""`JobRunner`: works the queues of all studies that a program has open, each job in a process of its own.

One thread starts the processes and watches over them. A process that hangs, crashes or takes too much memory loses
the image it was at; what was done before is kept, and the job goes on with the next image.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError
from cellmetry.pipeline.jobs.limits import JobLimits
from cellmetry.pipeline.jobs.process import WorkerProcess
from cellmetry.pipeline.memory import too_large
from cellmetry.study.store.images import image
from cellmetry.study.store.jobs import ENDED, cancel_job, job, jobs, next_job, note, set_state
from cellmetry.study.store.plain_words import plain_words
from cellmetry.study.store.units import end_unit, forget_units, running_unit

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.study.store.jobs import StoredJob
    from cellmetry.study.store.store import Store

__all__ = ["JobRunner"]

log = logging.getLogger(__name__)

_POLL_S = 0.25
_EXIT_S = 10.0
_KEPT = "what is finished is kept, and it can be resumed."
_READ = "read"
"""The kind of job that may run beside others: who adds images wants to see them."""


class _Running:
    """A job that is worked on."""

    def __init__(self, store: Store, found: StoredJob, process: WorkerProcess, began: float) -> None:
        self.began = began
        self.store, self.job_id, self.kind, self.process = store, found.id, found.kind, process
        self.unit: str | None = None
        self.unit_since = time.monotonic()
        self.told, self.told_at = b"", 0.0
        self.lost = ""
        """Why its process was killed, where that was its image's fault."""
        self.over = ""
        """Why its process was killed, where the job as a whole was too much."""

    def tell(self, word: bytes) -> None:
        """Tell the process to cancel (``c``) or to stop after its image (``s``), once."""
        if self.told in (word, b"c"):
            return
        self.told, self.told_at = word, time.monotonic()
        self.process.tell(word)

    def told_for(self) -> float:
        """Return for how many seconds it knows that it is to end."""
        return time.monotonic() - self.told_at if self.told else 0.0


class JobRunner:
    """Works the queues of studies; `start` it once, `stop` it before the program ends.

    Parameters
    ----------
    limits
        What all jobs share.
    """

    def __init__(self, limits: JobLimits | None = None) -> None:
        self.limits = limits or JobLimits()
        self._lock = threading.RLock()
        self._woken = threading.Event()
        self._stores: dict[Path, Store] = {}
        self._leaving: set[Path] = set()
        self._running: list[_Running] = []
        self._crashed: set[tuple[str, str | None]] = set()
        self._turns: dict[Path, int] = {}
        self._turn = 0
        self._thread: threading.Thread | None = None
        self._stopping = False

    def add(self, store: Store) -> None:
        """Work the queue of a study from now on; one that is open for reading only is left alone."""
        if not store.read_only:
            with self._lock:
                self._stores[store.folder] = store
            self.wake()

    def remove(self, store: Store) -> None:
        """Work the queue of a study no more; returns when its jobs have finished their images and are interrupted."""
        with self._lock:
            self._leaving.add(store.folder)
        while self._thread is not None and self._thread.is_alive() and self._works_on(store.folder):
            self.wake()
            time.sleep(_POLL_S / 5)
        with self._lock:
            self._stores.pop(store.folder, None)
            self._turns.pop(store.folder, None)
            self._leaving.discard(store.folder)

    def cancel(self, store: Store, job_id: str) -> None:
        """Cancel a job; it ends within seconds, and its finished images are kept."""
        cancel_job(store, job_id)
        self.wake()

    def wake(self) -> None:
        """Look at the queues now rather than in a moment."""
        self._woken.set()

    def start(self) -> None:
        """Begin to work."""
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the images that are worked on; jobs are interrupted, and no process is left."""
        self._stopping = True
        self.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def idle(self) -> bool:
        """Whether nothing is worked on and nothing waits."""
        with self._lock:
            return not self._running and not any(jobs(store, "queued") for store in self._stores.values())

    def _works_on(self, folder: Path) -> bool:
        with self._lock:
            return any(each.store.folder == folder for each in self._running)

    def _work(self) -> None:
        while True:
            self._woken.wait(_POLL_S)
            self._woken.clear()
            with self._lock:
                for running in list(self._running):
                    self._watch(running)
                if self._stopping and not self._running:
                    return
                if not self._stopping:
                    self._start_more()

    def _watch(self, running: _Running) -> None:
        """Look after one process; a study whose disk fails is looked at again later."""
        try:
            if running.process.ended():
                self._ended(running)
            else:
                self._look(running)
        except (CellmetryError, sqlite3.Error, OSError) as error:
            log.warning("The job %s could not be looked after (%s)", running.job_id, error)
            if self._stopping or running.store.folder in self._leaving:
                running.process.kill()
                self._running.remove(running)

    def _look(self, running: _Running) -> None:
        state = job(running.store, running.job_id).state
        if state == "stopping":
            running.tell(b"c")
        elif self._stopping or running.store.folder in self._leaving:
            running.tell(b"s")
        elif state != "running":
            running.tell(b"c")  # it has ended, or its end was noted by another program
        patience = {b"": 0.0, b"c": self.limits.cancel_s, b"s": self.limits.stop_s}[running.told]
        if state in ENDED:
            patience = _EXIT_S
        if running.told and running.told_for() > patience:
            running.process.kill()
        else:
            self._keep_limits(running)

    def _keep_limits(self, running: _Running) -> None:
        now, unit = time.monotonic(), running_unit(running.store, running.job_id)
        if unit != running.unit:
            running.unit, running.unit_since = unit, now
        name = _shown(running.store, unit) or f"The job {running.kind}"
        used = running.process.memory()
        if used > self.limits.worker_bytes:
            running.lost = too_large(name, used)
        elif unit is not None and now - running.unit_since > self.limits.image_s:
            running.lost = f"{name} took longer than {self.limits.image_s:g} s and was given up."
        elif now - running.began > self.limits.job_s:
            running.over = f"The job {running.kind} took longer than {self.limits.job_s:g} s and was given up; {_KEPT}"
        elif shutil.disk_usage(running.store.folder).free < self.limits.free_bytes:
            running.over = f"The disk is nearly full, so the job {running.kind} was given up; {_KEPT}"
        if running.lost or running.over:
            running.process.kill()

    def _ended(self, running: _Running) -> None:
        """Note how a job ended whose process could not do that itself, or let it go on after the lost image."""
        store, job_id = running.store, running.job_id
        state = job(store, job_id).state
        said = running.process.said()
        if said:
            note(store, job_id, "log", plain_words(store, said))
        again = any(each.job_id == job_id and each is not running for each in self._running)
        if state == "stopping" and not again:
            set_state(store, job_id, "cancelled")
        elif state == "running" and running.told and not again:
            set_state(store, job_id, "interrupted")
        elif state == "running" and not again:
            self._lost(running)
            return
        self._running.remove(running)
        self._woken.set()

    def _lost(self, running: _Running) -> None:
        """Give up the image at which a process ended twice, and start another one for the rest.

        The first end may be nobody's fault: the system ends processes when others take all memory. A process that ends
        twice before its first image, or after the last, fails the job.
        """
        store, job_id = running.store, running.job_id
        unit = running_unit(store, job_id)
        name = _shown(store, unit) or f"The job {running.kind}"
        reason = running.lost or f"{name} ended its worker process ({running.process.why()})."
        if running.over:
            set_state(store, job_id, "failed", error=running.over)
            self._running.remove(running)
            return
        if not running.lost and (job_id, unit) not in self._crashed:
            with store.database.write():
                forget_units(store, job_id, failed=False)
                note(store, job_id, "log", f"{reason} It is tried once more.")
            self._crashed.add((job_id, unit))
        elif unit is None:
            set_state(store, job_id, "failed", error=reason)
            self._crashed.discard((job_id, unit))  # it may be resumed
            self._running.remove(running)
            return
        else:
            with store.database.write():
                end_unit(store, job_id, unit, "failed", reason=reason)
                note(store, job_id, "warning", reason)
        self._running.remove(running)
        self._start(store, job(store, job_id), running.began)

    def _start_more(self) -> None:
        """Start jobs while there is room, of the studies in turn."""
        while True:
            busy = sum(each.kind != _READ for each in self._running)
            reads = len(self._running) - busy
            if not any(self._start_one(store, busy < self.limits.workers, reads == 0) for store in self._in_turn()):
                return

    def _start_one(self, store: Store, room: bool, room_to_read: bool) -> bool:
        """Start the next job of a study if there is one and room for it."""
        own = any(each.store is store and each.kind != _READ for each in self._running)
        try:
            found = next_job(store, _READ) if room_to_read else None
            if found is None and room and not own:
                found = next_job(store, but=_READ)
        except (CellmetryError, sqlite3.Error, OSError) as error:
            log.warning("The queue of %s could not be read (%s)", store.folder.name, error)
            return False
        if found is None:
            return False
        self._turn += 1
        self._turns[store.folder] = self._turn
        self._start(store, found)
        return True

    def _in_turn(self) -> list[Store]:
        """Return the studies, first those with fewest jobs at work, then those whose turn was longest ago."""
        stores = [store for folder, store in self._stores.items() if folder not in self._leaving]
        busy = {store.folder: sum(each.store is store for each in self._running) for store in stores}
        return sorted(stores, key=lambda store: (busy[store.folder], self._turns.get(store.folder, 0)))

    def _start(self, store: Store, found: StoredJob, began: float | None = None) -> None:
        try:
            process = WorkerProcess(store.folder, found.id, self.limits)
        except OSError as error:
            set_state(store, found.id, "failed", error=f"No process could be started for the job: {error.strerror}.")
            return
        self._running.append(_Running(store, found, process, time.monotonic() if began is None else began))


def _shown(store: Store, image_id: str | None) -> str:
    """Return the name of an image as its users know it; empty for None."""
    if image_id is None:
        return ""
    try:
        return image(store, image_id).name
    except CellmetryError:
        return image_id
