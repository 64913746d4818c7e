"""`WorkerProcess`: one process that works files, watched for memory and time."""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import psutil

from cellmetry.pipeline.oneshot.task import ImageAnswer, failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellmetry.pipeline.oneshot.limits import OneShotLimits
    from cellmetry.pipeline.oneshot.task import FileTask

__all__ = ["WorkerProcess"]

log = logging.getLogger(__name__)
_LOOK_S = 0.1
_START_S = 120.0


class WorkerProcess:
    """A process that is started when there is something to do, and anew after it had to be ended.

    Parameters
    ----------
    threads
        Threads with which its networks run.
    """

    def __init__(self, limits: OneShotLimits, threads: int) -> None:
        self._limits, self._threads = limits, threads
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()

    def work(self, task: FileTask, stopped: Callable[[], bool]) -> list[ImageAnswer]:
        """Return what became of a file; the process is ended where it takes too long or too much, or was stopped."""
        first = self._process is None or self._process.poll() is not None
        process = self._start() if first else self._process
        if process is None or process.stdin is None:
            return [
                failed(
                    task,
                    f"{task.name} could not be worked: no process could be started. Try it again.",
                    "Unforeseen",
                    500,
                )
            ]
        try:
            process.stdin.write(json.dumps(asdict(task)) + "\n")
            process.stdin.flush()
        except OSError:
            return self._gone(task)
        until = time.monotonic() + self._limits.time_s + (_START_S if first else 0.0)
        while True:
            line = self._line()
            if line is not None:
                return self._answers(task, line)
            if stopped():
                self.stop()
                return [failed(task, f"{task.name} was not finished: the request was stopped.", "Cancelled", 409)]
            if time.monotonic() > until:
                self.stop()
                return [failed(task, _too_long(task, self._limits), "LimitExceeded", 413)]
            if _memory(process) > self._limits.memory_bytes:
                self.stop()
                return [failed(task, _too_much(task, self._limits), "LimitExceeded", 413)]

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close(stream.close)

    def _start(self) -> subprocess.Popen[str] | None:
        """Return a new process; None if the system starts none now."""
        self.stop()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cellmetry.pipeline.oneshot.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={"CELLMETRY_THREADS": str(self._threads), **os.environ},
            )
        except OSError as error:
            log.warning("No process could be started for one-shot work: %s", error)
            return None
        self._lines = queue.Queue()
        threading.Thread(target=_listen, args=(self._process, self._lines), daemon=True).start()
        return self._process

    def _line(self) -> str | None:
        """Return the next line of the process, empty if it ended, None if there is none yet."""
        try:
            found = self._lines.get(timeout=_LOOK_S)
        except queue.Empty:
            return None
        return found or ""

    def _answers(self, task: FileTask, line: str) -> list[ImageAnswer]:
        if not line:
            return self._gone(task)
        if self._process is not None and _memory(self._process) > self._limits.memory_bytes // 2:
            self.stop()  # what one image left behind must not be held against the next
        return [ImageAnswer.of(each) for each in json.loads(line)]

    def _gone(self, task: FileTask) -> list[ImageAnswer]:
        self.stop()
        reason = f"{task.name} ended the process that worked it (out of memory, or a crash in a library)."
        return [failed(task, reason, "DamagedFile", 422)]


def _listen(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Pass on the lines of a process, and None at its end."""
    try:
        for line in process.stdout or ():
            lines.put(line)
    except ValueError:  # closed while it was read
        pass
    finally:
        lines.put(None)


def _memory(process: subprocess.Popen[str]) -> int:
    try:
        return int(psutil.Process(process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def _close(close: Callable[[], None]) -> None:
    try:
        close()
    except OSError:  # what was still to be written has nobody to read it
        return


def _too_long(task: FileTask, limits: OneShotLimits) -> str:
    return f"{task.name} took longer than {limits.time_s:.0f} s; register it in a study, where jobs may take longer."


def _too_much(task: FileTask, limits: OneShotLimits) -> str:
    return (
        f"{task.name} needs more than {limits.memory_bytes / 1e9:.1f} GB of memory; register it in a study, where it "
        f"is worked in parts."
    )
