"""Which tile a path asks for, and what is known of it without decoding anything."""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from cellmetry.errors import DamagedFile, MissingInput, ParameterError
from cellmetry.io.tile_store import frame_checksum, tile_store
from cellmetry.study.store.images import image
from cellmetry.study.store.labels import TILE, LabelSet, Tile, label_set
from cellmetry.study.store.tile_states import as_now, tile_at, tile_now

if TYPE_CHECKING:
    from cellmetry.io.tile_store import TileStore
    from cellmetry.study.store.database import Database
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store
    from cellmetry.study.store.tile_states import TileState

__all__ = ["EPOCH", "FoundTile", "TileRequest", "find_at_once", "find_tile", "parse_path", "pyramid_of"]

EPOCH = "[0-9a-f]{8}"
"""Pattern of the word for one opening of a study."""
_ID = "[a-z]+_[0-9a-f]{16}"
_NUMBER = "[0-9]{1,9}"
_PATH = re.compile(
    rf"/api/v1/studies/(?P<study>{_ID})/(?P<kind>images|labels)/(?P<id>{_ID})/tiles/"
    rf"(?P<place>{_NUMBER}(?:/{_NUMBER}){{4,5}})"
)
_VERSION = re.compile(rb"(?:^|&)version=([^&]*)")
_EPOCH = re.compile(rb"(?:^|&)epoch=([^&]*)")
_EPOCH_TEXT = re.compile(EPOCH)
# what never changes of an open study's images and labels, as long as it is open
_LABELS: WeakKeyDictionary[Database, dict[str, LabelSet]] = WeakKeyDictionary()
_PYRAMIDS: WeakKeyDictionary[Database, dict[str, TileStore]] = WeakKeyDictionary()
_RECENT: WeakKeyDictionary[Database, dict[TileRequest, FoundTile]] = WeakKeyDictionary()
_KEEPING = Lock()
_MOST, _SMALL = 1024, 32_000
_UINT32 = np.dtype("<u4")


class TileRequest(NamedTuple):
    """A tile that is asked for.

    Parameters
    ----------
    place
        Level, frame, channel (of images only), plane, row and column of tiles.
    version
        Of labels; the present one if None.
    epoch
        In which the version was heard of; empty if that is not said.
    """

    study: str
    kind: str
    id: str
    place: tuple[int, ...]
    version: int | None = None
    epoch: str = ""


class FoundTile(NamedTuple):
    """A tile before it is sent.

    Parameters
    ----------
    frame
        Its zstd frame; None where all of a tile of labels is 0.
    tag
        Text that is another when its pixels are.
    for_ever
        Whether its pixels can never be others at this address.
    version
        Of the labels now; None for images.
    """

    frame: bytes | None
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    tag: str
    for_ever: bool
    version: int | None = None


