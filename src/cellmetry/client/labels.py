"""Labels of a study on a server: read them, edit them, go back; questions of a rebase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from cellmetry.client.part import PAGE, StudyPart
from cellmetry.client.pixels import Window, read_planes, read_tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LabelVerbs"]

_OBJECT = ["id", "t", "z", "y0", "y1", "x0", "x1", "area_px"]


class LabelVerbs(StudyPart):
    """What may be done with labels."""

    def label_images(self, image: str | None = None) -> list[dict[str, Any]]:
        """Return the label images, of one image or of all."""
        return self._all("/labels", image=image)

    def label_image(self, labels: str) -> dict[str, Any]:
        """Return one label image by its id: shape, version, what made it."""
        found: dict[str, Any] = self._get(f"/labels/{labels}")
        return found

    def labels(
        self, labels: str, *, version: int | None = None, t: int = 0, z: int = 0, window: Window | None = None
    ) -> NDArray[np.uint32]:
        """Return the ids of a plane of a label image, shape (Y, X), now or as they were at a version."""
        path = self._path(f"/labels/{labels}/tiles")
        return read_tiles(self._connection, path, (t, z), window=window, version=version)

    def all_labels(self, labels: str, *, version: int | None = None) -> NDArray[np.uint32]:
        """Return the ids of all planes of a label image with the axes that it states, at one version."""
        return read_planes(self._connection, self._path(f"/labels/{labels}/tiles"), "TZ", version=version)

    def objects(self, labels: str, *, t: int = 0, z: int = 0, window: Window | None = None) -> pd.DataFrame:
        """Return where the objects of a plane are: id, box (end outside) and area in pixels.

        With a window, only those whose boxes meet it.
        """
        box = {} if window is None else window._asdict()
        found: list[dict[str, Any]] = []
        path = f"/labels/{labels}/objects"
        while page := self._get(path, t=t, z=z, after=found[-1]["id"] if found else 0, limit=PAGE, **box):
            found += page
        return pd.DataFrame(found, columns=_OBJECT)

    def object(self, labels: str, number: int, *, t: int = 0, z: int = 0) -> dict[str, Any]:
        """Return where an object is in a plane."""
        found: dict[str, Any] = self._get(f"/labels/{labels}/objects/{number}", t=t, z=z)
        return found

    def object_at(self, labels: str, y: float, x: float, *, t: int = 0, z: int = 0) -> int:
        """Return the id of the object under a point, 0 for background; pixel (0, 0) covers [0, 1) × [0, 1)."""
        return int(self._get(f"/labels/{labels}/at", y=y, x=x, t=t, z=z)["id"])

    def edit(
        self, labels: str, operation: str, *, base_version: int | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Return what an edit changed; it is on the server's disk then.

        ``Client.edit_operations()`` tells the operations and their parameters.

        Raises
        ------
        EditConflict
            If somebody else changed the same place since `base_version`.
        """
        body = {"operation": operation, "parameters": parameters, "session": self.session, "base_version": base_version}
        return self._edit(f"/labels/{labels}/edits", body)

    def propose(self, labels: str, y: float, x: float, **more: Any) -> dict[str, Any]:
        """Return the outline of the cell that the network sees at a point; drawing it (`draw`) takes it.

        ``outline`` is None, and ``reason`` says why, where it sees none or there is a label already.
        """
        found: dict[str, Any] = self._send(f"/labels/{labels}/propose", {"y": y, "x": x, **more})
        return found

    def undo(self, labels: str) -> dict[str, Any]:
        """Return what changed by taking back the last edit that this program made."""
        return self._edit(f"/labels/{labels}/undo", {"session": self.session})

    def redo(self, labels: str) -> dict[str, Any]:
        """Return what changed by doing again what this program took back last."""
        return self._edit(f"/labels/{labels}/redo", {"session": self.session})

    def edits(self, labels: str, *, before: int | None = None) -> list[dict[str, Any]]:
        """Return the last 1,000 lines of the log of a label image, newest first; older ones with `before`."""
        found: list[dict[str, Any]] = self._get(f"/labels/{labels}/edits", before=before, limit=PAGE)
        return found

    def edits_of_image(self, image: str, *, before: int | None = None) -> list[dict[str, Any]]:
        """Return the last 1,000 edits of all label images of an image, also of replaced ones; older with `before`."""
        found: list[dict[str, Any]] = self._get(f"/images/{image}/edits", before=before, limit=PAGE)
        return found

    def edit_of(self, labels: str, act: int) -> dict[str, Any]:
        """Return one edit with the boxes that it changed."""
        return self._edit_of(labels, act)

    def edit_pixels(
        self, labels: str, act: int, part: int = 0, *, side: Literal["before", "after"] = "before"
    ) -> NDArray[np.uint32]:
        """Return the ids in a box that an edit changed, shape (Y, X), before or after it."""
        box = self._edit_of(labels, act)["boxes"][part]
        path = self._path(f"/labels/{labels}/edits/{act}/pixels/{part}")
        data = self._connection.ask("GET", path, params={"side": side}).content
        shape = (box["y1"] - box["y0"], box["x1"] - box["x0"])
        return np.frombuffer(data, "<u4").astype(np.uint32).reshape(shape)

    def restore(self, labels: str, version: int, *, base_version: int | None = None) -> dict[str, Any]:
        """Return what changed by bringing back an older version; that can be undone.

        Raises
        ------
        EditConflict
            If somebody else changed the labels since `base_version`.
        """
        body = {"base_version": base_version, "session": self.session}
        return self._edit(f"/labels/{labels}/versions/{version}/restore", body)

    def draw_labels(self, image: str, name: str = "cells") -> str:
        """Return the id of new labels of an image that have no object yet; edits draw them."""
        made: dict[str, Any] = self._send("/labels", {"image": image, "name": name})
        return str(made["labels"])

    def remove_labels(self, labels: str) -> int:
        """Return the act that hid a label image; undoing it brings it back."""
        return self._act(f"/labels/{labels}", method="DELETE")

    def say_right(self, labels: str, *, right: bool = True) -> int:
        """Return the act that says that all cells of a label image are right; ``right=False`` takes that back."""
        return self._act(f"/labels/{labels}/right", {"right": right}, method="PUT")

    def correction_queue(self, labels: str = "cells", **asked: Any) -> dict[str, Any]:
        """Return cells and fields most worth correcting: ``result``, ``limit``, ``share`` say for which result.

        Run a job `review` first, so that the network says what is doubtful.
        """
        found: dict[str, Any] = self._get("/queue", labels=labels, **asked)
        return found

    def reviewed(self, image: str | None = None) -> list[dict[str, Any]]:
        """Return the fields of an image, or of all, that were looked through, by whom and when."""
        found: list[dict[str, Any]] = self._get("/reviewed", image=image)
        return found

    def say_reviewed(self, image: str, box: tuple[int, int, int, int], **more: Any) -> int:
        """Return the act that notes a field as looked through; ``done=False`` takes that back.

        ``labels_id`` says which labels were seen, so that newer ones are refused.
        """
        return self._act("/reviewed", {"image": image, "box": list(box), **more}, method="PUT")

    def maps(self, image: str | None = None, *, labels: str = "cells") -> list[dict[str, Any]]:
        """Return the maps of the newest review of labels, density and disagreement, each with its `values`."""
        found: list[dict[str, Any]] = self._get("/maps", image=image, labels=labels)
        for each in found:
            data = self._connection.ask("GET", self._path(f"/{each['pixels']}")).content
            each["values"] = np.frombuffer(data, "<f4").astype(np.float32).reshape(each["shape"])
        return found

    def regions(self, image: str | None = None) -> list[dict[str, Any]]:
        """Return the regions drawn on an image, or on all."""
        found: list[dict[str, Any]] = self._get("/regions", image=image)
        return found

    def put_regions(self, image: str, regions: Sequence[dict[str, Any]]) -> int:
        """Return the act by which an image has these regions (``name``, ``rectangle`` or ``polygon``) and no others."""
        return self._act("/regions", {"image": image, "regions": list(regions)}, method="PUT")

    def questions(self, labels: str | None = None, *, answered: bool = False) -> list[dict[str, Any]]:
        """Return where a human and a better model disagree, of one label image or of all."""
        found: list[dict[str, Any]] = self._get("/questions", labels=labels, answered=answered)
        return found

    def question(self, question: str) -> dict[str, Any]:
        """Return a question with the ids of its box by both: ``mine`` is the human's, ``theirs`` the new model's."""
        found: dict[str, Any] = self._get(f"/questions/{question}")
        return found

    def answer(
        self, question: str, answer: Literal["mine", "theirs"], *, base_version: int | None = None
    ) -> dict[str, Any]:
        """Return the act that answered a question, and the version of the labels; undoing it asks again.

        Raises
        ------
        EditConflict
            If somebody else changed the place since `base_version` of the labels.
        """
        body = {"answer": answer, "base_version": base_version, "session": self.session}
        found: dict[str, Any] = self._send(f"/questions/{question}/answer", body)
        return found

    def _edit(self, below: str, body: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = self._send(below, body)
        return found

    def _edit_of(self, labels: str, act: int) -> dict[str, Any]:
        found: dict[str, Any] = self._get(f"/labels/{labels}/edits/{act}")
        return found
