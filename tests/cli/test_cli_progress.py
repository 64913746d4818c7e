"""Bars on the terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import Progress

from cellmetry.cli.progress import TerminalProgress


def test_work_of_another_process_has_one_bar_that_begins_anew_with_each_task():
    with Progress(console=Console(file=io.StringIO())) as bars:
        progress = TerminalProgress(bars)
        progress.show("job_1", "train: prepare", done=1, total=4)
        progress.show("job_1", "train: prepare", done=4, total=4)
        progress.show("job_2", "read", done=1, total=9)
        progress.show("job_1", "train: Training", done=3, total=600)
        assert [(bar.description, bar.completed, bar.total) for bar in bars.tasks] == [
            ("train: Training", 3, 600),
            ("read", 1, 9),
        ]