def parse_path(path: str, query: bytes) -> TileRequest | None:
    """Return what a path below the server's root asks for, None if it is not the path of a tile.

    Raises
    ------
    ParameterError
        If the version is no whole number, or the epoch no such word.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    place = tuple(map(int, match["place"].split("/")))
    if len(place) != (6 if match["kind"] == "images" else 5):
        return None
    version, epoch = None, ""
    if query and match["kind"] == "labels":
        version, epoch = _version(query), _epoch(query)
    return TileRequest(match["study"], match["kind"], match["id"], place, version, epoch)


def find_tile(store: Store, asked: TileRequest) -> FoundTile:
    """Return the tile that is asked for.

    Raises
    ------
    UnknownName
        If there is no such image or label image.
    MissingInput
        If the image was not read yet.
    DamagedFile
        If the tile is lost.
    ParameterError
        If there is no such tile or version.
    """
    return _of_image(store, asked) if asked.kind == "images" else _of_labels(store, asked)


def find_at_once(store: Store, asked: TileRequest) -> FoundTile | None:
    """Return the tile that is asked for if it lies on the disk, None if edits have to be done or taken back for it.

    Raises
    ------
    CellmetryError
        As `find_tile`.
    """
    if asked.kind == "images":
        return _of_image(store, asked)
    if asked.version is None:
        return _read_labels(store, asked)
    known = _RECENT.get(store.database, {}).get(asked)
    if known is not None:
        return known
    labels = _lasting(store, asked.id)
    state = tile_now(store, labels, Tile(*asked.place))
    return _kept(store, asked, _found(labels, asked, state, store.epoch)) if as_now(state, asked.version) else None


def pyramid_of(store: Store, found: StoredImage) -> TileStore:
    """Return the tiles of an image.

    Raises
    ------
    MissingInput
        If the image was not read yet, or could not be.
    """
    if found.pyramid is None or found.state != "ready":
        why = f"could not be read: {found.reason}" if found.state == "failed" else "is being read; ask again"
        raise MissingInput(f"There are no tiles of {found.name} yet: it {why.rstrip('.')}.")
    return tile_store(store.folder / found.pyramid)


def _of_image(store: Store, asked: TileRequest) -> FoundTile:
    tiles = _tiles_of_image(store, asked.id)
    level, t, c, z, y, x = asked.place
    lead = {"T": t, "C": c, "Z": z}
    axes = tiles.axes[:-2]
    if any(index and axis not in axes for axis, index in lead.items()):
        raise ParameterError(f"There is no plane t={t}, c={c}, z={z}; the image has the axes {tiles.axes}.")
    place = (*(lead[axis] for axis in axes), y, x)
    frame = tiles.frame(level, place)
    if frame is None:  # every tile of an image has a file, also one that is all 0
        at, name = "/".join(map(str, asked.place)), image(store, asked.id).name
        raise DamagedFile(
            f"Tile {at} of the image {name} is missing on the disk; "
            f"`cellmetry study repair`, or a job `read` of the image, makes it again from the original."
        )
    found = tiles.levels[level]
    return FoundTile(frame, found.tile[-2:], found.dtype, asked.id, for_ever=True)


def _of_labels(store: Store, asked: TileRequest) -> FoundTile:
    if asked.version is None:
        return _read_labels(store, asked)
    known = _RECENT.get(store.database, {}).get(asked)
    return known or _kept(store, asked, _read_labels(store, asked))


def _kept(store: Store, asked: TileRequest, found: FoundTile) -> FoundTile:
    """Return a tile of labels of a version that was named; small ones are kept, as they never change."""
    if found.frame is None or len(found.frame) <= _SMALL:
        with _KEEPING:
            known = _RECENT.setdefault(store.database, {})
            known[asked] = found
            if len(known) > _MOST:
                known.pop(next(iter(known)))
    return found


def _read_labels(store: Store, asked: TileRequest) -> FoundTile:
    labels = _lasting(store, asked.id)
    tile = Tile(*asked.place)
    state = tile_now(store, labels, tile) if asked.version is None else tile_at(store, labels, tile, asked.version)
    return _found(labels, asked, state, store.epoch)


def _found(labels: LabelSet, asked: TileRequest, state: TileState, epoch: str) -> FoundTile:
    level = asked.place[0]
    height, width = labels.plane_shape
    shape = (min(TILE, -(-height // (1 << level))), min(TILE, -(-width // (1 << level))))
    tag = f"{labels.id}.{frame_checksum(state.frame)}"
    for_ever = asked.version is not None and asked.epoch == epoch
    return FoundTile(state.frame, shape, _UINT32, tag, for_ever, state.version)


def _lasting(store: Store, labels_id: str) -> LabelSet:
    """Return a label image of which only what never changes is used: axes, shape, levels."""
    known = _LABELS.setdefault(store.database, {})
    found = known.get(labels_id)
    if found is None:
        found = known[labels_id] = label_set(store, labels_id)
    return found


def _tiles_of_image(store: Store, image_id: str) -> TileStore:
    """Return the tiles of an image; an image that was read never gets others."""
    known = _PYRAMIDS.setdefault(store.database, {})
    found = known.get(image_id)
    if found is None:
        found = known[image_id] = pyramid_of(store, image(store, image_id))
    return found


def _version(query: bytes) -> int | None:
    match = _VERSION.search(query)
    if match is None:
        return None
    text = match[1].decode("latin-1")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ParameterError("version: it is a whole number, 0 for the first.")
    return int(text)


def _epoch(query: bytes) -> str:
    match = _EPOCH.search(query)
    if match is None:
        return ""
    text = match[1].decode("latin-1")
    if not _EPOCH_TEXT.fullmatch(text):
        raise ParameterError("epoch: it is the word that the description of the tiles says.")
    return text
