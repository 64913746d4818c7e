"""What a server is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cellmetry.pipeline.oneshot.limits import OneShotLimits

__all__ = ["ServerSettings"]


@dataclass(frozen=True)
class ServerSettings:
    """How a server serves.

    Parameters
    ----------
    home
        Folder whose sub-folders ``NAME.cellmetry`` are the studies; new ones are made there.
    mode
        ``laptop``: one person on this computer, let in by a token. ``server``: accounts. ``demo``: anybody, with small
        limits, cleaned up.
    root_path
        Path below which a proxy shows the server, as in ``/cellmetry``.
    oneshot
        Limits of `POST /predict` and `POST /count`.
    """

    home: Path
    mode: Literal["laptop", "server", "demo"] = "laptop"
    host: str = "127.0.0.1"
    port: int = 8765
    root_path: str = ""
    oneshot: OneShotLimits = field(default_factory=OneShotLimits)
