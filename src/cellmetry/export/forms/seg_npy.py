"""Labels ↔ the ``_seg.npy`` of Cellpose's window."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cellmetry.core.labels import labels_from_array
from cellmetry.errors import LabelsError, OutputError
from cellmetry.export.cellpose_npy import read_cellpose_seg
from cellmetry.export.cellpose_writing import CellposeContent, write_cellpose_seg
from cellmetry.export.formats import LabelFormat
from cellmetry.export.forms.label_files import gathered_labels
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.export.content import Content
    from cellmetry.export.frame import Frame
    from cellmetry.export.gathering import Gathered

__all__ = ["SegNpy"]


class SegNpy(LabelFormat):
    """Cellpose's ``_seg.npy``: masks with their outlines; the window numbers objects anew, the file keeps our ids."""

    title: ClassVar[str] = "_seg.npy of Cellpose"
    suffixes: ClassVar[tuple[str, ...]] = ("_seg.npy",)

    image: str = ""
    """File name of the image, which Cellpose looks for beside the file; the name of the file with ``.tif`` in place of
    ``_seg.npy`` if left out."""

    def write(self, content: Content, path: Path) -> tuple[str, ...]:
        """Write masks, outlines, colours and the usual diameter, as far as Cellpose's window needs them."""
        if content.labels.axes not in {"YX", "ZYX"}:
            raise OutputError(
                f"Cellpose knows planes and Z stacks, not {content.labels.axes}; export the frames one by one."
            )
        masks = np.stack([plane.array for plane in content.planes()]).reshape(content.labels.shape)
        if masks.max(initial=0) > np.iinfo(np.int32).max:
            raise OutputError(f"Cellpose's ids are smaller than 2^31; the largest here is {masks.max()}.")
        stem = path.name.removesuffix(".npy").removesuffix("_seg")
        with atomic_write(path) as temporary:
            write_cellpose_seg(CellposeContent(masks, self.image or f"{stem}.tif"), temporary)
        if path.name.endswith("_seg.npy"):
            return ()
        return (f"Cellpose only finds files called IMAGE_seg.npy, not {path.name}.",)

    def read(self, path: Path, frame: Frame) -> Gathered:
        """Return the masks; no code of the file is run."""
        masks = read_cellpose_seg(path).masks
        if masks.ndim == len(frame.shape) + 1 and masks.shape[0] == 1:
            masks = masks[0]
        if np.issubdtype(masks.dtype, np.signedinteger) and masks.size and masks.min() == -1:
            masks = masks + 1  # as Cellpose itself takes files of its first versions
        if masks.ndim != len(frame.shape):
            raise LabelsError(f"{path} has masks of shape {masks.shape}, which do not fit the axes {frame.axes}.")
        labels = labels_from_array(masks, frame.axes, pixel_size=frame.pixel_size, name=str(path))
        return gathered_labels(labels, frame, path)
