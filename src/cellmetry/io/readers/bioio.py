"""Any installed bioio reader, for formats that Cellmetry does not read itself; never required."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from cellmetry.io.reader import StoredScene
    from cellmetry.io.signatures import Probe

__all__ = ["BioioReader"]


class BioioReader:
    """What bioio and its installed plug-ins can open."""

    title: ClassVar[str] = "a format of an installed bioio reader"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether bioio is installed and one of its plug-ins takes the file."""
        if find_spec("bioio") is None:
            return False
        from cellmetry.io.readers.bioio_adapter import takes  # noqa: PLC0415 - bioio is optional

        return takes(probe.path)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return the scenes as bioio lists them."""
        from cellmetry.io.readers.bioio_adapter import bioio_scenes  # noqa: PLC0415 - bioio is optional

        return bioio_scenes(path)
