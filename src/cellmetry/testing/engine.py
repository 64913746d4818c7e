"""`EngineContract`: what every tile engine must keep to, as tests to inherit.

>>> class TestMine(EngineContract):  # doctest: +SKIP
...     def make(self):
...         return load_engine("mine")
"""

# ruff: noqa: S101 - the methods are tests

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cellmetry.core.image import Box, image_from_array
from cellmetry.engines.plane import Plane
from cellmetry.ops.matching import match_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.engines.base import TileEngine

__all__ = ["EngineContract", "disc_image"]

_SIDE = 256


def disc_image(
    centres: tuple[tuple[float, float], ...], radius: float, shape: tuple[int, int] = (_SIDE, _SIDE)
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return an image of bright discs (1) on a dark ground (0) with soft edges, and their labels, in order from 1."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    distances = np.stack([np.hypot(y - cy, x - cx) for cy, cx in centres])
    labels = np.where(distances.min(axis=0) <= radius, distances.argmin(axis=0) + 1, 0).astype(np.int32)
    light = np.clip(radius + 0.5 - distances, 0, 1).max(axis=0)
    return light.astype(np.float32), labels


class EngineContract(ABC):
    """Tests for one tile engine. Subclass as ``Test…``, implement `make`, and set what differs."""

    finds_bright_discs: ClassVar[bool] = True
    """Whether it is expected to label bright round objects on a dark ground."""
    radius_px: ClassVar[float] = 10
    """Radius of a disc that it should find."""

    @abstractmethod
    def make(self) -> TileEngine:
        """Return a new engine."""

    def predict(
        self, engine: TileEngine, pixels: NDArray[np.float32], start: tuple[int, int] = (0, 0)
    ) -> NDArray[np.int32]:
        """Return the engine's labels of one plane, given whole; `start` is where the tile lies for the engine."""
        stack = np.repeat(pixels[None], engine.needs.channels, axis=0)
        image = image_from_array(stack, "CYX")
        prepared = engine.prepare(Plane(image, tuple(range(engine.needs.channels))))
        height, width = pixels.shape
        box = Box(start[0], start[0] + height, start[1], start[1] + width)
        return engine.predict(stack, box, prepared)

    def test_result_is_labels_of_the_tile(self) -> None:
        """Whole numbers from 0, in 32 bits, of the tile's size."""
        pixels, _ = disc_image(((60, 60), (150, 180)), self.radius_px)
        labels = self.predict(self.make(), pixels)
        assert labels.shape == pixels.shape
        assert labels.dtype == np.int32
        assert labels.min() >= 0

    def test_predict_is_pure(self) -> None:
        """The tile is left as it was, and the same tile gives the same labels, from this and from a new engine."""
        engine = self.make()
        noise = np.random.default_rng(0).normal(0, 0.05, (_SIDE, _SIDE))
        pixels = (disc_image(((60, 60), (150, 180)), self.radius_px)[0] + noise).astype(np.float32)
        before = pixels.copy()
        first = self.predict(engine, pixels)
        assert np.array_equal(pixels, before)
        assert np.array_equal(self.predict(engine, pixels), first)
        assert np.array_equal(self.predict(self.make(), pixels), first)

    def test_read_only_tiles_are_taken(self) -> None:
        """A tile may be a view of someone else's pixels."""
        pixels, _ = disc_image(((60, 60),), self.radius_px)
        pixels.flags.writeable = False
        engine = self.make()
        tile = np.broadcast_to(pixels, (engine.needs.channels, *pixels.shape))
        prepared = engine.prepare(Plane(image_from_array(tile, "CYX"), tuple(range(engine.needs.channels))))
        assert engine.predict(tile, Box(0, _SIDE, 0, _SIDE), prepared).shape == pixels.shape

    def test_empty_and_constant_images_have_no_objects(self) -> None:
        """Nothing in the picture, nothing found."""
        for value in (0.0, 0.25):
            assert self.predict(self.make(), np.full((96, 80), value, np.float32)).max() == 0

    def test_thin_images(self) -> None:
        """An image of one row, one column or one pixel gives labels of its size."""
        for shape in ((1, 40), (40, 1), (1, 1), (2, 3)):
            pixels = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape)
            assert self.predict(self.make(), pixels).shape == shape

    def test_any_finite_values_are_taken(self) -> None:
        """Values of any scale and sign give labels, and no warning about numbers."""
        pixels, _ = disc_image(((60, 60), (150, 180)), self.radius_px)
        for scale, offset in ((1e-6, 0), (65535, 0), (-1, 0), (1, -1000), (1e6, 1e9)):
            values = (pixels * scale + offset).astype(np.float32)
            assert self.predict(self.make(), values).shape == pixels.shape

    def test_discs_are_found(self) -> None:
        """Each disc is one object of about its outline, where the engine claims to find such."""
        if not self.finds_bright_discs:
            return
        pixels, truth = disc_image(((60, 60), (150, 180), (200, 50)), self.radius_px)
        found = match_labels(truth, self.predict(self.make(), pixels), iou=0.7)
        assert (found.tp, found.fp, found.fn) == (3, 0, 0)

    def test_where_the_tile_begins_changes_no_object(self) -> None:
        """The same pixels in a tile that begins one alignment further on give the same objects."""
        engine = self.make()
        needs = engine.needs
        step = -(-max(needs.margin_px, 16) // needs.align) * needs.align
        side = _SIDE + 2 * step
        centres = ((step + 80.0, step + 80.0), (step + 150.0, step + 170.0), (step + 95.0, step + 90.0))
        pixels, _ = disc_image(centres, self.radius_px, (side, side))
        stack = np.repeat(pixels[None], needs.channels, axis=0)
        prepared = engine.prepare(Plane(image_from_array(stack, "CYX"), tuple(range(needs.channels))))
        whole = engine.predict(stack, Box(0, side, 0, side), prepared)[step:, step:]
        part = engine.predict(np.ascontiguousarray(stack[:, step:, step:]), Box(step, side, step, side), prepared)
        found = match_labels(whole, part, iou=0.99)
        assert (found.fp, found.fn) == (0, 0)

    def test_options_survive_json(self) -> None:
        """A recipe can hold the options: they are the same after writing and reading."""
        options = self.make().options
        assert type(options).model_validate_json(options.model_dump_json()) == options

    def test_every_option_is_described(self) -> None:
        """Each option says what it is, since forms and help texts are made from it."""
        for name, field in self.make().options_type.model_fields.items():
            assert field.description, name

    def test_description_is_json(self) -> None:
        """The record can hold the description, and it names the engine."""
        description = self.make().describe()
        assert json.loads(json.dumps(description, allow_nan=False)) == description
        assert description["engine"] == self.make().name

    def test_needs_make_sense(self) -> None:
        """Sizes are positive, percentiles ascend."""
        needs = self.make().needs
        assert needs.channels >= 1
        assert needs.align >= 1
        assert needs.margin_px >= 0
        assert needs.diameter_px is None or needs.diameter_px > 0
        assert needs.normalise is None or 0 <= needs.normalise[0] < needs.normalise[1] <= 100
