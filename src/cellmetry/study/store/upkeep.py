"""`Upkeep`: makes checkpoints and snapshots of open studies beside the work of a program that runs for long."""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cellmetry.study.store.store import Store

__all__ = ["Upkeep"]

log = logging.getLogger(__name__)


class Upkeep:
    """A thread that calls `Store.keep_up` of each open study now and then.

    Parameters
    ----------
    stores
        Returns the studies that are open.
    every_s
        Seconds between two rounds.
    """

    def __init__(self, stores: Callable[[], Iterable[Store]], every_s: float = 20.0) -> None:
        self._stores, self._every_s = stores, every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the last round is done, so that the studies may be closed."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            for store in tuple(self._stores()):
                try:
                    store.keep_up()
                except CellmetryError as error:  # a full disk: the next round tries again, nothing is lost
                    log.warning("%s", error)
                except sqlite3.ProgrammingError:  # the study was closed meanwhile, which makes its last checkpoint
                    log.debug("%s was closed", store.folder.name)
