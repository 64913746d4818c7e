"""For which counters a calibration holds: the engine and model that it names, finding cells as when it was made.

A model is calibrated as it comes: by its card's decoding, without clean-up, on planes of whole images, at the scale
that it finds itself. With other choices its counts are another counter's, whose errors nobody has ranked. A
calibration from elsewhere is its giver's word for the choices of the run, but for no other engine or model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.counting.step import Count
from cellmetry.engines.base import LookupEngine
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.network import NetworkEngine, NetworkOptions
from cellmetry.engines.segment import Segment
from cellmetry.errors import ParameterError
from cellmetry.models.count_calibration import CountedBy
from cellmetry.ops.cleanup import Cleanup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cellmetry.core.step import Step
    from cellmetry.engines.base import Engine
    from cellmetry.models.card import ModelCard
    from cellmetry.models.count_calibration import CountCalibration

__all__ = ["counted_by", "with_checked_calibrations", "with_own_calibration"]


def counted_by(engine: Engine) -> CountedBy:
    """Return what an engine is to a calibration: its name, and its model with the hash of the weights if it has one."""
    if isinstance(engine, NetworkEngine):
        return CountedBy(engine=engine.name, model=engine.card.name, sha256=engine.card.sha256)
    return CountedBy(engine=engine.name, model=engine.spec.model)


def with_own_calibration(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of a recipe in which a `Count` without a calibration has that of its model, if there is one."""
    found = list(steps)
    for place, count, finder in _counts(steps):
        if count.calibration is None:
            own = _own_calibration(finder.load_engine())
            found[place] = count.model_copy(update={"calibration": own})
    return tuple(found)


def with_checked_calibrations(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of a recipe in which each `Count` knows whether its calibration gives intervals.

    Labels that an engine only looks up count as themselves, and have none.

    Raises
    ------
    ParameterError
        If a calibration was made with another engine or model than cells are found by.
    """
    found = list(steps)
    for place, count, finder in _counts(steps):
        engine = finder.load_engine()
        _refuse_other(count.calibration, counted_by(engine))
        own = count.calibration is not None and count.calibration == _own_calibration(engine)
        told: dict[str, str] = {"void_because": _why_void(finder, engine) if own else ""}
        if isinstance(engine, LookupEngine):
            told["number"] = "objects"
        found[place] = count.model_copy(update=told)
    return tuple(found)


def _counts(steps: Sequence[Step]) -> Iterator[tuple[int, Count, Segment | Maps]]:
    """Yield each `Count` with its place and the step that finds the cells; without one, a calibration stays as it is.

    That is the last one before it that makes its labels, or where none does, its map of density.
    """
    for place, step in enumerate(steps):
        if not isinstance(step, Count):
            continue
        before = steps[:place]
        finders: list[Segment | Maps] = [each for each in before if isinstance(each, Maps)]
        finders += [each for each in before if isinstance(each, Segment) and each.labels == step.labels]
        if finders:
            yield place, step, finders[-1]


def _own_calibration(engine: Engine) -> CountCalibration | None:
    """Return the calibration of the engine's model, which names that model."""
    own = engine.card.counting if isinstance(engine, NetworkEngine) else None
    return own if own is None or own.counted_by else own.model_copy(update={"counted_by": counted_by(engine)})


def _refuse_other(calibration: CountCalibration | None, now: CountedBy) -> None:
    """Refuse a calibration of another engine or model."""
    of = None if calibration is None else calibration.counted_by
    if of is not None and not of.same_as(now):
        raise ParameterError(
            f"The calibration was made with {of}, but cells are counted by {now}: its intervals would not hold. Count "
            f"by what was calibrated, leave the calibration out, or calibrate {now} on images of known count."
        )


def _why_void(finder: Segment | Maps, engine: Engine) -> str:
    """Return why the calibration of the engine's model does not hold, as a clause; empty if it does."""
    changed = _changed_choices(finder, engine)
    if not changed:
        return ""
    return (
        f"the model was calibrated without {', '.join(changed)}, by which it may count otherwise; leave that out, or "
        f"calibrate with it on images of known count and give the file with --calibration"
    )


def _changed_choices(finder: Segment | Maps, engine: Engine) -> list[str]:
    """Return the choices by which cells are found otherwise than when the engine's model was calibrated."""
    if not isinstance(engine, NetworkEngine):
        return []
    card = engine.card
    found = [] if finder.stack == "planes" else [f"stack={finder.stack}"]
    if card.diameter_px or card.diameters_px:
        found += [name for name in ("diameter_um", "diameter_px") if getattr(finder, name) is not None]
    return found if isinstance(finder, Maps) else [*found, *_options(engine, card), *_cleanup(finder.cleanup)]


def _options(engine: NetworkEngine, card: ModelCard) -> list[str]:
    """Return the engine's options that are not as the model's card says."""
    given = engine.options.model_dump(exclude_none=True)
    return [name for name in given if NetworkOptions(**{name: given[name]}).decoding(card.decoding) != card.decoding]


def _cleanup(cleanup: Cleanup) -> list[str]:
    """Return the fields of a clean-up that are not the usual ones."""
    usual = Cleanup()
    return [f"cleanup.{name}" for name in Cleanup.model_fields if getattr(cleanup, name) != getattr(usual, name)]
