"""Run-length codes in a CSV, a row an object: Data Science Bowl, Sartorius, and other tables like theirs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cellmetry.errors import DamagedFile, LabelsError, MissingInput
from cellmetry.export.rle import RleForm, decode_rle
from cellmetry.io.tables import read_table
from cellmetry.learn.importers.base import Entry, Importer, about, painted_truth
from cellmetry.learn.importers.lookup import ImageLookup
from cellmetry.ops.instances import Overlap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from cellmetry.learn.importers.writing import Truth

__all__ = ["RleCsv", "Sartorius"]

_WELL = re.compile(r"(?P<type>.+?)_(?P<well>[A-P]\d{1,2})-\d+_(?P<vessel>Vessel-\d+)")


class RleCsv(Importer):
    """A CSV with the name of an image and a run-length code in each row; as in the Data Science Bowl by default.

    A row without a code says that its image has no object.
    """

    title: ClassVar[str] = "run-length codes in a CSV"

    table: str = "stage1_train_labels.csv"
    """The CSV, below the source (or the source is the CSV)."""
    images: str = "."
    """Folder of the images, below the source; they are found by name, in sub-folders too."""
    image_column: str = "ImageId"
    """Column with the name of the image, with or without suffix."""
    code_column: str = "EncodedPixels"
    """Column with the code, ``start length start length …``."""
    order: Literal["row", "column"] = "column"
    """Whether pixels are numbered along rows or along columns first."""
    first: Literal[0, 1] = 1
    """Number of the first pixel."""
    class_column: str = ""
    """Column with the class of the object; kept in classes.csv, and the modality where an image has only one."""
    group_column: str = ""
    """Column with the group of the image (well, slide): a split never parts a group."""
    overlap: Overlap = "smaller"
    """Which of two overlapping objects gets the pixels: the smaller, the later or the earlier in the table."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images that the table names, in its order."""
        path, folder = (source, source.parent) if source.is_file() else (source / self.table, source)
        wanted = [name for name in (self.image_column, self.code_column, self.class_column, self.group_column) if name]
        table = read_table(path, text=wanted)
        for name in wanted:
            if name not in table.columns:
                raise DamagedFile(f"{path} has no column {name!r}; it has {', '.join(table.columns)}.")
        lookup = ImageLookup(folder / self.images)
        found = table.groupby(self.image_column, sort=False)
        return [self._entry(str(name), rows, lookup, path) for name, rows in found]

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the labels that the codes of an image make."""
        path, rows = entry.truth
        self._check_size(rows, shape, f"{path}, image {entry.path}")
        form = RleForm(self.order, self.first)
        rows = rows[rows[self.code_column].str.strip() != ""]
        found = []
        with about(f"{path}, image {entry.path}"):
            found = [decode_rle(code, shape, form) for code in rows[self.code_column]]
        truth = painted_truth(found, shape, self.overlap)
        if self.class_column:
            truth = truth.with_classes(dict(enumerate(rows[self.class_column].astype(str), start=1)))
        return truth

    def _entry(self, name: str, rows: pd.DataFrame, lookup: ImageLookup, path: Path) -> Entry:
        kinds = set(rows[self.class_column]) if self.class_column else set()
        group = self._group(str(rows[self.group_column].iloc[0])) if self.group_column else ""
        modality = str(kinds.pop()) if len(kinds) == 1 else ""
        return Entry(name, lookup.find(name), (path, rows), group, modality)

    def _group(self, text: str) -> str:
        return text

    def _check_size(self, rows: pd.DataFrame, shape: tuple[int, int], where: str) -> None:
        if not {"height", "width"} <= set(rows.columns):
            return
        said = (int(rows["height"].iloc[0]), int(rows["width"].iloc[0]))
        if said != shape:
            raise LabelsError(
                f"{where}: the table says {said[0]} × {said[1]} pixels, the image has {shape[0]} × {shape[1]}."
            )


class Sartorius(RleCsv):
    """Sartorius cell instance segmentation (Kaggle, 2021) as distributed: ``train.csv`` and the folder ``train``."""

    title: ClassVar[str] = "Sartorius cell instance segmentation"
    public: ClassVar[dict[str, Any]] = {
        "licence": "rules of the Kaggle competition",
        "non_commercial": True,
        "source": "https://www.kaggle.com/competitions/sartorius-cell-instance-segmentation",
        "summary": "Phase contrast images of neuronal cells (astro, cort, SH-SY5Y), 704 × 520 pixels.",
    }

    table: str = "train.csv"
    """The CSV, below the source."""
    images: str = "train"
    """Folder of the images, below the source."""
    image_column: str = "id"
    """Column with the name of the image."""
    code_column: str = "annotation"
    """Column with the code."""
    order: Literal["row", "column"] = "row"
    """Pixels are numbered along rows."""
    class_column: str = "cell_type"
    """Column with the type of the cell; kept in classes.csv and as modality."""
    group_column: str = "sample_id"
    """Column from which the well is taken, the group."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images that the table names; fields of one well are one group."""
        if not (source / self.table).is_file():
            raise MissingInput(
                f"{source} has no {self.table}; give the folder into which Kaggle's archive was unpacked."
            )
        return super().entries(source)

    def _group(self, text: str) -> str:
        found = _WELL.match(text)
        return "_".join(found.group("type", "well", "vessel")) if found else text
