"""The gate of each mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.server.security.demo import DemoGate
from cellmetry.server.security.laptop import LaptopGate
from cellmetry.server.security.people import PeopleGate

if TYPE_CHECKING:
    from cellmetry.server.security.visitor import Gate
    from cellmetry.server.settings import Mode, ServerSettings

__all__ = ["make_gate"]

_GATES: dict[Mode, type[DemoGate | LaptopGate | PeopleGate]] = {
    "laptop": LaptopGate,
    "server": PeopleGate,
    "demo": DemoGate,
}


def make_gate(settings: ServerSettings) -> Gate:
    """Return what lets visitors in."""
    return _GATES[settings.mode](settings)
