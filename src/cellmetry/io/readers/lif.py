"""Leica LIF, by liffile; every image (and every tile of a tile scan) is a scene."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import liffile
import numpy as np

from cellmetry.core.image import Channel, PixelSize
from cellmetry.io.failures import file_name, reading
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.frame_cache import LastFrame
from cellmetry.io.signatures import SIGNATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.io.reader import Index
    from cellmetry.io.signatures import Probe

__all__ = ["LifReader"]

_COLOURS = {
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "gray": "#ffffff",
    "grey": "#ffffff",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
    "yellow": "#ffff00",
}
_SETTINGS = ("ATLConfocalSettingDefinition", "ATLCameraSettingDefinition")
_KEPT = {"ObjectiveName": "objective", "Magnification": "magnification", "NumericalAperture": "numerical_aperture"}


class LifReader:
    """Leica image files of LAS AF and LAS X."""

    title: ClassVar[str] = "a Leica LIF file"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the file begins with a LIF header block."""
        return SIGNATURES["lif"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return the images in the order in which the file lists them."""
        with liffile.LifFile(path) as file:
            return [scene for number, image in enumerate(file.images) for scene in _scenes(path, number, image)]


def _scenes(path: str, number: int, image: Any) -> list[StoredScene]:
    """Return one scene, or one per tile of a tile scan."""
    tiles = range(image.sizes["M"]) if "M" in image.sizes else [None]
    return [_scene(path, number, image, tile) for tile in tiles]


def _scene(path: str, number: int, image: Any, tile: int | None) -> StoredScene:
    frame = [dim for dim in image.frames.frame_dims if dim != "S"]
    renamed = _letters(image.dims, frame)
    dims = [dim for dim in image.dims if dim != "M"]
    fixed = {"M": tile} if tile is not None else {}
    store = _LifStore(path, number, tuple(dims), image, fixed)
    notes = []
    if frame != ["Y", "X"]:
        notes.append(f"{file_name(path)}: {image.name} was scanned in {frame[1]}{frame[0]}; {frame[0]} stands as rows.")
    return StoredScene(
        store,
        "".join(renamed[dim] for dim in dims),
        name=image.path if tile is None else f"{image.path} tile {tile}",
        channels=_channels(image),
        pixel_size=_pixel_size(image, renamed),
        bit_depth=_bit_depth(image),
        acquired=_acquired(image),
        metadata=_metadata(image),
        warnings=tuple(notes),
    )


def _letters(dims: tuple[str, ...], frame: list[str]) -> dict[str, str]:
    """Return our letter for each of the file's axes: the axes of a frame are rows and columns, whatever was scanned.

    A scan in XZ has depth as its rows; then Y, if scanned too, stands as depth.
    """
    known = {dim: dim if dim in {"T", "C", "Z", "Y", "X", "S"} else "Q" for dim in dims}
    if len(frame) == 2:
        known[frame[0]], known[frame[1]] = "Y", "X"
        if frame[0] == "Z" and "Y" in dims:
            known["Y"] = "Z"
    return known


class _LifStore:
    """An `ArrayStore` that opens the file for each frame."""

    def __init__(self, path: str, number: int, dims: tuple[str, ...], image: Any, fixed: dict[str, int]) -> None:
        self.path, self.number, self.dims, self.fixed = path, number, dims, fixed
        self.shape = tuple(int(image.sizes[dim]) for dim in dims)
        self.dtype: np.dtype[Any] = image.dtype
        self.frame_dims: tuple[str, ...] = tuple(image.frames.frame_dims)
        rows = [dim for dim in self.frame_dims if dim != "S"]
        self.level_sizes = ((int(image.sizes[rows[0]]), int(image.sizes[rows[-1]])),)
        self.last = LastFrame()

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region of one frame."""
        where = dict(zip(self.dims, index, strict=True))
        outer = {dim: int(part) for dim, part in where.items() if dim not in self.frame_dims and isinstance(part, int)}
        with reading(self.path, f"image {self.number}"):
            frame = self.last.get(tuple(outer.items()), lambda: self._frame(outer))
        return frame[tuple(where[dim] for dim in self.frame_dims)]

    def _frame(self, outer: dict[str, int]) -> NDArray[Any]:
        with liffile.LifFile(self.path) as file:
            image: Any = file.images[self.number]
            return np.array(image.frame(**outer, **self.fixed))


def _descriptions(image: Any) -> list[Any]:
    return list(image.xml_element.iterfind("./Data/Image/ImageDescription/Channels/ChannelDescription"))


def _channels(image: Any) -> tuple[Channel, ...]:
    """Return channels named by their dye, or else by their colour table."""
    out = []
    for index, part in enumerate(_descriptions(image)):
        table = part.get("LUTName", "")
        dyes = [p.findtext("Value") for p in part.iterfind("ChannelProperty") if p.findtext("Key") == "DyeName"]
        dye = dyes[0] if dyes and dyes[0] else None
        out.append(Channel(dye or table or f"channel{index}", _COLOURS.get(table.lower())))
    return tuple(out)


def _bit_depth(image: Any) -> int | None:
    bits = [int(part.get("Resolution", 0)) for part in _descriptions(image)]
    return max(bits) if bits and max(bits) > 0 else None


def _pixel_size(image: Any, letters: dict[str, str]) -> PixelSize:
    """Return the distance of neighbouring pixels; the file gives positions in metres."""
    steps = {}
    for dim, positions in image.coords.items():
        letter = letters.get(dim)
        if letter in {"X", "Y", "Z"} and len(positions) > 1:
            steps[letter] = abs(float(positions[-1] - positions[0])) / (len(positions) - 1) * 1e6 or None
    return PixelSize(steps.get("X"), steps.get("Y"), steps.get("Z"))


def _acquired(image: Any) -> datetime | None:
    stamps = image.timestamps
    if stamps is None or len(stamps) == 0:
        return None
    moment = stamps[0].astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None


def _metadata(image: Any) -> dict[str, Any]:
    for tag in _SETTINGS:
        for element in image.xml_element.iter(tag):
            found = {ours: element.get(theirs, "").strip() for theirs, ours in _KEPT.items()}
            numbers = {key: float(found[key]) for key in ("magnification", "numerical_aperture") if found[key]}
            stated = {key: value for key, value in {**found, **numbers}.items() if value != ""}
            return {**stated, **_detectors(element)}
    return {}


def _detectors(settings: Any) -> dict[str, Any]:
    """Return the gains of the detectors that were on, in the file's order, and the power of each laser line in use."""
    active = [each for each in settings.iterfind("./DetectorList/Detector") if each.get("IsActive") == "1"]
    gains = [float(each.get("Gain")) for each in active if each.get("Gain")]
    lines = {each.get("LaserLine"): float(each.get("IntensityDev", 0)) for each in settings.iter("LaserLineSetting")}
    power = {f"{line} nm": value for line, value in lines.items() if value > 0}
    return {key: value for key, value in (("gain", gains), ("light_percent", power)) if value}
