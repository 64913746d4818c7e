"""`Engine`: what turns a tile of an image into labels, and the registry of all engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.registry import Registry
from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image
    from cellmetry.core.labels import Labels
    from cellmetry.engines.plane import Plane

__all__ = [
    "ENGINES",
    "Device",
    "Engine",
    "EngineNeeds",
    "EngineSpec",
    "LookupEngine",
    "TileEngine",
    "load_engine",
    "refuse_gpu",
]

Device = Literal["auto", "cpu", "cuda"]

ENGINES = Registry(
    kind="engine",
    builtin={
        "cellmetry": "cellmetry.engines.network:NetworkEngine",
        "classical": "cellmetry.engines.classical:ClassicalEngine",
        "labels": "cellmetry.engines.lookup:LabelsEngine",
    },
    group="cellmetry.engines",
)


@dataclass(frozen=True)
class EngineSpec:
    """What a user may say about an engine before it sees an image: its model and the device."""

    model: str | None = None
    device: Device = "auto"


@dataclass(frozen=True)
class EngineNeeds:
    """What a tile engine expects of the tiles it is given; the caller prepares them so.

    Parameters
    ----------
    channels
        How many channels a tile has.
    diameter_px
        Working diameter of objects, to which images are rescaled; None to work at the image's own scale.
    diameters_px
        Smallest and largest diameter that the engine knows; images with smaller or larger objects are rescaled just so
        far that they fit. None where any size will do, or `diameter_px` says it.
    margin_px
        Context needed around the part of a tile that counts, in working pixels.
    align
        Tiles start at multiples of this many working pixels.
    normalise
        Percentiles of the whole plane that are stretched to 0 and 1 (values beyond are kept); None for
        pixels as stored.
    """

    channels: int = 1
    diameter_px: float | None = None
    diameters_px: tuple[float, float] | None = None
    margin_px: int = 64
    align: int = 1
    normalise: tuple[float, float] | None = None


class Engine(ABC):
    """Base of all engines: options, a model if it has one, and a description for the record."""

    name: ClassVar[str]
    """Word by which ``--engine`` addresses it."""
    summary: ClassVar[str]
    """One line for ``cellmetry engines``."""
    licence: ClassVar[str] = "BSD-3-Clause"
    options_type: ClassVar[type[Parameters]] = Parameters
    takes_colour: ClassVar[bool] = False
    """Whether it uses the three channels of a colour picture; otherwise it is given their grey value."""

    def __init__(self, options: Parameters, spec: EngineSpec) -> None:
        self.options = options
        self.spec = spec

    @classmethod
    def models(cls) -> list[str]:
        """Return the names that ``--model`` takes; empty for an engine without models."""
        return []

    def describe(self) -> dict[str, Any]:
        """Return what a reader needs to repeat the result (engine, versions, model hash, device), as JSON values."""
        return {"engine": self.name, "options": self.options.model_dump(mode="json")}


class TileEngine(Engine):
    """An engine that labels one tile at a time; rescaling, tiling and clean-up happen outside it."""

    @property
    @abstractmethod
    def needs(self) -> EngineNeeds:
        """What its tiles must be like."""

    def prepare(self, plane: Plane) -> Any:
        """Return facts of the whole plane that every tile shares, independent of how it is tiled."""
        return None

    def doubts(self, plane: Plane, prepared: Any) -> list[str]:
        """Return plain sentences about what is doubtful in how this plane will be worked."""
        return []

    def usual_diameter(self, plane: Plane) -> float | None:
        """Return the usual diameter of the objects of a plane at its own scale, in pixels, as far as it can be guessed.

        Asked only where the user gave none and the engine's needs name the diameters that it knows.
        """
        return None

    def unfamiliarity(self, prepared: Any) -> float | None:
        """Return how unlike what the engine has learnt from the plane is, once its tiles were worked; usual is up to 1.

        None if the engine cannot say.
        """
        return None

    def margin_px(self, prepared: Any) -> int:
        """Return how much context a tile's core needs, in working pixels, for a plane with these shared facts."""
        return self.needs.margin_px

    @abstractmethod
    def predict(self, tile: NDArray[np.float32], box: Box, prepared: Any) -> NDArray[np.int32]:
        """Return labels of one tile, shape (Y, X), ids in any order, 0 background.

        The result for an object must depend on the pixels near it alone, not on where the tile begins.

        Parameters
        ----------
        tile
            Pixels, shape (C, Y, X), scaled and normalised as `needs` asks.
        box
            Where the tile lies in the working plane.
        prepared
            What `prepare` returned.
        """


class LookupEngine(Engine):
    """An engine that finds finished labels instead of computing them."""

    @abstractmethod
    def source(self, image: Image) -> Path:
        """Return the file or folder that holds the labels of `image`."""

    @abstractmethod
    def lookup(self, image: Image) -> Labels:
        """Return the labels of `image`, ids unchanged."""


def refuse_gpu(name: str, spec: EngineSpec) -> None:
    """Refuse a device that the engine `name` has no use for.

    Raises
    ------
    ParameterError
        If a GPU was asked for by name.
    """
    if spec.device == "cuda":
        raise ParameterError(f"The engine {name} works on the processor alone; leave out --device cuda.")


def load_engine(name: str, options: dict[str, Any] | None = None, spec: EngineSpec | None = None) -> Engine:
    """Return the engine `name`, ready for work.

    Raises
    ------
    UnknownName
        If there is no such engine.
    ParameterError
        If it has no such option, or a value is out of bounds.
    MissingExtra
        If its library is not installed.
    """
    engine_type = ENGINES.load(name)
    parsed = parse_parameters(engine_type.options_type, options or {}, where=f"engine {name!r}")
    engine: Engine = engine_type(parsed, spec or EngineSpec())
    return engine
