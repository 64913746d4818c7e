"""OME-Zarr 0.4 and 0.5: images, plates (a scene per field) and bioformats2raw series; local folders and URLs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import zarr
from zarr.errors import BaseZarrError

from cellmetry.errors import DamagedFile, InputError, UnsupportedFormat
from cellmetry.io.failures import file_name
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.omezarr_metadata import multiscale_axes, omero_channels, pixel_size, place_on_plate
from cellmetry.io.readers.zarr_store import ZarrStore, absent_chunks
from cellmetry.io.signatures import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.io.signatures import Probe

__all__ = ["OmeZarrReader"]

_VERSIONS = {"0.4", "0.5"}


class OmeZarrReader:
    """An OME-Zarr group, or a bare Zarr array."""

    title: ClassVar[str] = "OME-Zarr"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the folder has Zarr's metadata files."""
        return SIGNATURES["omezarr"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return one scene per image: the group itself, the fields of a plate, or the series it lists."""
        try:
            node = zarr.open(path, mode="r")
        except BaseZarrError as error:
            raise DamagedFile(f"{file_name(path)} has Zarr metadata that cannot be read: {error}.") from error
        if isinstance(node, zarr.Array):
            return [_bare_array(path, node)]
        plate = _ome(node, file_name(path)).get("plate")
        scenes = [(place, _image(path, node, place)) for place in _places(node, file_name(path))]
        if plate is None:
            return [scene for _, scene in scenes]
        return [replace(scene, metadata=place_on_plate(plate, place, file_name(path))) for place, scene in scenes]


def _ome(group: zarr.Group, name: str) -> dict[str, Any]:
    """Return the OME attributes of a group, of version 0.5 or 0.4.

    Raises
    ------
    UnsupportedFormat
        If they are of another version.
    """
    attributes = dict(group.attrs)
    ome = attributes.get("ome", attributes)
    if not isinstance(ome, dict):
        raise DamagedFile(f"{name} has OME attributes that are no object.")
    multiscales = ome.get("multiscales") or [{}]
    stated = ome.get("version") or multiscales[0].get("version") or ome.get("plate", {}).get("version") or "0.4"
    if str(stated) not in _VERSIONS:
        raise UnsupportedFormat(f"{name} is OME-Zarr {stated}; versions 0.4 and 0.5 are read.")
    return ome


def _places(group: zarr.Group, name: str) -> list[str]:
    """Return the paths of the images inside a group, the group itself being ``""``."""
    ome = _ome(group, name)
    if "multiscales" in ome:
        return [""]
    if "plate" in ome:
        return [place for well in ome["plate"]["wells"] for place in _fields(group, well["path"], name)]
    if "bioformats2raw.layout" in ome:
        return _series(group, name)
    raise UnsupportedFormat(f"{name} is a Zarr group without OME metadata of an image, a plate or series.")


def _fields(plate: zarr.Group, well: str, name: str) -> list[str]:
    _inside(well, name)
    fields = _ome(_group(plate, well, name), name).get("well", {}).get("images", [])
    return [f"{well}/{field['path']}" for field in fields]


def _series(group: zarr.Group, name: str) -> list[str]:
    if "OME" in group:
        listed = _ome(_group(group, "OME", name), name).get("series")
        if listed:
            return [str(place) for place in listed]
    found = sorted((key for key in group.group_keys() if key.isdigit()), key=int)
    return list(found)


def _inside(place: str, name: str) -> None:
    """Refuse a path that leaves the group.

    Raises
    ------
    InputError
        If it does.
    """
    if place.startswith(("/", "\\")) or ".." in place.replace("\\", "/").split("/") or ":" in place:
        raise InputError(f"{name} refers to {place!r} outside itself; it is refused.")


def _group(parent: zarr.Group, place: str, name: str) -> zarr.Group:
    found = parent.get(place)
    if not isinstance(found, zarr.Group):
        raise DamagedFile(f"{name} lists an image group {place!r} that is not there.")
    return found


def _image(path: str, root: zarr.Group, place: str) -> StoredScene:
    """Return the scene of one multiscale image."""
    name = file_name(path)
    _inside(place, name)
    group = _group(root, place, name) if place else root
    ome = _ome(group, name)
    if not ome.get("multiscales"):
        raise DamagedFile(f"{name} has no multiscale image at {place or 'its root'!r}.")
    multiscale: Mapping[str, Any] = ome["multiscales"][0]
    datasets = multiscale["datasets"]
    arrays = [_array(group, str(dataset["path"]), name) for dataset in datasets]
    axes = multiscale_axes(multiscale)
    if len(axes) != arrays[0].ndim:
        raise DamagedFile(f"{name} names {len(axes)} axes for an array of shape {arrays[0].shape}.")
    paths = tuple("/".join(part for part in (place, str(dataset["path"])) if part) for dataset in datasets)
    store = ZarrStore(path, paths, arrays, axes)
    return StoredScene(
        store,
        axes,
        name=place or str(multiscale.get("name") or ""),
        channels=omero_channels(ome),
        pixel_size=pixel_size(multiscale, axes),
        warnings=absent_chunks(path, arrays[0], name),
    )


def _array(group: zarr.Group, place: str, name: str) -> Any:
    _inside(place, name)
    found = group.get(place)
    if not isinstance(found, zarr.Array):
        raise DamagedFile(f"{name} lists an array {place!r} that is not there.")
    return found


def _bare_array(path: str, array: Any) -> StoredScene:
    names = getattr(array.metadata, "dimension_names", None) or ()
    letters = "".join(str(part).upper() if part and len(str(part)) == 1 else "Q" for part in names)
    axes = letters or ("YX" if array.ndim == 2 else "Q" * array.ndim)
    return StoredScene(
        ZarrStore(path, ("",), [array], axes), axes, warnings=absent_chunks(path, array, file_name(path))
    )
