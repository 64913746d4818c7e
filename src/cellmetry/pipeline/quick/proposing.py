"""`propose`: a cell at a point of an image of a study, from the maps of its network, which stay warm."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from pydantic import Field

from cellmetry.core.image import Box
from cellmetry.core.step import Parameters
from cellmetry.engines.network import NetworkEngine
from cellmetry.engines.segment import Segment, planes_of
from cellmetry.engines.tiling import read_stretched, stretch_limits
from cellmetry.errors import InputError, ModelError, ParameterError
from cellmetry.export.tracing import trace_labels
from cellmetry.ops.project import project_z
from cellmetry.ops.proposing import propose_cell
from cellmetry.ops.resample import working_index
from cellmetry.pipeline.quick.fields import open_field
from cellmetry.pipeline.recipe import Recipe
from cellmetry.pipeline.stored.looked_at import segment_step_of
from cellmetry.pipeline.stored.recipes import with_models_of_study
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.labels import LabelSet, label_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.ops.flows import FlowDecoding
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = ["NothingThere", "Proposal", "ProposalRequest", "propose"]

_GRID_PX = 256
"""Points in one square of this side share a field, in working pixels."""
_WINDOW_PX = 160
"""How far round a point is decoded, in working pixels."""
_MOST_FIELDS = 24
_FEWEST = 5
_SAME_SIZE = 0.1
_MOST_DIAMETERS = 256


class NothingThere(InputError):
    """The network sees no cell at a point."""


class ProposalRequest(Parameters):
    """A point of one plane of labels; pixel (0, 0) covers [0, 1) × [0, 1)."""

    y: float = Field(ge=0, le=2**31)
    x: float = Field(ge=0, le=2**31)
    t: int = Field(default=0, ge=0, le=2**31)
    z: int = Field(default=0, ge=0, le=2**31)
    radius: float = Field(default=6.0, ge=0, le=200)
    """How far from the point the cell may begin, in pixels."""
    channel: str | None = Field(default=None, min_length=1, max_length=200)
    """Channel to look at, by name or index; that in which the labels were found if left out."""


@dataclass(frozen=True)
class Proposal:
    """A cell that is proposed.

    Parameters
    ----------
    outline
        Corners (y, x) along the sides of pixels, without holes: drawing it gives the same pixels.
    score
        From 0 to 1.
    """

    outline: NDArray[np.int64]
    box: Box
    area_px: int
    score: float


class _Field(NamedTuple):
    """Maps of a part of a plane, at the scale of the network."""

    box: Box
    scale: float
    maps: dict[str, NDArray[np.float32]]
    decoding: FlowDecoding

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in working pixels."""
        height, width = self.maps["foreground"].shape[1:]
        return height, width


_FIELDS: OrderedDict[tuple[Any, ...], _Field] = OrderedDict()
_DIAMETERS: OrderedDict[tuple[str, int], float | None] = OrderedDict()
"""Of labels at a version."""


def propose(store: Store, labels_id: str, request: ProposalRequest) -> Proposal:
    """Return the cell at a point that has no label yet.

    Raises
    ------
    NothingThere
        If there is a label already, or the network sees no cell.
    ModelError
        If the study's model finds no cells.
    """
    labels = label_set(store, labels_id)
    labels.check_plane(request.t, request.z)
    height, width = labels.plane_shape
    row, column = floor(request.y), floor(request.x)
    if not (row < height and column < width):
        raise ParameterError(f"The point {request.y:g}, {request.x:g} is not in a plane of {height} × {width} pixels.")
    stored = image_of(store, labels.image_id)
    step = _step(store, labels, stored, request.channel)
    field = _field(store, stored, labels, step, (request.t, request.z, row, column))
    taken = read_window(store, labels, request.t, request.z, field.box) > 0
    if taken[row - field.box.y0, column - field.box.x0]:
        raise NothingThere("There is a cell already at this point; choose one that has no label yet.")
    mask, score = _found(field, taken, (row, column), request.radius)
    return _outlined(mask, field.box, score)


def _step(store: Store, labels: LabelSet, image: StoredImage, channel: str | None) -> Segment:
    """Return the step whose network is asked, objects of the usual size of the labels."""
    step = segment_step_of(store, labels, image, channel)
    if step.diameter_um is None and step.diameter_px is None:
        step = step.model_copy(update={"diameter_px": _known_diameter(store, labels)})
    [ready] = with_models_of_study(store, Recipe("propose", (step,))).steps
    return cast("Segment", ready)


def _known_diameter(store: Store, labels: LabelSet) -> float | None:
    """Return the usual diameter of labels as they are; edits that hardly change it keep it, and so the warm maps."""
    key = (labels.id, labels.version)
    if key not in _DIAMETERS:
        now = _usual_diameter(store, labels)
        before = next((size for (each, _), size in reversed(_DIAMETERS.items()) if each == labels.id), None)
        same = now is not None and before is not None and abs(now - before) <= _SAME_SIZE * before
        _DIAMETERS[key] = before if same else now
        while len(_DIAMETERS) > _MOST_DIAMETERS:
            _DIAMETERS.popitem(last=False)
    return _DIAMETERS[key]


