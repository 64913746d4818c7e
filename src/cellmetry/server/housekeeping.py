"""What the server does by itself: it takes up studies that became free, makes due checkpoints, and clears up."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError
from cellmetry.io.atomic import clean_leftovers
from cellmetry.server.security.demo import DemoGate
from cellmetry.server.studies import clear_removed
from cellmetry.study.store.names import STUDY_SUFFIX

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
    return _clear_sandboxes(gate, studies, (now or datetime.now(UTC)) - timedelta(hours=settings.limits.study_hours))


def _clear_sandboxes(gate: DemoGate, studies: OpenStudies, until: datetime) -> list[str]:
    """Return the ids of visitors' studies that were removed because their time was up, whether they could be opened."""
    clear_removed(gate.sandboxes)
    removed = []
    for folder in sorted(gate.sandboxes.glob(f"*{STUDY_SUFFIX}")):
        since = gate.accounts.sandbox_since(folder.name, datetime.fromtimestamp(folder.stat().st_mtime, UTC))
        if since >= until:
            continue
        gate.accounts.forget_sandbox(folder.name)
        try:
            removed.append(studies.remove(folder))
        except OSError as error:
            log.warning("%s cannot be removed (%s)", folder.name, error.strerror)
            gate.accounts.sandbox_since(folder.name, since)  # the next round tries again
    for study_id in gate.accounts.owned(before=until):
        if study_id not in studies:
            gate.accounts.forget_study(study_id)
    return [study_id for study_id in removed if study_id]
