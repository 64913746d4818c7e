"""`ExporterContract`: what every format of labels must keep to, as tests to inherit.

>>> class TestMine(ExporterContract):  # doctest: +SKIP
...     form = "mine"
...     file = "labels.mine"
"""

# ruff: noqa: S101 - the methods are tests

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import CellmetryError
from cellmetry.export.content import make_content
from cellmetry.export.formats import FORMATS, LabelFormat, recognise_format
from cellmetry.export.frame import Frame, frame_of_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ExporterContract", "label_cases"]


def label_cases() -> dict[str, NDArray[np.uint32]]:
    """Return label images (Y, X) that formats tend to get wrong, by what they are."""
    empty = np.zeros((12, 15), np.uint32)
    cases = {"empty": empty}
    pixels_of: dict[str, dict[int, list[Any]]] = {
        "one object": {1: [(slice(2, 7), slice(3, 9))]},
        "one pixel": {1: [(4, 5)]},
        "touching": {1: [(slice(2, 6), slice(1, 5))], 2: [(slice(2, 6), slice(5, 9))], 3: [(slice(6, 9), slice(3, 7))]},
        "corner to corner": {1: [(3, 3), (4, 4), (3, 5)], 2: [(3, 4), (4, 3)]},
        "one way round a hole": {1: [(slice(2, 9), slice(2, 9))], 2: [(slice(4, 6), slice(4, 6))]},
        "parts": {3: [(slice(1, 3), slice(1, 4)), (slice(6, 10), slice(8, 12))], 4: [(4, 4)]},
        "gaps in ids": {2: [(1, slice(0, 3))], 900: [(5, slice(2, 8))]},
        "many ids": {65_535: [(1, 1)], 65_536: [(3, 3)], 70_001: [(slice(5, 9), slice(5, 9))]},
        "border": {1: [(0, slice(0, 15))], 2: [(slice(1, 12), 0)], 3: [(11, slice(2, 15)), (slice(1, 11), 14)]},
        "whole image": {7: [(slice(0, 12), slice(0, 15))]},
    }
    for name, pixels in pixels_of.items():
        cases[name] = _drawn(empty.shape, pixels)
    cases["holes"] = cases["one object"].copy()
    cases["holes"][[3, 4, 5], [4, 5, 7]] = 0  # two of them corner to corner
    cases["ring in a ring"] = _drawn((15, 15), {1: [(slice(0, 15), slice(0, 15))]})
    for inset, value in ((2, 0), (4, 1), (6, 0)):
        cases["ring in a ring"][inset:-inset, inset:-inset] = value
    cases["open corner"] = _drawn((5, 5), {1: [(slice(1, 4), slice(1, 4))]})
    cases["open corner"][[2, 1], [2, 3]] = 0
    return cases


def _drawn(shape: tuple[int, int], pixels: Mapping[int, list[Any]]) -> NDArray[np.uint32]:
    array = np.zeros(shape, np.uint32)
    for identity, places in pixels.items():
        for place in places:
            array[place] = identity
    return array


