"""What a server is told when it starts."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from cellmetry.pipeline.oneshot.limits import OneShotLimits

__all__ = ["DEMO_LIMITS", "DEMO_ONESHOT", "QUICK_LIMITS", "Limits", "Mode", "ServerSettings", "person_here"]

Mode = Literal["laptop", "server", "demo"]


@dataclass(frozen=True)
class Limits:
    """What a server takes at most.

    Parameters
    ----------
    json_bytes, upload_bytes
        Largest body of a request in JSON, and of one that brings files.
    stranger_bytes
        Largest body of a request of somebody whom nobody knows: to sign in needs no more.
    json_values
        Most values (commas) in a body in JSON: reading one holds up all other requests.
    idle_s
        Longest time without a byte of a body that is on its way.
    bytes_per_s
        Slowest rate of a body, over the time that the server waited for it, after a grace of `idle_s`.
    header_s
        Longest time that the headers of a request may take.
    header_bytes
        Largest size of all headers together.
    connections
        Most connections at one time; a further one is answered 503.
    study_hours
        Hours after which a visitor's study of a demo is removed.
    studies, studies_each
        Most studies of all visitors of a demo together, and of one.
    study_bytes
        A study that has as much takes no more files and jobs; 0 for no such limit.
    free_bytes
        Files are taken only while the disk has this much room; 0 for as long as there is any.
    """

    json_bytes: int = 32 << 20
    json_values: int = 300_000
    stranger_bytes: int = 16 << 10
    upload_bytes: int = 16 << 30
    idle_s: float = 30.0
    bytes_per_s: float = 1024.0
    header_s: float = 15.0
    header_bytes: int = 32 << 10
    connections: int = 512
    study_hours: float = 24.0
    studies: int = 100
    studies_each: int = 3
    study_bytes: int = 0
    free_bytes: int = 0


DEMO_LIMITS = Limits(
    json_bytes=4 << 20,
    upload_bytes=64 << 20,
    idle_s=15.0,
    connections=256,
    study_bytes=512 << 20,
    free_bytes=2 << 30,
)
"""The small limits of a public demo."""
DEMO_ONESHOT = OneShotLimits(max_files=10, max_bytes=64 << 20, memory_bytes=2_000_000_000, time_s=60.0, waiting=40)
"""And those of its one-shot calls."""


QUICK_LIMITS = OneShotLimits(max_files=1, memory_bytes=3_000_000_000, time_s=60.0, waiting=20, retry_after_s=2)
"""Those of previews and proposals, whoever asks for them."""


def person_here() -> str:
    """Return the login name of the person who runs this program."""
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):  # a container whose user has no name
        return "you"


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
    names
        Names (``lab.example.org``) by which the server is called besides this computer's own.
    roots
        Folders below which a folder of images may be registered.
    person
        Who works with a server of mode ``laptop``.
    studies
        Folders of studies to be opened besides those of the home folder.
    oneshot
        Limits of one-shot calls; those of a demo are smaller whatever is said here.
    """

    home: Path
    mode: Mode = "laptop"
    host: str = "127.0.0.1"
    port: int = 8765
    root_path: str = ""
    names: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)
    person: str = field(default_factory=person_here)
    studies: tuple[Path, ...] = ()
    oneshot: OneShotLimits = field(default_factory=OneShotLimits)

    @property
    def address(self) -> str:
        """The URL at which the server listens, as seen from this computer, with its root path."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104  compared
        bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{bracketed}:{self.port}{self.root_path}"

    def at_port(self, port: int) -> ServerSettings:
        """Return these settings with the port that was found free."""
        return replace(self, port=port)
