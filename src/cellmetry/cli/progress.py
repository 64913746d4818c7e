"""Progress on the terminal: a bar, the time left; silent where output is not a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID

__all__ = ["TerminalProgress", "terminal_progress"]


class TerminalProgress:
    """Shows one bar for each task; the newest advances."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: list[tuple[TaskID, int]] = []
        self._elsewhere: dict[str, tuple[TaskID, str]] = {}

    def start(self, task: str, total: int) -> None:
        """Add a bar for a task, and take finished inner ones away."""
        while len(self._tasks) > 1:
            self._bars.remove_task(self._tasks.pop()[0])
        self._tasks.append((self._bars.add_task(task, total=total), total))

    def show(self, work: str, task: str, *, done: int, total: int) -> None:
        """Show how far work is that another process does; its one bar begins anew with each task."""
        if work not in self._elsewhere:
            self._elsewhere[work] = self._bars.add_task(task, total=total), task
        bar, before = self._elsewhere[work]
        if task != before:
            self._bars.reset(bar, description=task)
            self._elsewhere[work] = bar, task
        self._bars.update(bar, completed=done, total=total)

    def advance(self, units: int = 1) -> None:
        """Advance the newest unfinished bar."""
        for index in range(len(self._tasks) - 1, -1, -1):
            bar, left = self._tasks[index]
            if left >= units:
                self._tasks[index] = (bar, left - units)
                self._bars.advance(bar, units)
                return


@contextmanager
def terminal_progress(*, shown: bool = True) -> Iterator[TerminalProgress]:
    """Yield a progress whose bars stand on standard error while the block runs."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as bars:
        yield TerminalProgress(bars)
