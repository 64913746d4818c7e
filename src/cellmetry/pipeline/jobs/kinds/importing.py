"""The job `import`: a file that a client sent, with labels or outlines, becomes labels of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from cellmetry.core.labels import count_objects
from cellmetry.export.frame import frame_of_image
from cellmetry.io.hashing import content_hash
from cellmetry.pipeline.exchanging import import_labels
from cellmetry.pipeline.jobs.bounded import BoundedJob, Name
from cellmetry.pipeline.jobs.kinds.exporting import FormName, FormOptions
from cellmetry.pipeline.jobs.kinds.reading import ImageId
from cellmetry.pipeline.jobs.labelled import chosen_images
from cellmetry.pipeline.stored.opening import open_stored
from cellmetry.study.store.acts import act
from cellmetry.study.store.labels import enter_labels, label_sets, write_labels
from cellmetry.study.store.uploads import upload_path

if TYPE_CHECKING:
    from cellmetry.pipeline.jobs.kind import JobWork

__all__ = ["ImportLabels", "UploadId"]

UploadId = Annotated[str, Field(max_length=64, pattern=r"^upl_[0-9a-f]{16}$")]
"""Id of a file that a client sent."""


class ImportLabels(BoundedJob):
    """Make labels of an image from a file: a label image, ROIs of Fiji, GeoJSON of QuPath, COCO, _seg.npy, a table."""

    name: ClassVar[str] = "import"

    upload: UploadId
    """Id of the file that was sent."""
    image: ImageId
    """Id of the image on which the objects lie."""
    labels: Name = "cells"
    """Name of the labels; older ones of this name are hidden."""
    form: FormName | None = None
    """Format of the file; by its content if left out."""
    options: FormOptions = Field(default_factory=dict)
    """Options of the format: ``{"overlap": "later"}``."""

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the labels, their number of objects, and what a user should know."""
        before = next((each for each in label_sets(work.store) if each.origin.get("job") == work.job_id), None)
        if before is not None:
            return {"labels": before.id, "act": before.added_by, **before.origin["found"]}
        work.progress.start("import", 2)
        (image,) = chosen_images(work.store, [self.image])
        path = upload_path(work.store, self.upload)
        frame = frame_of_image(open_stored(work.store, image), image.name)
        found = import_labels(path, frame, form=self.form, options=self.options)
        count, notes = count_objects(found.labels), list(found.notes)
        if not count:
            notes.append(f"{path.name} holds no objects: the labels are empty.")
        for note in notes:
            work.say("warning", note)
        work.progress.advance()
        told = {"objects": count, "notes": notes}
        origin = {
            "file": path.name,
            "sha256": content_hash(path),
            "upload": self.upload,
            "job": work.job_id,
            "found": told,
        }
        written = write_labels(work.store, found.labels)
        with work.store.database.write():
            summary = f"Import {told['objects']} {self.labels} of {image.name} from {path.name}"
            seq = act(work.store, work.actor, self.name, summary, job=work.job_id)
            enter_labels(work.store, seq, image.id, written, name=self.labels, origin=origin)
        work.progress.advance()
        return {"labels": written.id, "act": seq, **told}
