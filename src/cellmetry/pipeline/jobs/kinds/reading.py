"""The job `read`: headers and tiles of new images."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from cellmetry.io.image_store import write_image_store
from cellmetry.io.pixel_checks import check_pixels
from cellmetry.pipeline.jobs.kind import JobKind
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.pipeline.stored.headers import image_header
from cellmetry.pipeline.stored.opening import open_stored
from cellmetry.pipeline.stored.quality import quality_numbers
from cellmetry.pipeline.stored.reading_again import take_regions
from cellmetry.study.store.images import image, set_failed, set_ready
from cellmetry.study.store.label_tiles import TILE

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.units import Commit
    from cellmetry.study.store.store import Store

__all__ = ["ImageId", "Read"]

ImageId = Annotated[str, Field(max_length=64, pattern=r"^img_[0-9a-f]{16}$")]
"""Id of an image in a request."""


class Read(JobKind):
    """Read new images: what their headers say, and tiles at all resolution levels for viewers."""

    name: ClassVar[str] = "read"

    images: tuple[ImageId, ...] = Field(min_length=1, max_length=100_000)
    """Ids of the images."""

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return how many images were read and why others were not."""

        def read(image_id: str, _: Progress) -> Commit:
            return _read(work.store, image_id)

        def failed(image_id: str, reason: str) -> None:
            set_failed(work.store, image_id, reason)

        names = {image_id: image(work.store, image_id).name for image_id in self.images}
        units = each_unit(work, "images", names, read, failed=failed)
        reasons = {unit.name: unit.reason for unit in units if unit.state == "failed"}
        return {"images": len(units) - len(reasons), "failed": reasons}


def _read(store: Store, image_id: str) -> Commit:
    """Write the tiles of an image, and return what notes what its header says."""
    opened = open_stored(store, image(store, image_id))
    warnings = tuple(dict.fromkeys((*opened.warnings, *check_pixels(opened))))
    place = PurePosixPath("pyramids", f"{image_id}.ome.zarr").as_posix()
    if not (store.folder / place / "zarr.json").is_file():  # what is left of damaged tiles: others take their place
        shutil.rmtree(store.folder / place, ignore_errors=True)
    write_image_store(opened, store.folder / place, chunk=TILE, smallest=TILE)
    header = image_header(opened, store.folder / place)
    header["quality"] = quality_numbers(header, store.folder / place)

    def keep() -> dict[str, Any]:
        set_ready(store, image_id, header, warnings, place)
        take_regions(store, image_id)
        return {}

    return keep
