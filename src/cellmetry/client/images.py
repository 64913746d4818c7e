"""Images of a study on a server: bring them, say what they are, read their pixels and originals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.client.part import StudyPart
from cellmetry.client.pixels import Window, read_planes, read_tiles
from cellmetry.client.sending import open_files
from cellmetry.core.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress

__all__ = ["ImageVerbs"]

_BESIDE = ("pixel_size_um", "pixel_size_y_um", "pixel_size_z_um", "channel_names")


class ImageVerbs(StudyPart):
    """What may be done with images."""

    def upload(
        self, *paths: str | Path | Iterable[str | Path], progress: Progress = SILENT, **reading: Any
    ) -> list[dict[str, Any]]:
        """Return the images that files of this computer became; `reading` says what the files do not.

        All of them become images, or none. `progress` hears the bytes that were sent. Paths stand one beside the other,
        or in a list.
        """
        with open_files("files", _each_path(paths), progress) as files:
            path = self._path("/images")
            answer = self._connection.ask(
                "POST", path, files=files, data={"reading": json.dumps(reading)}, timeout=None
            )
        found: list[dict[str, Any]] = answer.json()
        return found

    def register(self, *paths: str | Path | Iterable[str | Path], **reading: Any) -> list[dict[str, Any]]:
        """Return the images that files and folders of the server's computer became, by reference."""
        body = {"paths": [str(path) for path in _each_path(paths)], "reading": reading}
        found: list[dict[str, Any]] = self._send("/images/register", body)
        return found

    def images(
        self, *, state: str | None = None, name: str | None = None, sort: str | None = None
    ) -> list[dict[str, Any]]:
        """Return all images, or those in one state (new, ready, failed), or with a text in their name.

        `sort` is seq (as they came) or name, with ``-`` before it the other way round.
        """
        return self._all("/images", state=state, name=name, sort=sort)

    def image(self, image: str) -> dict[str, Any]:
        """Return one image by its id: its header, what was said of it, its labels."""
        found: dict[str, Any] = self._get(f"/images/{image}")
        return found

    def say_of_images(self, images: Sequence[str], **values: Any) -> int:
        """Return the act by which something is said of images: ``condition="control", replicate="1"``.

        ``pixel_size_um``, ``pixel_size_y_um`` (the height, where pixels are no squares), ``pixel_size_z_um`` and
        ``channel_names`` say what the files do not.
        """
        own = {name: values.pop(name) for name in _BESIDE if name in values}
        return self._act("/images", {"images": list(images), "values": values, **own}, method="PATCH")

    def read_images_again(self, images: Sequence[str], **reading: Any) -> list[str]:
        """Return the new ids of images that are read again as they are said to be: ``axes``, ``rgb``, pixel sizes.

        ``axes=None`` says that they are as the files say. Images that would be read as they are stay as they are.
        """
        told: dict[str, Any] = self._send("/images/read-again", {"images": list(images), **reading})
        return list(told["images"])

    def remove_images(self, images: Sequence[str]) -> int:
        """Return the act that hid images; undoing it brings them back."""
        return self._act("/images/remove", {"images": list(images)})

    def originals(self, image: str) -> list[dict[str, Any]]:
        """Return the files of an image, and whether they are there."""
        found: list[dict[str, Any]] = self._get(f"/images/{image}/originals")
        return found

    def download_original(self, image: str, file: str, to: str | Path) -> Path:
        """Return `to` after an original was written there."""
        return self._connection.download(self._path(f"/images/{image}/originals/{file}"), Path(to))

    def thumbnail(self, image: str, *, side: int = 192, labels: str | None = None) -> bytes:
        """Return a small WebP picture of an image, with labels drawn over it if they are given."""
        path = self._path(f"/images/{image}/thumbnail")
        params = {"side": side, **({} if labels is None else {"labels": labels})}
        return self._connection.ask("GET", path, params=params).content

    def preview(self, image: str, **wanted: Any) -> dict[str, Any]:
        """Return what a recipe finds in a field of an image: ``box``, ``t``, ``z``, ``recipe``, ``set``, ….

        Nothing is kept in the study. Each of ``seen`` has its ids as an array, ``ids``.
        """
        return self._previewed("/preview", {"image": image, **wanted})

    def preview_masks(self, image: str, labels: str, target: str, **wanted: Any) -> dict[str, Any]:
        """Return the masks of a target, and a reference, in a field of an image: ``reference``, ``plan``, ``box``, ….

        Nothing is kept in the study. Each of ``seen`` has the ids of the cells to which its pixels count, ``ids``; the
        map of the ratio has ``values``.
        """
        return self._previewed("/preview/masks", {"image": image, "labels": labels, "target": target, **wanted})

    def _previewed(self, path: str, wanted: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._send(path, wanted)
        y0, y1, x0, x1 = found["box"]
        for number, each in enumerate(found["seen"]):
            data = self._connection.ask("GET", self._path(f"/preview/{found['id']}/{number}")).content
            pixels = np.frombuffer(data, "<f4" if each["kind"] == "map" else "<u4").reshape(y1 - y0, x1 - x0)
            each["values" if each["kind"] == "map" else "ids"] = pixels.copy()
        return found

    def preview_count(self, image: str, **wanted: Any) -> dict[str, Any]:
        """Return how many cells a field of an image shows: ``box``, ``t``, ``z``, ``look``, ``labels``, ….

        Nothing is kept in the study. Each of ``layers`` has its ids or values as an array, ``values``.
        """
        found: dict[str, Any] = self._send("/preview/count", {"image": image, **wanted})
        for number, each in enumerate(found["layers"]):
            data = self._connection.ask("GET", self._path(f"/preview/{found['id']}/{number}")).content
            dtype = "<u4" if each["kind"] == "cells" else "<f4"
            each["values"] = np.frombuffer(data, dtype).reshape(each["shape"])
        return found

    def missing_originals(self) -> list[dict[str, Any]]:
        """Return the files of images that are not where they were, each with the names of its ``images``."""
        found: list[dict[str, Any]] = self._get("/originals/missing")
        return found

    def relink(self, folder: str | Path) -> list[str]:
        """Return the ids of missing originals that were found in a folder of the server's computer."""
        found: list[str] = self._send("/originals/relink", {"path": str(folder)})
        return found

    def pixels(
        self, image: str, *, channel: int = 0, t: int = 0, z: int = 0, level: int = 0, window: Window | None = None
    ) -> NDArray[Any]:
        """Return pixels of one channel of a plane, shape (Y, X), as they are in the file."""
        path = self._path(f"/images/{image}/tiles")
        return read_tiles(self._connection, path, (t, channel, z), level=level, window=window)

    def all_pixels(self, image: str) -> NDArray[Any]:
        """Return all pixels of an image with the axes that its header states, as they are in the file."""
        return read_planes(self._connection, self._path(f"/images/{image}/tiles"), "TCZ")


def _each_path(given: Iterable[str | Path | Iterable[str | Path]]) -> list[str | Path]:
    """Return paths that were given one beside the other, or in lists."""
    each = ([path] if isinstance(path, str | Path) else list(path) for path in given)
    return [path for paths in each for path in paths]
