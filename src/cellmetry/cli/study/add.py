"""`cellmetry study add`: images become images of a study."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.job.opening import StudyFolder, actor, opened
from cellmetry.cli.options import Axes, DetectorBits, Pattern, PixelSize, PixelSizeZ, Rgb, RgbChoice, Roles, reading_of
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.images import image
from cellmetry.study.store.names import STUDY_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["add"]


def add(
    study: StudyFolder,
    images: Annotated[list[str], typer.Argument(help="Image files, folders or patterns; file.czi#3 for one scene.")],
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    detector_bits: DetectorBits = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
) -> None:
    """Add images to a study by reference: they are read and hashed, never written to or copied.

    The folder NAME.cellmetry is made if there is none. While a server has the study open, images are added through it.
    A job that reads them is put into the queue; a server works it when it opens the study, and so does
    `cellmetry job run`. Images that the study has already are left out.

    Example: [bold]cellmetry study add edu.cellmetry plate1/ --pattern '{well}_w{channel}.tif'[/bold]
    """
    reading = reading_of(
        rgb=rgb,
        roles=roles,
        pixel_size_um=pixel_size,
        pixel_size_z_um=pixel_size_z,
        detector_bits=detector_bits,
        axes=axes,
        pattern=pattern,
    )
    with _made(study), opened(study) as store:
        added = register_images(store, actor(), [Path(each) for each in images], reading=reading)
        names = [image(store, each).name for each in added]
    console = Console(soft_wrap=True, highlight=False)
    for name in names:
        console.print(Text(name))
    added_words = "1 image was added." if len(names) == 1 else f"{len(names)} images were added."
    console.print(Text(added_words if names else "The study has all of these images already."))


@contextmanager
def _made(study: Path) -> Iterator[None]:
    """Make the folder of a study if there is none; it is not left behind when nothing could be added."""
    if study.exists() or not study.name.endswith(STUDY_SUFFIX):
        yield
        return
    study.mkdir()
    try:
        yield
    except BaseException:
        shutil.rmtree(study)
        raise