def _usual_diameter(store: Store, labels: LabelSet) -> float | None:
    """Return the median diameter of objects, so that one huge object does not matter; None if there are too few."""
    rows = store.database.rows("SELECT area_px FROM objects WHERE labels_id = ? LIMIT 5000", (labels.id,))
    areas = [row["area_px"] for row in rows]
    return float(2 * np.sqrt(np.median(areas) / np.pi)) if len(areas) >= _FEWEST else None


def _field(store: Store, image: StoredImage, labels: LabelSet, step: Segment, at: tuple[int, int, int, int]) -> _Field:
    """Return the maps round a point; of a point near to one that was asked for before, those are there already."""
    t, z, row, column = at
    engine = step.load_engine()
    if not isinstance(engine, NetworkEngine) or not engine.card.segments:
        raise ModelError("The study's model finds no cells; activate one that does.")
    side = _side(step, engine, image)
    square = (row // side, column // side)
    sha = engine.card.sha256
    key = (str(store.folder), image.id, sha, step.channel, step.stack, step.diameter_px, step.diameter_um, t, z, square)
    found = _FIELDS.pop(key, None) or _mapped(store, image, labels, step, (t, z, *square, side))
    _FIELDS[key] = found
    while len(_FIELDS) > _MOST_FIELDS:
        _FIELDS.popitem(last=False)
    return found


def _side(step: Segment, engine: NetworkEngine, image: StoredImage) -> int:
    """Return the side of a square of points that share a field, in pixels of the image."""
    pixel_um = image.header["pixel_size_um"].get("x")
    diameter = step.diameter_px or (step.diameter_um / pixel_um if step.diameter_um and pixel_um else None)
    limits = engine.needs.diameters_px
    if diameter is None or limits is None:
        return _GRID_PX
    return ceil(_GRID_PX * diameter / min(max(diameter, limits[0]), limits[1]))


def _mapped(
    store: Store, image: StoredImage, labels: LabelSet, step: Segment, at: tuple[int, int, int, int, int]
) -> _Field:
    t, z, row, column, side = at
    reach = ceil(_WINDOW_PX * side / _GRID_PX)
    height, width = labels.plane_shape
    box = Box(
        max(0, row * side - reach),
        min(height, (row + 1) * side + reach),
        max(0, column * side - reach),
        min(width, (column + 1) * side + reach),
    )
    projected = step.stack in {"max", "mean"}
    opened = open_field(store, image, box, t, None if projected else [z])
    if projected and "Z" in opened.axes:
        opened = project_z(opened, "mean" if step.stack == "mean" else "max")
    engine = cast("NetworkEngine", step.load_engine())
    [plane] = planes_of(step.model_copy(update={"stack": "planes"}), engine, opened, only=(0, 0))
    engine.check_channels(plane)
    whole = Box(0, plane.shape[0], 0, plane.shape[1])
    maps = engine.predict_maps(read_stretched(plane, whole, stretch_limits(engine, plane)))
    return _Field(box, plane.scale, maps, engine.decoding)


def _found(
    field: _Field, taken: NDArray[np.bool_], at: tuple[int, int], radius: float
) -> tuple[NDArray[np.bool_], float]:
    """Return the cell as a mask of the field in the image's own pixels, and its score."""
    rows = working_index(0, field.box.shape[0], field.shape[0], field.scale)
    columns = working_index(0, field.box.shape[1], field.shape[1], field.scale)
    y, x = int(rows[at[0] - field.box.y0]), int(columns[at[1] - field.box.x0])
    window = Box(
        max(0, y - _WINDOW_PX),
        min(field.shape[0], y + _WINDOW_PX),
        max(0, x - _WINDOW_PX),
        min(field.shape[1], x + _WINDOW_PX),
    )
    maps = {head: np.ascontiguousarray(values[:, *window.slices]) for head, values in field.maps.items()}
    small = np.zeros(field.shape, np.bool_)
    used = np.nonzero(taken)
    small[rows[used[0]], columns[used[1]]] = True
    point = (y - window.y0, x - window.x0)
    small[y, x] = False
    reach = max(1, ceil(radius * field.scale))
    found = propose_cell(maps, point, small[window.slices], field.decoding, reach_px=reach)
    if found is None:
        raise NothingThere("The network sees no cell here; draw it with the brush.")
    working = np.zeros(field.shape, np.bool_)
    working[window.slices] = found.mask
    mask = working[rows][:, columns] & ~taken
    if not mask.any():
        raise NothingThere("All of the cell here has labels already.")
    return mask, found.score


def _outlined(mask: NDArray[np.bool_], box: Box, score: float) -> Proposal:
    """Return the largest part of a mask as an outline."""
    [(_, parts)] = trace_labels(mask.astype(np.uint32)).polygons()
    rings = max(parts, key=lambda part: _ring_area(part[0]))
    ring = np.add(rings[0][:, ::-1], (box.y0, box.x0), dtype=np.int64)
    (y0, x0), (y1, x1) = ring.min(axis=0).tolist(), ring.max(axis=0).tolist()
    return Proposal(ring, Box(y0, y1, x0, x1), round(_ring_area(rings[0])), score)


def _ring_area(ring: NDArray[Any]) -> float:
    x, y = ring[:, 0].astype(np.float64), ring[:, 1].astype(np.float64)
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)
