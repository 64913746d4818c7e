"""`OneShotPool`: warm processes that work the files of all one-shot requests, each request in its turn."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError
from cellmetry.pipeline.oneshot.process import WorkerProcess
from cellmetry.pipeline.oneshot.task import failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.pipeline.oneshot.limits import OneShotLimits
    from cellmetry.pipeline.oneshot.task import FileTask, ImageAnswer

__all__ = ["Batch", "OneShotPool", "PoolBusy"]


class PoolBusy(CellmetryError):
    """More files wait than may; come again later."""

    http_status = 503


class Batch:
    """The files of one request.

    Attributes
    ----------
    answers
        What became of each file, in their order, once all are done.
    """

    def __init__(self, tasks: Sequence[FileTask]) -> None:
        self.answers: Future[list[list[ImageAnswer]]] = Future()
        self._tasks = list(tasks)
        self._next, self._done = 0, 0
        self._found: list[list[ImageAnswer]] = [[] for _ in tasks]
        self._lock = threading.Lock()
        self.cancelled = False

    @property
    def waiting(self) -> int:
        """How many files nobody works yet."""
        return 0 if self.cancelled else len(self._tasks) - self._next

    def take(self) -> tuple[int, FileTask]:
        """Return the next file and its place; call it only while `waiting`."""
        place = self._next
        self._next += 1
        return place, self._tasks[place]

    def put(self, place: int, answers: list[ImageAnswer]) -> None:
        """Note what became of a file."""
        with self._lock:
            self._found[place] = answers
            self._done += 1
            complete = self._done == len(self._tasks)
        if complete and not self.answers.done():
            self.answers.set_result(self._found)

    def cancel(self) -> None:
        """Do no more of it; what is being worked is stopped."""
        self.cancelled = True


class OneShotPool:
    """Processes that work files; each is started when first needed and stays warm for a while, its models loaded.

    Parameters
    ----------
    finish
        Whether a file is finished also when nobody waits for it any more: short work, whose process is to stay warm.
    """

    def __init__(self, limits: OneShotLimits, *, finish: bool = False) -> None:
        self.limits, self._finish = limits, finish
        self._changed = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._threads: list[threading.Thread] = []
        self._stopping = False

    @property
    def waiting(self) -> int:
        """How many files of all requests nobody works yet."""
        with self._changed:
            return sum(batch.waiting for batch in self._batches)

    def check_room(self, files: int) -> None:
        """Refuse more files than may wait.

        Raises
        ------
        PoolBusy
            If they would be too many; says when to come again.
        """
        waiting = self.waiting
        if waiting and waiting + files > self.limits.waiting:
            raise PoolBusy(
                f"{waiting} files wait to be worked and no more than {self.limits.waiting} may; send the request again "
                f"in {self.limits.retry_after_s} seconds."
            )

    def submit(self, tasks: Sequence[FileTask]) -> Batch:
        """Return the request's files after putting them into the queue, where every request has its turn.

        Raises
        ------
        PoolBusy
            If too many files wait.
        """
        self.check_room(len(tasks))
        batch = Batch(tasks)
        with self._changed:
            self._stopping = False
            self._batches.append(batch)
            self._start_threads()
            self._changed.notify_all()
        return batch

    def offer(self, tasks: Sequence[FileTask]) -> Batch | None:
        """Return as `submit` does, None while anything waits: for work that nobody asked to have done."""
        with self._changed:
            return None if self.waiting else self.submit(tasks)

    def stop(self) -> None:
        """End all processes; requests that wait are cancelled."""
        with self._changed:
            self._stopping = True
            for batch in self._batches:
                batch.cancel()
            threads, self._threads = self._threads, []
            self._changed.notify_all()
        for thread in threads:
            thread.join()

    def _start_threads(self) -> None:
        """Start as many threads as there may be and is work for; call it with the lock held."""
        while len(self._threads) < min(self.limits.workers, sum(each.waiting for each in self._batches)):
            thread = threading.Thread(target=self._work, name="one-shot", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self) -> None:
        process = WorkerProcess(self.limits, max(1, (os.cpu_count() or 1) // self.limits.workers))
        try:
            while (found := self._take()) is not None:
                batch, place, task = found
                answers = [
                    failed(task, f"{task.name} could not be worked; the server's log says why.", "Unforeseen", 500)
                ]
                try:
                    answers = process.work(task, partial(self._stopped, batch))
                finally:  # whatever happens, the request gets its answer
                    batch.put(place, answers)
        finally:
            process.stop()
            self._left()

    def _left(self) -> None:
        """Let another thread take the place of this one, if that failed and there is work."""
        with self._changed:
            if threading.current_thread() in self._threads:
                self._threads.remove(threading.current_thread())
                self._start_threads()

    def _stopped(self, batch: Batch) -> bool:
        return self._stopping or (batch.cancelled and not self._finish)

    def _take(self) -> tuple[Batch, int, FileTask] | None:
        """Return a file of the request whose turn it is; None when the pool stops, or none came for long."""
        with self._changed:
            while not self._stopping:
                while self._batches and not self._batches[0].waiting:
                    self._batches.popleft()
                if self._batches:
                    batch = self._batches[0]
                    self._batches.rotate(-1)
                    return batch, *batch.take()
                if not self._changed.wait(self.limits.idle_s) and not self._batches:
                    return None
        return None
