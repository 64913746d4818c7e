"""A network's maps of a whole image at its own scale, without seams: foreground, flow, density, boundary.

Each tile is read with the context that the network needs, and only the part that its edges cannot influence is kept:
maps are those of the whole plane run at once, whatever the size of tiles, so there is nothing to blend. A model that
works at another scale has its maps brought back, the density so that its sum stays. Values are float32 throughout.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from cellmetry.core.image import ArraySource, Box, Channel, Image
from cellmetry.core.progress import SILENT
from cellmetry.engines.base import TileEngine
from cellmetry.engines.network import NetworkEngine, PlaneState
from cellmetry.engines.tiling import full_box, read_stretched, stretch_limits
from cellmetry.errors import ModelError, ParameterError
from cellmetry.io.scratch import new_map_array
from cellmetry.ops.density import spread_density
from cellmetry.ops.resample import needed_range, resample_range
from cellmetry.ops.tiles import plan_tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.engines.base import Engine, EngineNeeds
    from cellmetry.engines.plane import Plane
    from cellmetry.models.card import Head

__all__ = ["MapRecorder", "MapStore", "map_plane", "record_maps"]

_CHANNELS = {"flow": ("flow_y", "flow_x")}


class MapStore:
    """Maps of one image, filled tile by tile; on disk where they are large.

    Parameters
    ----------
    image
        The image that is mapped.
    heads
        Which outputs of the network to keep.
    """

    def __init__(self, image: Image, heads: Sequence[Head]) -> None:
        self.image = image
        sizes = image.sizes
        self.arrays: dict[Head, Any] = {
            head: new_map_array((sizes["T"], len(_names(head)), sizes["Z"], sizes["Y"], sizes["X"])) for head in heads
        }

    def write(self, plane: Plane, box: Box, margin: int, maps: dict[str, NDArray[np.float32]]) -> None:
        """Keep the part of a tile's maps that lies at least `margin` from an edge inside the plane.

        Parameters
        ----------
        box
            Where the tile lies in the working plane.
        maps
            By head, shape (channels, Y, X) of the tile.
        """
        full = full_box(_shrunk(box, margin, plane.shape), plane)
        for head, array in self.arrays.items():
            for channel, values in enumerate(maps[head]):
                at_scale = _as_full if head != "density" else _density_as_full
                array[(plane.t, channel, plane.z, *full.slices)] = at_scale(values, box, full, plane)

    def images(self) -> dict[str, Image]:
        """Return the maps by head, as images of the same size as the one that was mapped."""
        return {head: self._image(head, array) for head, array in self.arrays.items()}

    def _image(self, head: Head, array: Any) -> Image:
        names = _names(head)
        channels = "C" if len(names) > 1 else ""
        axes = "".join(axis for axis in "TCZYX" if axis in self.image.axes.replace("C", "") + channels)
        return Image(
            source=ArraySource(array),
            axes=axes,
            channels=tuple(Channel(name) for name in names),
            pixel_size=self.image.pixel_size,
            bit_depth=32,
            name=self.image.name,
        )


def _names(head: Head) -> tuple[str, ...]:
    return _CHANNELS.get(head, (head,))


def _shrunk(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    """Return `box` without `margin` pixels at each side that is not an edge of the plane."""
    return Box(
        box.y0 + (margin if box.y0 > 0 else 0),
        box.y1 - (margin if box.y1 < shape[0] else 0),
        box.x0 + (margin if box.x0 > 0 else 0),
        box.x1 - (margin if box.x1 < shape[1] else 0),
    )


def _as_full(values: NDArray[np.float32], box: Box, full: Box, plane: Plane) -> NDArray[np.float32]:
    """Return a tile's map (Y, X) at the image's own scale, in the pixels of `full`."""
    if plane.scale == 1.0:
        return values[full.within(box).slices]
    rows, columns = (full.y0, full.y1), (full.x0, full.x1)
    (y0, y1), (x0, x1) = (
        needed_range(*ends, size, 1 / plane.scale) for ends, size in zip((rows, columns), plane.shape, strict=True)
    )
    part = values[Box(y0, y1, x0, x1).within(box).slices]
    return resample_range(part, rows, columns, plane.shape, 1 / plane.scale)


def _density_as_full(values: NDArray[np.float32], box: Box, full: Box, plane: Plane) -> NDArray[np.float32]:
    """Return a tile's density (Y, X) in the pixels of `full`, cells per pixel of the image."""
    if plane.scale == 1.0:
        return values[full.within(box).slices]
    return spread_density(values, (box.y0, box.x0), full, (plane.full_shape, plane.shape), plane.scale)


