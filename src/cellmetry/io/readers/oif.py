"""Olympus OIF and OIB, by oiffile; planes are TIFF files named by channel, depth and time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import oiffile

from cellmetry.core.image import Channel, PixelSize
from cellmetry.errors import DamagedFile, UnsupportedFormat
from cellmetry.io.failures import file_name, reading
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.frame_cache import LastFrame
from cellmetry.io.signatures import SIGNATURES
from cellmetry.io.units import micrometres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellmetry.io.reader import Index
    from cellmetry.io.signatures import Probe

__all__ = ["OifReader"]

_PLANE = re.compile(r"(?:.*[\\/])?s_(?P<places>(?:[A-Z]\d+)+)\.tif", re.IGNORECASE)
_PLACE = re.compile(r"([A-Z])(\d+)")
_MAX_AXES = 8


class OifReader:
    """FluoView files: OIF with its folder of planes, and OIB, the same in one file."""

    title: ClassVar[str] = "an Olympus OIF or OIB file"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the content is an OIF settings file or an OIB container."""
        return SIGNATURES["oif"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return the one image of the file."""
        name = file_name(path)
        if not path.lower().endswith(".oif"):
            _check_container(path)
        with oiffile.OifFile(path) as file:
            planes = _planes(file)
            if not planes:
                raise DamagedFile(f"{name} has no planes: no file named like s_C001Z001.tif belongs to it.")
            order = [axis for axis in "TCZ" if any(axis in dict(place) for place in planes)]
            odd = {axis for place in planes for axis, _ in place} - set("TCZ")
            if odd:
                raise UnsupportedFormat(f"{name} has planes along {', '.join(sorted(odd))}; only C, Z and T are read.")
            first = file.asarray(next(iter(planes.values())))
            store = _OifStore(path, planes, order, first)
            settings = file.mainfile
        axes = _axes(settings)
        return [
            StoredScene(
                store,
                "".join(order) + "YX",
                channels=_channels(settings, store.shape[order.index("C")] if "C" in order else 1),
                pixel_size=PixelSize(*(_step(axes.get(axis)) for axis in "XYZ")),
                bit_depth=_bits(settings),
                metadata=_metadata(settings),
                warnings=store.missing(name),
            )
        ]


def _check_container(path: str) -> None:
    """Let a damaged OIB fail here, where its file is closed again; oiffile would leave it open."""
    with oiffile.CompoundFile(path) as file:
        info = oiffile.SettingsFile(file.open_file("OibInfo.txt"), "OibInfo.txt")["OibSaveInfo"]
        stored = {entry.rpartition("/")[2]: entry for entry in file.files()}
        streams = {info[key]: stored[key] for key in info if key.startswith("Stream")}
        main = info[info["MainFileName"]]
        oiffile.SettingsFile(file.open_file(streams[main]), main)


def _planes(file: Any) -> dict[tuple[tuple[str, int], ...], str]:
    """Return the TIFF of each plane, by its places along C, Z and T counted from 1."""
    found = {}
    for entry in file.glob("*"):
        match = _PLANE.fullmatch(entry)
        if match:
            places = tuple((axis.upper(), int(number)) for axis, number in _PLACE.findall(match["places"].upper()))
            found[places] = entry
    return dict(sorted(found.items()))


class _OifStore:
    """An `ArrayStore` that opens the file for each plane."""

    def __init__(self, path: str, planes: dict[tuple[tuple[str, int], ...], str], order: list[str], first: Any) -> None:
        self.path, self.order = path, order
        if first.ndim != 2:
            raise DamagedFile(f"{file_name(path)} has planes of shape {first.shape}; rows and columns were expected.")
        lead = tuple(max(dict(place).get(axis, 1) for place in planes) for axis in order)
        self.files = {tuple(dict(place).get(axis, 1) - 1 for axis in order): entry for place, entry in planes.items()}
        self.shape: tuple[int, ...] = (*lead, *first.shape)
        self.dtype: np.dtype[Any] = first.dtype
        self.level_sizes = ((int(first.shape[0]), int(first.shape[1])),)
        self.last = LastFrame()

    def missing(self, name: str) -> tuple[str, ...]:
        """Return a warning if some planes have no file."""
        expected = int(np.prod(self.shape[:-2], dtype=np.int64))
        lacking = expected - len(self.files)
        return (f"{name} lacks {lacking} of its {expected} planes; reading one of them fails.",) if lacking else ()

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region of one plane."""
        place = tuple(int(part) for part in index[:-2] if isinstance(part, int))
        if place not in self.files:
            raise DamagedFile(f"{file_name(self.path)} lacks the plane at {place} of {''.join(self.order)}.")
        with reading(self.path, self.files[place]):
            plane = self.last.get(place, lambda: self._plane(place))
        return plane[index[-2:]]

    def _plane(self, place: tuple[int, ...]) -> NDArray[Any]:
        with oiffile.OifFile(self.path) as file:
            plane: NDArray[Any] = file.asarray(self.files[place])
        if plane.shape != self.shape[-2:]:
            raise ValueError(f"its shape is {plane.shape}, the first plane's {self.shape[-2:]}")
        return plane


def _axes(settings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    parts = [settings.get(f"Axis {number} Parameters Common") or {} for number in range(_MAX_AXES)]
    return {str(part["AxisCode"]): part for part in parts if part.get("AxisCode")}


def _step(axis: Mapping[str, Any] | None) -> float | None:
    """Return the distance of neighbouring pixels along an axis, in µm."""
    if not axis or int(axis.get("MaxSize", 0)) < 2:
        return None
    extent = abs(float(axis.get("EndPosition", 0)) - float(axis.get("StartPosition", 0)))
    n_steps = int(axis["MaxSize"]) - (1 if axis.get("AxisCode") == "Z" else 0)
    return micrometres(extent / n_steps, str(axis.get("PixUnit") or axis.get("UnitName"))) or None


def _channels(settings: Mapping[str, Any], n_channels: int) -> tuple[Channel, ...]:
    parts = [settings.get(f"Channel {number} Parameters") or {} for number in range(1, n_channels + 1)]
    names = [str(part.get("DyeName") or part.get("CH Name") or "").strip() for part in parts]
    return tuple(Channel(name or f"channel{index}") for index, name in enumerate(names))


def _bits(settings: Mapping[str, Any]) -> int | None:
    bits = (settings.get("Reference Image Parameter") or {}).get("ValidBitCounts")
    return int(bits) if bits else None


def _metadata(settings: Mapping[str, Any]) -> dict[str, Any]:
    lens = (settings.get("Objective Lens Parameters") or settings.get("Acquisition Parameters Common")) or {}
    found = {"objective": lens.get("ObjectiveLens Name") or lens.get("Objective Lens Name")}
    when = (settings.get("Acquisition Parameters Common") or {}).get("ImageCaputreDate")
    found["acquired_text"] = when
    return {key: value for key, value in found.items() if value}
