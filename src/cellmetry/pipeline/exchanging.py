"""Labels to other programs and back: which format, which options, which image, and files written as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.core.labels import Labels
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import DamagedFile, ParameterError
from cellmetry.export.content import make_content
from cellmetry.export.formats import FORMATS, recognise_format
from cellmetry.export.frame import Frame, frame_of_image
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.io.opening import open_image
from cellmetry.io.tables import read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cellmetry.export.formats import LabelFormat
    from cellmetry.export.gathering import Gathered

__all__ = ["Exported", "export_labels", "import_labels", "read_frame", "write_imported"]


class Exported(NamedTuple):
    """A file that was written, in which format, and what a user should know of it."""

    path: Path
    format: str
    notes: tuple[str, ...] = ()


def export_labels(
    labels: Labels | str | Path,
    path: str | Path,
    to: str,
    *,
    table: pd.DataFrame | str | Path | None = None,
    class_column: str = "",
    options: Mapping[str, Any] | None = None,
) -> Exported:
    """Return what was written: `labels` in the format of another program, ids kept as names.

    Parameters
    ----------
    labels
        Labels, or a file that holds them.
    to
        Name of the format: ``rois``, ``geojson``, ``coco``, ``seg-npy``, ``csv`` or ``labels``.
    table
        Table of the objects (or its file), whose numbers go along where the format can hold them.
    class_column
        Column of it that holds the class of each object.
    options
        Of the format, by name: ``{"object_type": "detection"}``.

    Raises
    ------
    InputError, OutputError
        If a file or option is wrong, or the format cannot hold the labels.
    """
    form = _form(to, options)
    path = Path(path)
    name = path.name.partition(".")[0]
    if not isinstance(labels, Labels):
        if path.resolve() == Path(labels).resolve():
            raise ParameterError(f"{path} is the label file itself; choose another name for the export.")
        name = Path(labels).name.partition(".")[0]
        labels = read_labels(labels)
    if isinstance(table, str | Path):
        table = read_table(table)
    content = make_content(labels, name, table, class_column)
    return Exported(path, to, form.write(content, path))


def import_labels(
    path: str | Path,
    frame: Frame | str | Path,
    *,
    form: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Gathered:
    """Return labels, a table of their objects, and notes, made of another program's outlines in `path`.

    Parameters
    ----------
    frame
        The image on which they were drawn, or its size.
    form
        Name of the format; by the content of the file if not given.
    options
        Of the format, by name: ``{"overlap": "later"}``.

    Raises
    ------
    InputError
        If the file is missing, foreign, damaged or hostile, or does not fit the image.
    """
    path = Path(path)
    reader = _form(form or recognise_format(path), options)
    frame = frame if isinstance(frame, Frame) else read_frame(frame)
    try:
        return reader.read(path, frame)
    except DamagedFile as error:
        if path.name in str(error):
            raise
        raise DamagedFile(f"{path}: {error}") from error


def read_frame(path: str | Path) -> Frame:
    """Return size, axes, pixel size and number of channels of an image file; no pixels are read."""
    return frame_of_image(open_image(path), Path(path).name)


def write_imported(found: Gathered, out: str | Path) -> Path | None:
    """Write labels to `out`, and beside them ``<stem>_objects.csv`` if the file said more than ids; return its path."""
    out = Path(out)
    write_labels(found.labels, out)
    said = [name for name in found.objects.columns if name not in {"label", "t", "z", "name", "class"}]
    named = [name for name in ("name", "class") if name in found.objects and (found.objects[name] != "").any()]
    renamed = "name" in named and (found.objects["name"] != found.objects["label"].astype(str)).any()
    if not said and not renamed and "class" not in named:
        return None
    beside = out.with_name(f"{out.name.partition('.')[0]}_objects.csv")
    write_table(found.objects, beside, found.objects.attrs["columns"])
    return beside


def _form(name: str, options: Mapping[str, Any] | None) -> LabelFormat:
    kind = FORMATS.load(name)
    made: LabelFormat = parse_parameters(kind, options or {}, where=f"format {name}")
    return made
