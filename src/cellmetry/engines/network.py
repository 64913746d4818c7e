"""Engine `cellmetry`: runs our own networks, ONNX files with a card, and decodes their flows to labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.engines.base import EngineNeeds, EngineSpec, TileEngine
from cellmetry.engines.features import FeatureSum, unfamiliar_sentence
from cellmetry.engines.sessions import open_session
from cellmetry.engines.sizes import usual_diameter
from cellmetry.engines.tiling import read_stretched, stretch_limits
from cellmetry.errors import ModelError, ParameterError
from cellmetry.models.store import find_model, list_models
from cellmetry.ops.familiarity import unfamiliarity
from cellmetry.ops.flows import FlowDecoding, decode_flows
from cellmetry.ops.joining import Joining
from cellmetry.ops.tiles import CLOSED, Sides, open_sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.engines.plane import Plane
    from cellmetry.models.card import Head, ModelCard
    from cellmetry.ops.familiarity import Familiarity

__all__ = ["NetworkEngine", "NetworkOptions", "PlaneState"]


class NetworkOptions(Parameters):
    """What a user may change about how a network's outputs are read; what is left out is as the model's card says."""

    foreground_threshold: float | None = Field(default=None, ge=0, le=1)
    """Pixels of at least this probability belong to a cell; lower makes cells larger and finds fainter ones."""
    sink_radius_px: int | None = Field(default=None, ge=1, le=16)
    """Centres nearer to each other than this, in the model's pixels, are one cell; higher splits less."""
    max_flow_error: float | None = Field(default=None, gt=0)
    """Cells whose flow fits their shape worse than this are dropped; lower keeps fewer, 0.4 is usual."""
    join_from: float | None = Field(default=None, ge=0, le=1)
    """Pieces that touch are put together if they are one cell with at least this probability; lower joins more, 1
    nothing. For models with a density."""
    keep_from: float | None = Field(default=None, ge=0, le=1)
    """What is a cell with less than this probability is dropped; lower keeps more, 0 all. For models with a density."""

    def decoding(self, of_model: FlowDecoding) -> FlowDecoding:
        """Return the model's decoding with the user's changes."""
        changes: dict[str, Any] = self.model_dump(exclude_none=True)
        pieces: dict[str, Any] = {name: changes.pop(name) for name in ("join_from", "keep_from") if name in changes}
        if pieces:
            changes["joining"] = (of_model.joining or Joining()).model_copy(update=pieces)
        return of_model.model_copy(update=changes)


class PlaneState(NamedTuple):
    """What the tiles of one plane share.

    Parameters
    ----------
    shape
        Height and width of the plane in working pixels.
    features
        What gathers its features; None if the model cannot tell the unfamiliar by them.
    """

    shape: tuple[int, int]
    features: FeatureSum | None

    def open_sides(self, box: Box) -> Sides:
        """Return beyond which sides of a part the plane goes on."""
        return open_sides(box, self.shape)


