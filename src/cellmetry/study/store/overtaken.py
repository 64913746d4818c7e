"""What takes long is prepared outside a transaction; `Overtaken` says within one that it was prepared of old labels."""

from __future__ import annotations

__all__ = ["TRIES", "Overtaken"]

TRIES = 3
"""How often something is prepared that edits overtake, before it is done within a transaction, and edits wait."""


class Overtaken(Exception):
    """Labels were edited or replaced after something was prepared of them."""