class _Recorded(NamedTuple):
    """What the tiles of a plane share: the plane, and what the engine inside prepared."""

    plane: Plane
    inner: PlaneState


class MapRecorder(TileEngine):
    """Labels as the engine inside it does, and keeps the maps that it makes on the way."""

    name: ClassVar[str] = NetworkEngine.name
    summary: ClassVar[str] = NetworkEngine.summary

    def __init__(self, inner: NetworkEngine, store: MapStore) -> None:
        super().__init__(inner.options, inner.spec)
        self.inner, self.store = inner, store
        _check_heads(inner, tuple(store.arrays))

    @property
    def needs(self) -> EngineNeeds:
        """Those of the engine inside."""
        return self.inner.needs

    def prepare(self, plane: Plane) -> _Recorded:
        """Return the plane and what the engine inside prepares, once it is clear that it can label it."""
        return _Recorded(plane, self.inner.prepare(plane))

    def doubts(self, plane: Plane, prepared: _Recorded) -> list[str]:
        """Return those of the engine inside."""
        return self.inner.doubts(plane, prepared.inner)

    def usual_diameter(self, plane: Plane) -> float | None:
        """Return what the recorded engine guesses."""
        return self.inner.usual_diameter(plane)

    def unfamiliarity(self, prepared: _Recorded) -> float | None:
        """Return that of the engine inside."""
        return self.inner.unfamiliarity(prepared.inner)

    def margin_px(self, prepared: _Recorded) -> int:
        """Return the context that the maps of a core need."""
        return _margin(self.inner, prepared.plane)

    def predict(self, tile: NDArray[np.float32], box: Box, prepared: _Recorded) -> NDArray[np.int32]:
        """Return the labels of one tile, once its maps are kept."""
        maps = self.inner.observe(tile, box, prepared.inner)
        self.store.write(prepared.plane, box, _margin(self.inner, prepared.plane), maps)
        return self.inner.decode(maps, prepared.inner.open_sides(box))

    def describe(self) -> dict[str, Any]:
        """Return the description of the engine inside."""
        return self.inner.describe()


def record_maps(engine: Engine, store: MapStore) -> MapRecorder:
    """Return an engine that labels as `engine` does and keeps the maps in `store`.

    Raises
    ------
    ParameterError
        If the engine makes no maps.
    ModelError
        If its model has no such head.
    """
    return MapRecorder(mapping_engine(engine), store)


def mapping_engine(engine: Engine) -> NetworkEngine:
    """Return the engine, once it is clear that it makes maps.

    Raises
    ------
    ParameterError
        If it does not.
    """
    if not isinstance(engine, NetworkEngine):
        raise ParameterError(f"The engine {engine.name} makes no maps; the engine cellmetry does (--engine cellmetry).")
    return engine


def map_plane(
    engine: NetworkEngine, plane: Plane, store: MapStore, *, tile: int = 1024, progress: Progress = SILENT
) -> None:
    """Write the network's maps of a plane into `store`, tile by tile.

    Parameters
    ----------
    tile
        Side of a tile's core in working pixels; changes nothing but the memory that is taken.

    Raises
    ------
    ModelError, ParameterError
        If the model has no such head, or takes another number of channels.
    """
    engine.check_channels(plane)
    _check_heads(engine, tuple(store.arrays))
    margin, limits = _margin(engine, plane), stretch_limits(engine, plane)
    tiles = list(plan_tiles(plane.shape, tile, margin, engine.needs.align))
    progress.start(f"map {plane.image.name}", len(tiles))
    for part in tiles:
        maps = engine.predict_maps(read_stretched(plane, part.read, limits))
        store.write(plane, part.read, margin, maps)
        progress.advance()


def _margin(engine: NetworkEngine, plane: Plane) -> int:
    """Return the network's context, and the pixels from which one of the image is made at another scale."""
    return engine.needs.margin_px + (0 if plane.scale == 1.0 else 2 + ceil(plane.scale))


def _check_heads(engine: NetworkEngine, heads: Sequence[Head]) -> None:
    missing = [head for head in heads if head not in engine.card.heads]
    if missing:
        raise ModelError(
            f"The model {engine.card.name!r} makes no map {missing[0]!r}; it makes {', '.join(engine.card.heads)}."
        )
