"""What the server does by itself: it takes up studies that became free, makes due checkpoints, and clears up."""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError
from cellmetry.io.atomic import clean_leftovers
from cellmetry.server.security.demo import SANDBOXES, DemoGate

if TYPE_CHECKING:
    from cellmetry.server.security.visitor import Gate
    from cellmetry.server.settings import ServerSettings
    from cellmetry.server.studies import OpenStudies

__all__ = ["keep_house"]

log = logging.getLogger(__name__)


def keep_house(settings: ServerSettings, gate: Gate, studies: OpenStudies, now: datetime | None = None) -> list[str]:
    """Return the ids of the visitors' studies that were removed, after clearing up.

    Parameters
    ----------
    now
        The time that it is; the clock's if left out.
    """
    studies.retake()
    for store in studies.find(again=True).values():
        if not store.read_only:
            clean_leftovers(store.folder / "uploads")
            try:
                store.keep_up()
            except CellmetryError as error:  # a full disk: nothing is lost, the next round tries again
                log.warning("%s", error)
    if not isinstance(gate, DemoGate):
        return []
    until = (now or datetime.now(UTC)) - timedelta(hours=settings.limits.study_hours)
    old = gate.accounts.owned(before=until)
    for study_id in old:
        if study_id in studies:
            folder = studies.get(study_id).folder
            studies.close_one(study_id)
            if folder.parent.resolve() == (settings.home / SANDBOXES).resolve():
                shutil.rmtree(folder)
        gate.accounts.forget_study(study_id)
    return old
