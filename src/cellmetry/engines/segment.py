"""`segment`: an image to labels by any engine, and the step that names its parameters."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.image import Image
from cellmetry.core.labels import Labels
from cellmetry.core.parameters import check_type, parse_parameters
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.engines.base import Device, Engine, EngineNeeds, EngineSpec, LookupEngine, TileEngine, load_engine
from cellmetry.engines.maps import MapStore, record_maps
from cellmetry.engines.plane import Plane
from cellmetry.engines.sizes import scale_within
from cellmetry.engines.tiling import PlaneResult, label_plane
from cellmetry.errors import ParameterError, PixelSizeNeeded
from cellmetry.io.scratch import new_label_array
from cellmetry.models.card import Head
from cellmetry.ops.cleanup import Cleanup
from cellmetry.ops.label_checks import label_problems
from cellmetry.ops.project import project_sample, project_z
from cellmetry.ops.stitch import link_planes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Segment", "Segmentation", "planes_of", "segment", "segment_with"]

_NO_MAPS: Mapping[str, Image] = MappingProxyType({})


class Segment(Step):
    """Find objects: an engine, what to look at, how large objects are, and clean-up."""

    name: ClassVar[str] = "segment"

    engine: str = Field("cellmetry", description="Which engine finds the objects.")
    model: str | None = Field(
        None, description="Model of the engine, by name or path; cellmetry takes base if left out."
    )
    channel: str | None = Field(
        None,
        coerce_numbers_to_str=True,
        description="Channel to look at, by name or index; needed when there are several.",
    )
    diameter_um: float | None = Field(None, gt=0, description="Usual diameter of an object in µm.")
    diameter_px: float | None = Field(None, gt=0, description="Usual diameter of an object in pixels.")
    stack: Literal["planes", "max", "mean", "volume"] = Field(
        "planes",
        description="What to do with a Z stack: every plane for itself, its maximum or mean projection, or objects "
        "linked through the planes.",
    )
    link_iou: float = Field(
        0.25, gt=0, le=1, description="With stack=volume: least overlap (IoU) that links objects of two planes."
    )
    link_gap: int = Field(
        0, ge=0, le=1, description="With stack=volume: planes that an object may be missing in and go on."
    )
    labels: str = Field("cells", min_length=1, description="Name under which later steps find the result.")
    options: dict[str, Any] = Field(default_factory=dict, description="The engine's own options.")
    cleanup: Cleanup = Field(default_factory=Cleanup, description="What happens to the objects found.")
    tile_px: int = Field(1024, ge=64, le=16384, description="Side of the tiles in which large images are worked.")
    maps: tuple[Head, ...] = Field(
        (), description="Maps of the network to keep beside the labels: foreground, flow, density, boundary."
    )
    device: Device = Field("auto", exclude=True, description="Where the engine computes: auto, cpu or cuda.")

    @model_validator(mode="after")
    def _one_diameter(self) -> Segment:
        if self.diameter_um is not None and self.diameter_px is not None:
            raise ValueError("give the diameter in µm or in pixels, not both")
        return self

    def load_engine(self) -> Engine:
        """Return the engine, ready for work; the same one for the same choices, so that a batch loads a model once."""
        options = json.dumps(self.options, sort_keys=True)
        return _cached_engine(self.engine, self.model, self.device, options, _changed(self.model))

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the objects' labels added; after a projection, its image is the projection."""
        result = segment_with(self, sample.image, progress=progress)
        if self.stack in ("max", "mean"):
            sample = project_sample(sample, self.stack)
        sample = sample.with_labels(self.labels, result.labels).with_maps(dict(result.maps))
        scores = {} if result.unfamiliarity is None else {"unfamiliarity": result.unfamiliarity}
        return sample.with_warnings(*result.warnings).with_scores(scores)


class Segmentation(NamedTuple):
    """What came of an image.

    Parameters
    ----------
    warnings
        Plain sentences about what is doubtful in the labels.
    maps
        Those that were asked for.
    unfamiliarity
        How unlike what the engine has learnt from the image is: the highest of its planes; usual is up to 1. None if
        the engine cannot say.
    """

    labels: Labels
    warnings: tuple[str, ...]
    maps: Mapping[str, Image] = _NO_MAPS
    unfamiliarity: float | None = None


