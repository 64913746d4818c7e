"""`Importer`: what all importers share. One knows a format: which images there are, and the truth of each."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters
from cellmetry.errors import DamagedFile, InputError, MissingInput
from cellmetry.io.opening import open_image
from cellmetry.learn.dataset import DataSetCard, read_data_set
from cellmetry.learn.importers.label_pictures import read_mask
from cellmetry.learn.importers.naming import unique_names
from cellmetry.learn.importers.writing import ImportWriter, Truth, import_folder
from cellmetry.ops.instances import Overlap, paint_instances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import DataSet
    from cellmetry.ops.instances import Instance

__all__ = ["Entry", "Importer", "about", "painted_truth"]


@dataclass(frozen=True)
class Entry:
    """One image that a format holds, before its truth is read.

    Parameters
    ----------
    path
        Where it stands, parts joined by ``/``, without suffix: names are made from it.
    image
        The image.
    truth
        Whatever the importer needs to read the truth: a file, several, rows of a table.
    group, modality
        As in `Item`.
    annotated
        Picture that is not black where the image was annotated; None where the truth alone says so.
    """

    path: str
    image: Path
    truth: Any = field(compare=False)
    group: str = ""
    modality: str = ""
    annotated: Path | None = None


class Importer(Parameters):
    """One format of annotations. Fields are its options; a call writes the data set.

    A subclass says in `entries` which images there are, and in `read` what the truth of one is.
    """

    title: ClassVar[str] = ""
    """What it reads, in a few words."""
    public: ClassVar[dict[str, Any]] = {}
    """What is known of the one public data set that has this form: fields of its card."""

    copy_images: bool = False
    """Copy the images into the data set; otherwise they are referred to where they lie."""
    channel: str | None = None
    """Channel of multi-channel images to look at, by name or number; the grey value of colour pictures if not said."""

    @abstractmethod
    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images of the data set at `source` (a folder or file), in order; no pixels are read."""

    @abstractmethod
    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the truth of one image, whose size in pixels (Y, X) is `shape`."""

    def image_of(self, entry: Entry) -> Image | None:
        """Return an image to write where the data set cannot refer to a file; None where it can."""
        return None

    def item_channel(self, entry: Entry) -> str | None:
        """Return the channel to look at in the image of an item, as written or referred to."""
        return self.channel

    def __call__(self, source: Path, out: Path, card: DataSetCard, progress: Progress = SILENT) -> DataSet:
        """Return the data set made in the new folder `out`; it is there as a whole, or not at all.

        Raises
        ------
        InputError, OutputError
            If a file of the source is missing, damaged or of another size than its image; if `out` has contents.
        """
        source, out = Path(source).absolute(), Path(out).absolute()
        if not source.exists():
            raise MissingInput(f"{source} does not exist; give the folder or file that holds the data set.")
        entries = list(self.entries(source))
        if not entries:
            raise MissingInput(f"{source} holds nothing that the importer for {self.title} knows.")
        names = unique_names([entry.path for entry in entries])
        progress.start("import", len(entries))
        with import_folder(out) as writer:
            for name, entry in zip(names, entries, strict=True):
                self._write(writer, name, entry)
                progress.advance()
            writer.finish(_filled(card, self.public))
        return read_data_set(out)

    def _write(self, writer: ImportWriter, name: str, entry: Entry) -> None:
        made = self.image_of(entry)
        image = open_image(entry.image) if made is None else made
        sizes = image.sizes
        if sizes["T"] * sizes["Z"] > 1:
            raise InputError(
                f"{entry.image} has {sizes['T']} times and {sizes['Z']} Z planes; an item of a data set is one plane. "
                f"Save the planes as files of their own, or use the importer tile-scan."
            )
        channel = self.item_channel(entry)
        if channel is not None:
            image.channel_index(channel)
        shape = (sizes["Y"], sizes["X"])
        truth = self.read(entry, shape)
        if entry.annotated is not None:
            truth = truth.within(read_mask(entry.annotated, shape, entry.image))
        writer.sizes_um.append(image.pixel_size.x)
        lies = writer.image(name, entry.image, made, copy=self.copy_images)
        writer.add(name, replace(entry, image=lies), truth, channel)


@contextmanager
def about(path: object) -> Iterator[None]:
    """Put `path` before the message of a damaged part that is met inside the block."""
    try:
        yield
    except DamagedFile as error:
        if str(path) in str(error):
            raise
        raise DamagedFile(f"{path}: {error}") from error


def painted_truth(instances: Sequence[Instance], shape: tuple[int, int], overlap: Overlap) -> Truth:
    """Return the truth that objects make, with what they lost to one another."""
    painted = paint_instances(instances, shape, overlap=overlap)
    return Truth(painted.labels, overlapped_px=painted.overlapped_px, hidden=painted.hidden, empty=painted.empty)


def _filled(card: DataSetCard, public: Mapping[str, Any]) -> DataSetCard:
    """Return the card with what is known of the public set wherever it says no more than the default."""
    blank = dict(DataSetCard(name=card.name))
    said = {key: value for key, value in card if value != blank[key]}
    return DataSetCard.model_validate({**public, "name": card.name, **said})
