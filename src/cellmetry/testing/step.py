"""`StepContract`: what every step of a recipe must keep to, as tests to inherit.

>>> class TestMine(StepContract):  # doctest: +SKIP
...     def make(self):
...         return MyStep(radius_px=3)
"""

# ruff: noqa: S101 - the methods are tests

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array, labels_hash
from cellmetry.core.sample import Sample
from cellmetry.pipeline.recipe import Recipe, parse_recipe, recipe_text
from cellmetry.testing.engine import disc_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.step import Step

__all__ = ["Centres", "StepContract"]

Centres = tuple[tuple[float, float], ...]


class StepContract(ABC):
    """Tests for one step. Subclass as ``Test…``, implement `make`, and set what differs."""

    label_names: Sequence[str] = ("cells",)
    """Names of the label images that the step expects of the steps before it."""

    @abstractmethod
    def make(self) -> Step:
        """Return the step with parameters that suit discs of radius 10 px."""

    def sample(self, centres: Centres, *, pixel_size_um: float | None = 0.5) -> Sample:
        """Return a sample of discs at `centres`, with the label images that the step expects."""
        if centres:
            light, labels = disc_image(centres, 10.0, (120, 140))
        else:
            light, labels = np.zeros((120, 140), np.float32), np.zeros((120, 140), np.int32)
        image = image_from_array((100 + 1000 * light).astype(np.uint16), pixel_size_um=pixel_size_um, name="discs")
        made = labels_from_array(labels, pixel_size=image.pixel_size)
        return Sample(image, dict.fromkeys(self.label_names, made))

    def test_parameters_survive_json_and_a_recipe_file(self) -> None:
        """Every parameter can be written and read again."""
        step = self.make()
        assert type(step).model_validate(json.loads(step.model_dump_json())) == step
        recipe = Recipe("one", (step,))
        table = {"step": step.name, **json.loads(step.model_dump_json())}
        assert parse_recipe({"steps": [table]}).hash == recipe.hash
        assert step.name in recipe_text(recipe)

    def test_every_parameter_is_described(self) -> None:
        """The schema alone must be enough to make a form."""
        for name, field in type(self.make()).model_fields.items():
            assert field.description, name

    def test_an_empty_image_is_no_error(self) -> None:
        """No object is a valid result."""
        self.make()(self.sample(()))

    def test_one_object_at_the_border_is_no_error(self) -> None:
        """An object that the image cuts is an object."""
        self.make()(self.sample(((0.0, 60.0),)))

    def test_the_sample_given_is_not_changed(self) -> None:
        """A step returns a new sample; pixels, labels and tables of the old one stay."""
        before = self.sample(((60.0, 50.0), (60.0, 100.0)))
        pixels = before.image.read().copy()
        hashes = {name: labels_hash(labels) for name, labels in before.labels.items()}
        tables = {name: table.copy() for name, table in before.tables.items()}
        after = self.make()(before)
        assert after is not before
        np.testing.assert_array_equal(before.image.read(), pixels)
        assert {name: labels_hash(labels) for name, labels in before.labels.items()} == hashes
        assert before.tables.keys() == tables.keys()
        assert all(before.tables[name].equals(table) for name, table in tables.items())

    def test_the_same_twice(self) -> None:
        """Nothing is random, nothing remembered."""
        sample = self.sample(((60.0, 50.0), (60.0, 100.0)))
        first, second = self.make()(sample), self.make()(sample)
        for name, labels in first.labels.items():
            assert labels_hash(labels) == labels_hash(second.labels[name])
        for name, table in first.tables.items():
            assert table.equals(second.tables[name])