def segment(image: Image, *, progress: Progress = SILENT, **parameters: Any) -> Labels:
    """Return the labels of an image.

    Parameters
    ----------
    image
        What `open_image` or `image_from_array` returned.
    **parameters
        Fields of the step `Segment`, the same as in a recipe: ``engine``, ``channel``, ``diameter_um``, ….

    Raises
    ------
    UnknownName
        If a parameter, engine, model or channel does not exist.
    ParameterError
        If the image has several channels and none was named.
    PixelSizeNeeded
        If a parameter is in µm and the image's pixel size is unknown.
    """
    check_type(image, Image, "segment", "cm.open_image or cm.image_from_array")
    step = parse_parameters(Segment, parameters, where="segment")
    return segment_with(step, image, progress=progress).labels


def segment_with(step: Segment, image: Image, *, progress: Progress = SILENT) -> Segmentation:
    """Return the labels of an image by the choices of `step`, with warnings.

    Labels of large images lie in a temporary file, so that memory stays constant.
    """
    engine = step.load_engine()
    if isinstance(engine, LookupEngine):
        _refuse_unused(step)
        found = engine.lookup(image)
        return Segmentation(found, label_problems(found))
    if not isinstance(engine, TileEngine):
        raise ParameterError(f"The engine {step.engine} neither labels tiles nor finds finished labels.")
    if step.stack in ("max", "mean"):
        image = project_z(image, step.stack)
    if step.stack == "volume" and "Z" not in image.axes:
        raise ParameterError(f"{image.name} has the axes {image.axes}; stack=volume needs a Z axis.")
    axes = image.axes.replace("C", "")
    out = new_label_array([image.sizes[axis] for axis in axes], axes)
    store = MapStore(image, step.maps)
    engine = record_maps(engine, store) if step.maps else engine
    warnings, unfamiliarity = _label_planes(step, engine, image, out, progress)
    if step.stack == "volume":
        _link(out, step)
    linked = step.stack == "volume" if "Z" in axes else None
    return Segmentation(Labels(out, axes, image.pixel_size, linked), warnings, store.images(), unfamiliarity)


def _label_planes(
    step: Segment, engine: TileEngine, image: Image, out: Any, progress: Progress
) -> tuple[tuple[str, ...], float | None]:
    """Label every plane of the image into `out` and return the warnings, and the highest unfamiliarity."""
    cleanup = _cleanup_in_pixels(step.cleanup, image)
    warnings: dict[str, None] = {}
    scores: list[float] = []
    for plane in planes_of(step, engine, image):
        lead = tuple(index for axis, index in (("T", plane.t), ("Z", plane.z)) if axis in image.axes)
        target = out if not lead else PlaneOf(out, lead)
        result = label_plane(engine, plane, cleanup, target, tile=step.tile_px, progress=progress)
        warnings |= dict.fromkeys(_warnings(plane, result, lead))
        scores += [] if result.unfamiliarity is None else [result.unfamiliarity]
    return tuple(warnings), max(scores, default=None)


def planes_of(
    step: Segment, engine: TileEngine, image: Image, *, only: tuple[int, int] | None = None
) -> Iterator[Plane]:
    """Yield every plane of an image as the engine is given it, or the one at `only` (t, z); as `step` says.

    All are at one scale, so that the frames of a sequence and the planes of a stack are worked alike.
    """
    channels, grey = _choose_channels(step, engine, image)
    diameter = _in_pixels(step, image)
    looked: dict[tuple[int, int], Plane] = {}
    usual = diameter
    if diameter is None and engine.needs.diameters_px is not None:
        looked = {place: Plane(image, channels, *place, grey=grey) for place in _places_to_look(image)}
        found = (engine.usual_diameter(plane) for plane in looked.values())
        usual = next((each for each in found if each is not None), None)
    scale = _scale(engine.needs, usual)
    for t, z in [only] if only else product(range(image.sizes["T"]), range(image.sizes["Z"])):
        plane = looked.get((t, z)) or Plane(image, channels, t, z, grey=grey)
        yield replace(plane, scale=scale, diameter_px=diameter and diameter * scale)


