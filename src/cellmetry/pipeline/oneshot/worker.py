"""A process that works one-shot files: a line of JSON in for each, a line with what became of its images out."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from cellmetry.pipeline.oneshot.doing import do_file
from cellmetry.pipeline.oneshot.task import FileTask, ImageAnswer, failed
from cellmetry.pipeline.quick.doing import QUICK, do_quick

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["main", "serve"]

log = logging.getLogger(__name__)


def serve(source: TextIO, sink: TextIO) -> None:
    """Answer each line of `source` with one in `sink`, until `source` ends, as it does when its program ends."""
    for line in source:
        answers = _done(FileTask(**json.loads(line)))
        sink.write(json.dumps([asdict(answer) for answer in answers]) + "\n")
        sink.flush()


def _done(task: FileTask) -> list[ImageAnswer]:
    try:
        return do_quick(task) if task.verb in QUICK else do_file(task)
    except MemoryError:
        return [failed(task, f"{task.name} needs more memory than there is.", "LimitExceeded", 413)]
    except Exception as error:
        log.exception("a one-shot task failed")
        reason = f"{task.name} failed with an unforeseen {type(error).__name__}; the server's log has the details."
        return [failed(task, reason, "Unforeseen", 500)]


def main() -> None:
    """Serve standard input; what libraries print goes to standard error, so that answers stay whole."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
