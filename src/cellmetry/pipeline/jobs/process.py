"""`WorkerProcess`: the process that does a job, as its starter sees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.pipeline.jobs.limits import JobLimits

__all__ = ["WorkerProcess"]

_SAID = 4000
_ENDS_S = 10.0


class WorkerProcess:
    """A process that does a job of a study.

    Raises
    ------
    OSError
        If the system starts no more processes.
    """

    def __init__(self, study: Path, job_id: str, limits: JobLimits) -> None:
        threads = max(1, (os.cpu_count() or 1) // limits.workers)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed when the process has ended
        module = ("-P", "-m", "cellmetry.pipeline.jobs.worker")
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own module, ids of ours
                [sys.executable, *module, str(study), job_id, "--memory", str(limits.worker_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._output,
                start_new_session=True,
                env={"CELLMETRY_THREADS": str(threads), **os.environ},
            )
        except OSError:
            self._output.close()
            raise

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def tell(self, word: bytes) -> None:
        """Tell it to cancel (``c``) or to stop after its image (``s``)."""
        with suppress(OSError):  # it has just ended
            os.write(self._process.stdin.fileno(), word)  # type: ignore[union-attr]

    def ended(self) -> bool:
        """Return whether it has ended; nothing is left of it then."""
        return self._process.poll() is not None

    def memory(self) -> int:
        """Return how many bytes it has, with the processes that it started."""
        used = 0
        with suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            for each in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    used += each.memory_info().rss
        return used

    def kill(self) -> None:
        """End it and what it started at once."""
        with suppress(OSError):
            if sys.platform == "win32":  # pragma: no cover  Windows only
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # the system has not let go of it yet; `ended` says when
            self._process.wait(_ENDS_S)

    def said(self) -> str:
        """Return the end of what it wrote when it has ended, after closing what led to it; empty the second time."""
        self._process.stdin.close()  # type: ignore[union-attr]
        if self._output.closed:
            return ""
        with self._output as output:
            size = output.seek(0, os.SEEK_END)
            output.seek(max(0, size - _SAID))
            return output.read().decode("utf-8", errors="replace").strip()

    def why(self) -> str:
        """Return why it ended, as far as the system says."""
        code = self._process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return f"{name}: out of memory, or a crash in a library"
        return f"exit code {code}: a crash in a library"
