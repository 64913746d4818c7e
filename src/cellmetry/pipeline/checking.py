"""Before a batch: how unlike the images that a model has learnt from those at hand are, from a few parts of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cellmetry.core.progress import SILENT
from cellmetry.engines.familiarity import survey_unfamiliarity
from cellmetry.engines.network import NetworkEngine
from cellmetry.engines.segment import planes_of
from cellmetry.errors import InputError, ParameterError
from cellmetry.ops.project import project_z

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.progress import Progress
    from cellmetry.engines.segment import Segment
    from cellmetry.pipeline.inputs import ImageRef

__all__ = ["CheckedImage", "check_images", "choose_evenly", "unfamiliar_batch"]

T = TypeVar("T")


class CheckedImage(NamedTuple):
    """How an image looks to a model.

    Parameters
    ----------
    unfamiliarity
        How unlike the model's training images it is; usual is up to 1. None if it could not be told.
    problem
        Why it could not be told, in one sentence.
    """

    image: str
    path: str
    unfamiliarity: float | None
    problem: str = ""

    @property
    def unfamiliar(self) -> bool:
        """Whether it is more unlike than is usual."""
        return self.unfamiliarity is not None and self.unfamiliarity > 1


def choose_evenly(things: Sequence[T], most: int) -> list[T]:
    """Return at most `most` of the things, evenly spread."""
    count = min(most, len(things))
    return [things[(2 * index + 1) * len(things) // (2 * count)] for index in range(count)]


def check_images(step: Segment, refs: Sequence[ImageRef], *, progress: Progress = SILENT) -> list[CheckedImage]:
    """Return how each image looks to the model of `step`, from a few parts of its middle plane.

    Nothing is returned for engines and models that cannot tell.

    Raises
    ------
    ModelError
        If the model cannot be used.
    """
    engine = step.load_engine()
    if not isinstance(engine, NetworkEngine) or engine.familiarity is None:
        return []
    progress.start("looking at images", len(refs))
    found = []
    for ref in refs:
        found.append(_check(step, engine, ref))
        progress.advance()
    return found


def _check(step: Segment, engine: NetworkEngine, ref: ImageRef) -> CheckedImage:
    try:
        image = ref.open()
        image = project_z(image, step.stack) if step.stack in ("max", "mean") else image
        times, depths = image.sizes["T"], image.sizes["Z"]
        middle = divmod(times * depths // 2, depths)
        score = survey_unfamiliarity(engine, next(planes_of(step, engine, image, only=middle)))
    except (InputError, ParameterError) as error:
        return CheckedImage(ref.name, ref.text, None, str(error))
    return CheckedImage(ref.name, ref.text, None if score is None else round(score, 2))


def unfamiliar_batch(step: Segment, checked: Sequence[CheckedImage]) -> str:
    """Return a warning if most of the images that were looked at are unfamiliar; nothing otherwise."""
    strange = [each for each in checked if each.unfamiliar]
    if 2 * len(strange) <= len(checked):
        return ""
    engine = step.load_engine()
    model = engine.card.name if isinstance(engine, NetworkEngine) else engine.name
    worst = max(strange, key=lambda each: each.unfamiliarity or 0.0)
    return (
        f"{len(strange)} of {len(checked)} images that were looked at first are unlike those that the model {model} "
        f"has learnt from (the most is {worst.image}: unfamiliarity {worst.unfamiliarity:.2f}, usual is up to 1). "
        f"Look at the overlays before you trust the numbers, or train a model on a few of your own images."
    )
