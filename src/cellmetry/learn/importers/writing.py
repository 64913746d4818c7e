"""Writing what is imported: labels, points, and a report of what was lost on the way; whole or not at all."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import MissingInput
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.io.tables import read_table, write_table
from cellmetry.learn.dataset import DataSet, Item, pixel_size_span, refuse_contents, write_data_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.learn.dataset import DataSetCard, TruthKind
    from cellmetry.learn.importers.base import Entry

__all__ = ["ImportWriter", "Truth", "import_folder", "read_report", "report_sentences"]

REPORT = "import.csv"
CLASSES = "classes.csv"

_COLUMNS = (
    Column("name", "", "Name of the item.", "import"),
    Column("objects", "", "Objects or points in its truth.", "import"),
    Column("overlapped_px", "px", "Pixels that several objects claimed; each was given to one of them.", "import"),
    Column("hidden", "", "Objects of which no pixel was left, because others lie over all of them.", "import"),
    Column("empty", "", "Annotations without any pixel inside the image.", "import"),
    Column(
        "not_annotated_px",
        "px",
        "Pixels that count as not annotated (crowds, vague areas, by a picture).",
        "import",
    ),
    Column("note", "", "What else was noticed.", "import"),
)


@dataclass(frozen=True)
class Truth:
    """The truth of one image as an importer read it.

    Parameters
    ----------
    array
        Labels (Y, X), whole numbers; foreground (Y, X), bool; or points (n, 2) as y, x in pixels, (0, 0) the centre of
        the first.
    kind
        Which of these.
    annotated
        Where it was annotated, bool (Y, X); None for everywhere.
    classes
        Class of each id, or of each point by its number from 1, where the format tells.
    columns
        More columns of a table of points, such as the sides of boxes.
    overlapped_px, hidden, empty
        What overlapping objects lost; see `Painted`.
    notes
        What else a reader should know, in sentences.
    """

    array: NDArray[Any]
    kind: TruthKind = "labels"
    annotated: NDArray[np.bool_] | None = None
    classes: Mapping[int, str] = field(default_factory=dict)
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    overlapped_px: int = 0
    hidden: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def with_classes(self, classes: Mapping[int, str]) -> Truth:
        """Return it with the class of each id."""
        return replace(self, classes=dict(classes))

    def with_annotated(self, annotated: NDArray[np.bool_]) -> Truth:
        """Return it with where it was annotated."""
        return replace(self, annotated=annotated)

    def within(self, region: NDArray[np.bool_]) -> Truth:
        """Return it with what lies outside of `region`, bool (Y, X), not annotated too."""
        return self.with_annotated(region if self.annotated is None else region & self.annotated)

    def with_notes(self, *notes: str) -> Truth:
        """Return it with more notes."""
        return replace(self, notes=(*self.notes, *notes))


@contextmanager
def import_folder(out: Path) -> Iterator[ImportWriter]:
    """Yield a writer into a folder that becomes `out` when the block ends well; nothing of it stays otherwise.

    Raises
    ------
    OutputError
        If `out` holds anything.
    """
    refuse_contents(out)
    with atomic_folder(out, marker="dataset.toml") as temporary:
        yield ImportWriter(temporary)


class ImportWriter:
    """Writes items one by one and keeps the report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.items: list[Item] = []
        self.sizes_um: list[float | None] = []
        self._rows: list[tuple[Any, ...]] = []
        self._classes: list[tuple[str, int, str]] = []

    def image(self, name: str, path: Path, made: Image | None, *, copy: bool) -> Path:
        """Return where the image of an item lies: as it is, copied, or written new."""
        if made is not None:
            target = self.folder / "images" / f"{name}.tif"
            write_image(made, target)
            return target
        if not copy:
            return path.absolute()
        target = self.folder / "images" / f"{name}{''.join(path.suffixes[-1:])}"
        target.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copyfile(path, target)
        return target

    def add(self, name: str, entry: Entry, truth: Truth, channel: str | None) -> None:
        """Write the truth of an item and remember the item."""
        annotated = None
        if truth.annotated is not None and not truth.annotated.all():
            annotated = self._write_plane("annotated", name, truth.annotated)
        path = self._write_points(name, truth) if truth.kind == "points" else None
        path = path or self._write_plane(truth.kind, name, truth.array)
        self.items.append(Item(name, entry.image, path, truth.kind, annotated, channel, entry.group, entry.modality))
        self._rows.append((
            name, _objects(truth), truth.overlapped_px, len(truth.hidden), len(truth.empty),
            0 if truth.annotated is None else int(np.count_nonzero(~truth.annotated)), " ".join(truth.notes),
        ))  # fmt: skip
        present = set(np.unique(truth.array).tolist()) if truth.kind == "labels" and truth.classes else set()
        self._classes += [(name, k, each) for k, each in sorted(truth.classes.items()) if k in present]

    def finish(self, card: DataSetCard) -> None:
        """Write card (with the pixel sizes that all images state), items, report, and classes if there are any."""
        report = pd.DataFrame(self._rows, columns=[column.name for column in _COLUMNS])
        write_table(report, self.folder / REPORT, _COLUMNS)
        if self._classes:
            write_table(pd.DataFrame(self._classes, columns=["name", "label", "class"]), self.folder / CLASSES)
        if card.pixel_size_um is None:
            card = card.model_copy(update={"pixel_size_um": pixel_size_span(self.sizes_um)})
        write_data_set(DataSet(card, self.folder, tuple(self.items)))

    def _write_plane(self, kind: str, name: str, plane: NDArray[Any]) -> Path:
        path = self.folder / kind / f"{name}.tif"
        ids = plane.astype(np.uint8) * np.uint8(255) if plane.dtype == bool else plane
        write_labels(labels_from_array(ids, name=name), path)
        return path

    def _write_points(self, name: str, truth: Truth) -> Path:
        path = self.folder / "points" / f"{name}.csv"
        table = pd.DataFrame({"x": truth.array[:, 1], "y": truth.array[:, 0], **truth.columns})
        if truth.classes:
            table["class"] = [truth.classes.get(k, "") for k in range(1, len(table) + 1)]
        write_table(table, path)
        return path


def read_report(folder: str | Path) -> pd.DataFrame:
    """Return the report of the import into `folder`: a row an item, columns as described beside it."""
    path = Path(folder) / REPORT
    if not path.is_file():
        raise MissingInput(f"{folder} has no {REPORT}; it was not made by an import.")
    return read_table(path, text=("name", "note"))


def report_sentences(folder: str | Path) -> tuple[str, ...]:
    """Return in sentences what was lost or is doubtful in the import into `folder`; empty if nothing is."""
    report = read_report(folder)
    said = []
    for column, words in (
        ("overlapped_px", "pixels were claimed by several objects, and each was given to one"),
        ("hidden", "objects are wholly hidden under others and were left out"),
        ("empty", "annotations have no pixel inside their image and were left out"),
        ("not_annotated_px", "pixels count as not annotated"),
    ):
        total, images = int(report[column].sum()), int((report[column] > 0).sum())
        if total:
            said.append(f"{total:,} {words} (in {images} of {len(report)} images).")
    noted = report[report["note"].fillna("") != ""]
    said += [f"{row['name']}: {row['note']}" for _, row in noted.head(5).iterrows()]
    if len(noted) > 5:
        said.append(f"{len(noted) - 5} more images have a note in {REPORT}.")
    return tuple(said)


def _objects(truth: Truth) -> int:
    if truth.kind == "points":
        return len(truth.array)
    return int(np.count_nonzero(np.unique(truth.array))) if truth.kind == "labels" else 0
