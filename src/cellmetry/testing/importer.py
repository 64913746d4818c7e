"""`ImporterContract`: what every importer of data sets must keep to, as tests to inherit."""

# ruff: noqa: S101 - the methods are tests

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from cellmetry.core.image import image_from_array
from cellmetry.errors import Cancelled, CellmetryError, OutputError
from cellmetry.io.images import write_image
from cellmetry.io.pictures import write_png
from cellmetry.learn.dataset import DataSetCard, check_name, read_data_set, read_image, read_truth
from cellmetry.learn.importers import IMPORTERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.learn.dataset import DataSet
    from cellmetry.learn.importers.base import Importer

__all__ = ["ImporterContract", "same_objects"]


def same_objects(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Return whether two label images show the same objects, whatever their ids."""
    if first.shape != second.shape:
        return False
    pairs = np.unique(np.stack([first.ravel(), second.ravel()]).astype(np.int64), axis=1)
    alone = all(len(np.unique(side)) == pairs.shape[1] for side in pairs)
    return alone and bool(((pairs == 0).sum(axis=0) != 1).all())


class ImporterContract(ABC):
    """Tests for one importer. Subclass as ``Test…``, set `importer`, and implement `write`."""

    importer: ClassVar[str]
    """Name in the registry."""
    options: ClassVar[Mapping[str, Any]] = {}
    """Options with which the sample is imported."""
    breakable: ClassVar[str]
    """Pattern of a file of the sample that holds truth: the contract cuts the first in half."""
    checks_size: ClassVar[bool] = True
    """Whether an image of another size than its truth says must be refused."""
    refers: ClassVar[bool] = True
    """Whether images can be referred to where they lie."""

    @abstractmethod
    def write(self, folder: Path) -> dict[str, NDArray[Any]]:
        """Write a tiny sample into `folder`, and return the truth by the name of each item.

        Labels are whole numbers (Y, X), foreground is bool (Y, X), points are float (n, 2) as y, x.
        """

    def make(self, **more: Any) -> Importer:
        """Return the importer with its options."""
        made: Importer = IMPORTERS.load(self.importer)(**{**self.options, **more})
        return made

    def run(self, tmp_path: Path, **more: Any) -> DataSet:
        """Return the data set made of the sample in ``tmp_path / source``."""
        return self.make(**more)(tmp_path / "source", tmp_path / "out", DataSetCard(name="sample"))

    def sample(self, tmp_path: Path) -> dict[str, NDArray[Any]]:
        """Return the truth of the sample after writing it."""
        (tmp_path / "source").mkdir()
        return self.write(tmp_path / "source")

    def test_the_truth_is_as_known(self, tmp_path: Path) -> None:
        """Every image is there, with the objects, points or foreground that were drawn."""
        known = self.sample(tmp_path)
        data_set = self.run(tmp_path)
        assert sorted(item.name for item in data_set.items) == sorted(known)
        for item in data_set.items:
            truth, wanted = read_truth(item), known[item.name]
            if item.kind == "labels":
                assert same_objects(truth, wanted), item.name
            elif item.kind == "points":
                np.testing.assert_allclose(_in_order(truth), _in_order(wanted))
            else:
                assert np.array_equal(truth, wanted), item.name
            if item.kind != "points":
                assert read_image(item).shape == truth.shape

    def test_what_is_read_again_is_the_same(self, tmp_path: Path) -> None:
        """The folder is a data set, with the card and items that the call returned."""
        self.sample(tmp_path)
        data_set = self.run(tmp_path)
        assert read_data_set(tmp_path / "out") == data_set
        assert data_set.card.name == "sample"

    def test_names_are_unique_and_fit_every_system(self, tmp_path: Path) -> None:
        """No two names differ in case only, and each can be a file name."""
        self.sample(tmp_path)
        names = [item.name for item in self.run(tmp_path).items]
        assert len({name.casefold() for name in names}) == len(names)
        for name in names:
            check_name(name)

    @pytest.mark.parametrize("copy", [False, True])
    def test_originals_are_untouched_and_copied_only_if_asked(self, tmp_path: Path, copy: bool) -> None:
        """The source is the same after; images lie in it, or are equal copies."""
        self.sample(tmp_path)
        before = _digests(tmp_path / "source")
        data_set = self.run(tmp_path, copy_images=copy)
        assert _digests(tmp_path / "source") == before
        inside = [item.image.is_relative_to(tmp_path / "out") for item in data_set.items]
        assert all(inside) if copy or not self.refers else not any(inside)
        if copy and self.refers:
            assert {_digest(item.image) for item in data_set.items} <= set(before.values())

    def test_a_damaged_file_leaves_nothing(self, tmp_path: Path) -> None:
        """A truth that breaks off is refused by name, and no part of the data set stays."""
        self.sample(tmp_path)
        broken = sorted((tmp_path / "source").glob(self.breakable))[0]
        broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
        with pytest.raises(CellmetryError, match=re.escape(broken.name)) as caught:
            self.run(tmp_path)
        assert caught.value.exit_code == 2
        assert [path.name for path in tmp_path.iterdir()] == ["source"]

    def test_cancelling_leaves_nothing(self, tmp_path: Path) -> None:
        """Who stops an import finds no half of it."""
        self.sample(tmp_path)
        with pytest.raises(Cancelled):
            self.make()(tmp_path / "source", tmp_path / "out", DataSetCard(name="sample"), _Impatient())
        assert [path.name for path in tmp_path.iterdir()] == ["source"]

    def test_an_image_of_another_size_is_refused(self, tmp_path: Path) -> None:
        """A truth is never resized to its image, nor cut."""
        self.sample(tmp_path)
        if not self.checks_size:
            return
        image = self.run(tmp_path).items[0].image
        grey = np.zeros((80, 90), np.uint8)
        if image.suffix.lower() == ".png":
            write_png(grey, image)
        else:
            write_image(image_from_array(grey, "YX"), image)
        with pytest.raises(CellmetryError, match=r"80 × 90|\(80, 90\)"):
            self.make()(tmp_path / "source", tmp_path / "other", DataSetCard(name="sample"))
        assert not (tmp_path / "other").exists()

    def test_a_folder_with_contents_is_never_written_to(self, tmp_path: Path) -> None:
        """Not even one that holds an earlier data set, whose images may be the only ones."""
        self.sample(tmp_path)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "dataset.toml").write_text("mine")
        with pytest.raises(OutputError, match="contents"):
            self.run(tmp_path)
        assert _digests(tmp_path / "out") == {"dataset.toml": hashlib.sha256(b"mine").hexdigest()}

    def test_an_empty_folder_is_refused(self, tmp_path: Path) -> None:
        """A source with nothing in it gives an error, not an empty data set."""
        (tmp_path / "source").mkdir()
        with pytest.raises(CellmetryError, match="source"):
            self.run(tmp_path)
        assert not (tmp_path / "out").exists()

    def test_options_are_described_and_survive_json(self) -> None:
        """Forms and help texts are made from them, and a record can hold them."""
        importer = self.make()
        assert type(importer).model_validate_json(importer.model_dump_json()) == importer
        assert importer.title
        for name, field in type(importer).model_fields.items():
            assert field.description, name


class _Impatient:
    """Progress that stops the work after the first item."""

    def start(self, task: str, total: int) -> None:
        """Hear of the work."""

    def advance(self, units: int = 1) -> None:
        """Stop it."""
        raise Cancelled("stopped")


def _in_order(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points[np.lexsort(points.T)]


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): _digest(path) for path in folder.rglob("*") if path.is_file()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
