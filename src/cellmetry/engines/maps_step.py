"""The step `maps`: a network's maps of an image without labels, for any model, also one that cannot label cells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.engines.base import Device
from cellmetry.engines.maps import MapStore, map_plane, mapping_engine
from cellmetry.engines.segment import Segment, planes_of
from cellmetry.models.card import Head
from cellmetry.ops.project import project_z

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.engines.network import NetworkEngine

__all__ = ["Maps"]


class Maps(Step):
    """Map an image with a network: the probability of a cell, cells per pixel, …, without finding objects."""

    name: ClassVar[str] = "maps"

    model: str | None = Field(None, description="Model, by name or path; the default model if left out.")
    heads: tuple[Head, ...] = Field((), description="Maps to make; all that the model has if empty.")
    channel: str | None = Field(
        None, coerce_numbers_to_str=True, description="Channel to look at, by name or index; needed of several."
    )
    diameter_um: float | None = Field(None, gt=0, description="Usual diameter of a cell in µm.")
    diameter_px: float | None = Field(None, gt=0, description="Usual diameter of a cell in pixels.")
    stack: Literal["planes", "max", "mean"] = Field(
        "planes", description="What to do with a Z stack: every plane for itself, or its maximum or mean projection."
    )
    tile_px: int = Field(1024, ge=64, le=16384, description="Side of the tiles in which large images are worked.")
    device: Device = Field("auto", exclude=True, description="Where the network runs: auto, cpu or cuda.")

    def load_engine(self) -> NetworkEngine:
        """Return the engine that runs the model."""
        return mapping_engine(self._look().load_engine())

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the maps added; after a projection, its image is the projection."""
        engine = self.load_engine()
        image = sample.image if self.stack == "planes" else project_z(sample.image, self.stack)
        store = MapStore(image, self.heads or engine.card.heads)
        for plane in planes_of(self._look(), engine, image):
            map_plane(engine, plane, store, tile=self.tile_px, progress=progress)
        return replace(sample, image=image).with_maps(store.images())

    def _look(self) -> Segment:
        """Return the choices that maps and labels share, as the step `segment` has them."""
        shared = ("model", "channel", "diameter_um", "diameter_px", "tile_px", "device")
        return Segment(engine="cellmetry", **{name: getattr(self, name) for name in shared})
