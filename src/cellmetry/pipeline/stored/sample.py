"""`add_sample`: a small generated experiment in a study: two conditions, three replicates, two fields each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.io.atomic import atomic_folder
from cellmetry.io.images import write_image
from cellmetry.ops.synthetic import Condition, FieldOptions, PlateField, PlateOptions, field_image, make_plate
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import image, say
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = ["SAMPLE_NAME", "add_sample"]

SAMPLE_NAME = "Sample study"
"""What a study is called that was made to try things."""
_PIXEL_SIZE_UM = 0.5
_CONDITIONS = (Condition(name="control"), Condition(name="treated", signal_factor=1.7, count_factor=0.75))
_DAYS = (1.0, 1.12, 0.91)
"""How bright the signal of each replicate is: days differ, as they do."""
_NOTES = (
    "Generated images to try things: 12 fields of two channels, DNA and signal, in two conditions on three days. "
    "Treated cells are fewer, and their signal is 1.7 times as bright."
)


class _Field(NamedTuple):
    name: str
    condition: str
    replicate: int
    field: PlateField


def add_sample(store: Store, actor: Actor) -> tuple[str, ...]:
    """Return the ids of generated images after adding them, their conditions and replicates said, and a note."""
    place = store.folder / "uploads" / new_name("upl")
    told: dict[str, _Field] = {}
    with atomic_folder(place) as made:
        for each in _fields():
            told[f"{each.name}.ome.tif"] = each
            shown = field_image(each.field.field, pixel_size_um=_PIXEL_SIZE_UM, name=each.name)
            write_image(shown, made / f"{each.name}.ome.tif")
    names: dict[Path, str] = {place / name: name for name in told}
    ids = register_images(store, actor, list(names), names=names)
    by_name = {each.name: each for each in told.values()}
    with store.database.write():
        seq = act(store, actor, "say", f"Say conditions and replicates of {len(ids)} images", images=list(ids))
        for image_id in ids:
            one = by_name[image(store, image_id).name]
            values = {"condition": one.condition, "replicate": str(one.replicate), "well": one.field.well}
            values |= {"batch": f"day {one.replicate}", "field": str(one.field.number)}
            say(store, seq, image_id, values)
        say(store, seq, "study", {"notes": _NOTES})
    return ids


def _fields() -> Iterator[_Field]:
    look = FieldOptions(touching=0.5)
    for number, brightness in enumerate(_DAYS, start=1):
        of_day = look.model_copy(update={"signal": look.signal * brightness})
        plate = PlateOptions(conditions=_CONDITIONS, repeats=1, fields=2, look=of_day)
        for each in make_plate(plate, seed=number):
            well = f"{chr(ord('A') + number - 1)}{each.well[1:]}"
            name = f"{well}_{each.condition}_day{number}_f{each.number}"
            yield _Field(name, each.condition, number, each._replace(well=well))