def _places_to_look(image: Image) -> dict[tuple[int, int], None]:
    """Return where the usual size of objects is looked for: t and z of the image's middle, then at other times."""
    times, z = image.sizes["T"], image.sizes["Z"] // 2
    return dict.fromkeys((t, z) for t in (times // 2, times // 4, 3 * times // 4))


class PlaneOf:
    """One plane of a stack of labels, read and written as an array of its own."""

    def __init__(self, stack: Any, lead: tuple[int, ...]) -> None:
        self.stack, self.lead = stack, lead

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.stack.shape[-2:]
        return height, width

    def __getitem__(self, index: tuple[slice, slice]) -> Any:
        return self.stack[(*self.lead, *index)]

    def __setitem__(self, index: tuple[slice, slice], values: Any) -> None:
        self.stack[(*self.lead, *index)] = values


@lru_cache(maxsize=4)
def _cached_engine(name: str, model: str | None, device: Device, options: str, _model_changed: int) -> Engine:
    return load_engine(name, json.loads(options), EngineSpec(model, device))


def _changed(model: str | None) -> int:
    """Return when the file of a model was last changed, so that a model trained anew is loaded anew; 0 for a name."""
    path = Path(model or "")
    files = path.glob("*.onnx") if model and path.is_dir() else [path] if path.is_file() else []
    return max((file.stat().st_mtime_ns for file in files), default=0)


def _refuse_unused(step: Segment) -> None:
    """Refuse choices that an engine which looks labels up cannot honour."""
    unused = ("channel", "diameter_um", "diameter_px", "stack", "cleanup", "maps")
    given = [
        name
        for name in unused
        if getattr(step, name) != Segment.model_fields[name].get_default(call_default_factory=True)
    ]
    if given:
        raise ParameterError(
            f"The engine {step.engine} takes labels as they are and has no use for {', '.join(given)}."
        )


def _choose_channels(step: Segment, engine: TileEngine, image: Image) -> tuple[tuple[int, ...], bool]:
    """Return the channels that the engine is given, and whether they are mixed to grey."""
    count = image.sizes["C"]
    if step.channel is not None:
        return (image.channel_index(step.channel),), False
    if image.colour:
        return tuple(range(count)), not engine.takes_colour
    if count > 1:
        names = ", ".join(f"{index} ({name})" for index, name in enumerate(image.channel_names))
        raise ParameterError(
            f"{image.name} has {count} channels; say which one to look at with channel (in a recipe: segment.channel; "
            f"in a job's look: look.channel), by its name or number: {names}."
        )
    return (0,), False


def _scale(needs: EngineNeeds, diameter_px: float | None) -> float:
    """Return working pixels per pixel of an image whose objects are usually so large."""
    if diameter_px is None:
        return 1.0
    if needs.diameter_px is not None:
        return needs.diameter_px / diameter_px
    if needs.diameters_px is not None:
        return scale_within(needs.diameters_px, diameter_px)
    return 1.0


def _in_pixels(step: Segment, image: Image) -> float | None:
    if step.diameter_um is None:
        return step.diameter_px
    if image.pixel_size.mean_um is None:
        raise PixelSizeNeeded("diameter_um", image.name)
    return step.diameter_um / image.pixel_size.mean_um


def _cleanup_in_pixels(cleanup: Cleanup, image: Image) -> Cleanup:
    """Return the clean-up with its limits in µm² turned to pixels."""
    changes: dict[str, float] = {}
    for side in ("min", "max"):
        limit = getattr(cleanup, f"{side}_area_um2")
        if limit is None:
            continue
        if getattr(cleanup, f"{side}_area_px") is not None:
            raise ParameterError(f"Give {side}_area in µm² or in pixels, not both.")
        if image.pixel_size.area_um2 is None:
            raise PixelSizeNeeded(f"{side}_area_um2", image.name)
        changes[f"{side}_area_px"] = limit / image.pixel_size.area_um2
    return cleanup.model_copy(update=changes)


def _warnings(plane: Plane, result: PlaneResult, lead: tuple[int, ...]) -> list[str]:
    where = f"plane {lead} of " if lead else ""
    unfamiliar = result.unfamiliarity is not None and result.unfamiliarity > 1
    found = [*result.doubts] if result.objects or unfamiliar else []
    if result.invalid:
        found.append(
            f"{where}{plane.image.name} has {result.invalid} pixels that are NaN or infinite; they are ignored."
        )
    if result.cut:
        found.append(
            f"{result.cut} objects in {where}{plane.image.name} are larger than a tile can read and may be cut; "
            f"use a larger tile_px."
        )
    return found


def _link(out: Any, step: Segment) -> None:
    """Give the objects of each volume in `out` (…ZYX) ids that run through its planes."""
    for lead in np.ndindex(*out.shape[:-3]):
        planes = (np.asarray(out[(*lead, z)]) for z in range(out.shape[-3]))
        for z, linked in enumerate(link_planes(planes, min_iou=step.link_iou, max_gap=step.link_gap)):
            out[(*lead, z)] = linked