class ExporterContract(ABC):
    """Tests for one format. Subclass as ``Test…``, set `form` and `file`, and say what differs."""

    form: str
    """Name of the format."""
    file: str
    """Name of a file of this format."""
    options: ClassVar[dict[str, Any]] = {}
    """Options with which it is tested."""
    stacks: ClassVar[tuple[str, ...]] = ("ZYX", "TYX", "TZYX")
    """Axes of stacks that it can hold; others must be refused."""
    largest_id: ClassVar[int] = 2**32 - 1
    """Largest id that it can hold; larger ones must be refused."""
    keeps_classes: ClassVar[bool] = True
    """Whether it keeps the classes of objects."""
    keeps_values: ClassVar[bool] = True
    """Whether it keeps numbers of objects."""

    def make(self, **more: Any) -> LabelFormat:
        """Return the format with its options."""
        made: LabelFormat = FORMATS.load(self.form)(**{**self.options, **more})
        return made

    def there_and_back(self, labels: Labels, folder: Path) -> Labels:
        """Return the labels after they were written and read."""
        path = folder / self.file
        self.make().write(make_content(labels, "field"), path)
        return self.make().read(path, frame_of_labels(labels)).labels

    @pytest.mark.parametrize("case", list(label_cases()))
    def test_labels_come_back_pixel_for_pixel(self, case: str, tmp_path: Path) -> None:
        """Every id has its pixels again: holes, parts, single pixels, ids with gaps and past 65,535."""
        array = label_cases()[case]
        if array.max() > self.largest_id:
            with pytest.raises(CellmetryError):
                self.there_and_back(labels_from_array(array), tmp_path)
            return
        np.testing.assert_array_equal(self.there_and_back(labels_from_array(array), tmp_path).read(), array)

    @pytest.mark.parametrize("axes", ["ZYX", "TYX", "TZYX"])
    def test_stacks_come_back_plane_by_plane(self, axes: str, tmp_path: Path) -> None:
        """An id on several planes stays one id; a format that has no such planes refuses them."""
        array = np.zeros((*(2, 3)[: len(axes) - 2], 9, 11), np.uint32)
        for number, lead in enumerate(np.ndindex(*array.shape[:-2])):
            array[lead][1 + number % 4 : 4 + number % 4, 2:6] = 5
            array[lead][7, 8 : 9 + number % 3] = 6 + number
        labels = Labels(array, axes)
        if axes not in self.stacks:
            with pytest.raises(CellmetryError):
                self.there_and_back(labels, tmp_path)
            return
        np.testing.assert_array_equal(self.there_and_back(labels, tmp_path).read(), array)

    def test_the_same_labels_give_the_same_bytes(self, tmp_path: Path) -> None:
        """No clock and no chance is in the file."""
        content = make_content(labels_from_array(label_cases()["parts"]), "field")
        written = []
        for folder in ("first", "second"):
            (tmp_path / folder).mkdir()
            self.make().write(content, tmp_path / folder / self.file)
            written.append((tmp_path / folder / self.file).read_bytes())
        assert written[0] == written[1]

    def test_classes_and_numbers_come_back(self, tmp_path: Path) -> None:
        """What a table says of objects is kept, where the format can."""
        array = label_cases()["touching"]
        table = pd.DataFrame(
            {"label": [1, 2, 3], "type": ["big", "small one: µ", "big"], "mean GFP": [1.5, -2.25, 1e9]}
        )
        content = make_content(labels_from_array(array), "field", table, "type")
        self.make().write(content, tmp_path / self.file)
        found = self.make().read(tmp_path / self.file, Frame(array.shape)).objects.set_index("label")
        if self.keeps_classes:
            assert found["class"].to_dict() == {1: "big", 2: "small one: µ", 3: "big"}
        if self.keeps_values:
            assert found["mean GFP"].to_dict() == {1: 1.5, 2: -2.25, 3: 1e9}

    def test_it_is_recognised_by_its_content(self, tmp_path: Path) -> None:
        """Nobody has to name the format of a file."""
        self.make().write(make_content(labels_from_array(label_cases()["parts"]), "field"), tmp_path / self.file)
        assert recognise_format(tmp_path / self.file) == self.form

    def test_a_file_that_breaks_off_is_refused_by_name(self, tmp_path: Path) -> None:
        """No half of the objects is taken for all of them."""
        array = label_cases()["parts"]
        path = tmp_path / self.file
        self.make().write(make_content(labels_from_array(array), "field"), path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(CellmetryError, match=path.name):
            self.make().read(path, Frame(array.shape))

    def test_options_are_described_and_survive_json(self) -> None:
        """Forms and help texts are made from them, and a record can hold them."""
        made = self.make()
        assert type(made).model_validate_json(made.model_dump_json()) == made
        assert made.title
        assert made.suffixes
        for name, field in type(made).model_fields.items():
            assert field.description, name