class NetworkEngine(TileEngine):
    """Runs one model on tiles; all engines of one process that run the same model share its session."""

    name: ClassVar[str] = "cellmetry"
    summary: ClassVar[str] = (
        "a network of our own: foreground and flow to each cell's centre; --model says which, base if left out"
    )
    options_type: ClassVar[type[Parameters]] = NetworkOptions

    def __init__(self, options: Parameters, spec: EngineSpec) -> None:
        super().__init__(options, spec)
        self._model = find_model(spec.model)
        self._session = open_session(self._model, spec.device)
        self._decoding = cast("NetworkOptions", options).decoding(self.card.decoding)

    @classmethod
    def models(cls) -> list[str]:
        """Return the models of the package and of the user's folder."""
        return [model.name for model in list_models()]

    @property
    def card(self) -> ModelCard:
        """What the model is."""
        return self._model.card

    @property
    def decoding(self) -> FlowDecoding:
        """How its maps are read."""
        return self._decoding

    @property
    def needs(self) -> EngineNeeds:
        """As the model's card says."""
        card = self.card
        return EngineNeeds(
            channels=len(card.channels),
            diameter_px=card.diameter_px,
            diameters_px=card.diameters_px,
            margin_px=card.margin_px,
            align=card.stride,
            normalise=card.percentiles,
        )

    @property
    def familiarity(self) -> Familiarity | None:
        """What the model knows of the images that it has learnt from; None if it does not say."""
        return self._session.familiarity

    def prepare(self, plane: Plane) -> PlaneState:
        """Return the plane's size, and what gathers its features, if the model can tell the unfamiliar by them.

        Nothing is returned before it is clear that the model can label this plane.

        Raises
        ------
        ModelError
            If the model has no foreground or no flow, and so cannot tell cells apart.
        ParameterError
            If it takes another number of channels than it is given.
        """
        card = self.card
        if not card.segments:
            raise ModelError(
                f"The model {card.name!r} cannot label cells: that needs the heads foreground and flow, "
                f"and it has {', '.join(card.heads)} only. Choose another with --model."
            )
        self.check_channels(plane)
        features = FeatureSum(plane.shape, card.stride, card.margin_px) if self.familiarity else None
        return PlaneState(plane.shape, features)

    def usual_diameter(self, plane: Plane) -> float | None:
        """Return the usual diameter of what the network finds in a few windows; None if that is too little.

        Raises
        ------
        ParameterError
            If the model takes another number of channels.
        """
        if not self.card.segments:
            return None
        self.check_channels(plane)
        limits = stretch_limits(self, plane)

        def find(box: Box) -> NDArray[np.int32]:
            return self.decode(self.predict_maps(read_stretched(plane, box, limits)))

        return usual_diameter(find, plane.shape, self.card.stride)

    def unfamiliarity(self, prepared: PlaneState) -> float | None:
        """Return how unlike the model's training images a plane is, once all its tiles were worked; usual is up to 1.

        None if the model cannot say.
        """
        features = None if prepared.features is None else prepared.features.mean()
        if self.familiarity is None or features is None:
            return None
        return round(unfamiliarity(self.familiarity, features), 2)

    def doubts(self, plane: Plane, prepared: PlaneState) -> list[str]:
        """Return a warning if the plane looks unlike what the model has learnt from."""
        score = self.unfamiliarity(prepared)
        if score is None or score <= 1:
            return []
        return [unfamiliar_sentence(plane.image.name, self.card.name, score)]

    def check_channels(self, plane: Plane) -> None:
        """Refuse a plane of another number of channels than the model takes.

        Raises
        ------
        ParameterError
            If it is given too many or too few.
        """
        card = self.card
        count = 1 if plane.grey else len(plane.channels)
        if count != len(card.channels):
            wanted = f"{len(card.channels)} of an image's channels ({', '.join(card.channels)})"
            raise ParameterError(
                f"The model {card.name!r} takes {wanted}, but is given {count} of {plane.image.name}; "
                f"choose with --channel, or take another model."
            )

    def predict(self, tile: NDArray[np.float32], box: Box, prepared: PlaneState) -> NDArray[np.int32]:
        """Return the labels of one tile."""
        return self.decode(self.observe(tile, box, prepared), prepared.open_sides(box))

    def observe(self, tile: NDArray[np.float32], box: Box, prepared: PlaneState) -> dict[str, NDArray[np.float32]]:
        """Return what `predict_maps` does, and add the tile's features to what `prepare` returned."""
        if prepared.features is None:
            return self.predict_maps(tile)
        maps, features = self._session.run_all(self._filled(tile))
        prepared.features.add(features, box)
        return _cut_back(maps, tile)

    def decode(self, maps: dict[str, NDArray[np.float32]], open_sides: Sides = CLOSED) -> NDArray[np.int32]:
        """Return the labels that the maps of a tile show, beyond whose open sides the image goes on."""
        density = maps["density"][0] if "density" in maps else None
        return decode_flows(maps["foreground"][0], maps["flow"], self._decoding, density=density, open_sides=open_sides)

    def predict_maps(self, tile: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return what the network puts out for one tile (C, Y, X): by head, shape (1, Y, X), or (2, Y, X) for flow.

        The tile is filled up to the model's stride by reflection; each output is cut back to the tile.
        """
        return _cut_back(self._session.run(self._filled(tile)), tile)

    def predict_features(self, tile: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features of one tile (C, Y, X) alone, shape (features, Y / stride, X / stride), rounded up."""
        return self._session.run_features(self._filled(tile))

    @property
    def has_features(self) -> bool:
        """Whether the network puts out features."""
        return self._session.has_features

    def _filled(self, tile: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the tile, filled up to the model's stride by reflection."""
        height, width = tile.shape[1:]
        return np.pad(tile, [(0, 0), (0, -height % self.card.stride), (0, -width % self.card.stride)], mode="reflect")

    def describe(self) -> dict[str, Any]:
        """Return the engine, its options, the model with licence and hash, and what it ran on."""
        card = self.card
        model = card.model_dump(mode="json", include={"name", "version", "licence", "non_commercial", "sha256"})
        decoding = self._decoding.model_dump(mode="json")
        return {**super().describe(), "model": model, "decoding": decoding, **self._session.describe()}


def _cut_back(maps: dict[Head, NDArray[np.float32]], tile: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    height, width = tile.shape[1:]
    return {head: output[:, :height, :width] for head, output in maps.items()}
