"""`check_plan`: what of a study would stop its run, told beforehand: recipe, channels, what is compared and drawn."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cellmetry.engines.base import ENGINES, LookupEngine
from cellmetry.engines.segment import Segment
from cellmetry.errors import CellmetryError, InputError
from cellmetry.pipeline.inputs import find_images
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.pipeline.study.settings import reading_of, settings_of
from cellmetry.pipeline.study.surroundings import RUN
from cellmetry.study.design.design import Finding
from cellmetry.study.words import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cellmetry.core.image import Image
    from cellmetry.core.step import Step
    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.pipeline.inputs import ImageRef
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.study.design.design import StudyDesign
    from cellmetry.study.file import Study

__all__ = ["check_plan"]

_TRIED = 3
"""Images of which the first that can be opened tells the channels."""


def check_plan(study: Study, design: StudyDesign) -> tuple[Finding, ...]:
    """Return an error for each entry of the study that does not fit; pixels are not read and nothing is run.

    The recipe and the changes of its parameters, the roles and the channels that steps name (looked for in the first
    image that can be opened), what is compared, gated, drawn and written.
    """
    checks = (_check_recipes, _check_comparisons)
    return tuple(finding for check in checks for finding in check(study, design))


def _check_recipes(study: Study, _: StudyDesign) -> Iterator[Finding]:
    """Yield what is wrong with recipes and channels."""
    named = [(study.recipe, study.said.set)]
    if (second := study.said.second) is not None:
        named.append((study.second_recipe, (*study.said.set, *second.set)))
    loaded: list[Recipe] = []
    for source, changes in named:
        yield from _told("recipe", study, partial(_load_into, loaded, source, changes))
    images: list[Image] = []
    yield from _told("channels", study, lambda: images.extend(_first_image(study)))
    for image in images:
        for text in dict.fromkeys(text for recipe in loaded for text in _channel_problems(recipe, image)):
            yield Finding("error", "channels", f"{study.path}: {text}")


def _told(kind: str, study: Study, check: Callable[[], object]) -> Iterator[Finding]:
    """Yield the error that a check raises as a finding."""
    try:
        check()
    except CellmetryError as error:
        text = str(error)
        yield Finding("error", kind, text if str(study.path) in text else f"{study.path}: {text}")


def _load_into(loaded: list[Recipe], source: str | Path, changes: tuple[str, ...]) -> None:
    """Add a recipe whose files are there and whose engines are known."""
    recipe = load_recipe(source, changes)
    recipe.files_read()
    for step in recipe.steps:
        if isinstance(step, Segment):
            ENGINES.load(step.engine)
    loaded.append(recipe)


def _first_image(study: Study) -> Iterator[Image]:
    """Yield the first image that can be opened, with its channels named; none if the check of files says why."""
    reading = reading_of(study)
    found = find_images([study.images_folder], reading, study.folder / RUN)
    for ref in found.images[:_TRIED]:
        plain = replace(ref, reading=reading.model_copy(update={"roles": {}}))
        if _opens(plain):
            image = ref.open()
            if study.said.images.aligned_to is not None:
                image.channel_index(study.said.images.aligned_to)
            yield image
            return


def _opens(ref: ImageRef) -> bool:
    """Return whether an image can be opened; where it cannot, the check of the design says so."""
    try:
        ref.open()
    except (InputError, OSError):
        return False
    return True


def _channel_problems(recipe: Recipe, image: Image) -> Iterator[str]:
    """Yield the channels that steps name and the image lacks, and the segmentation that does not name one of many."""
    for step in recipe.steps:
        for channel in _channels_of(step):
            try:
                image.channel_index(channel)
            except CellmetryError as error:
                yield f"the step {step.name} of the recipe {recipe.name} needs a channel that is not there. {error}"
        if isinstance(step, Segment) and step.channel is None and len(image.channels) > 1 and not image.colour:
            engine: Any = ENGINES.load(step.engine)
            if not (isinstance(engine, type) and issubclass(engine, LookupEngine)):
                yield (
                    f"the images have {len(image.channels)} channels ({listed(image.channel_names)}) and the recipe "
                    f'{recipe.name} does not say which to segment; write set = ["segment.channel='
                    f'{image.channel_names[0]}"], or choose another recipe (`cellmetry recipe list`).'
                )


def _channels_of(step: Step) -> list[str | int]:
    one, several = getattr(step, "channel", None), getattr(step, "channels", None)
    named = [one] if isinstance(one, (str, int)) else []
    return [*named, *(each for each in several or () if isinstance(each, (str, int)))]


def _check_comparisons(study: Study, design: StudyDesign) -> Iterator[Finding]:
    """Yield what is wrong with what is compared, gated, drawn and written."""
    found: list[CompareSettings] = []
    yield from _told("compare", study, lambda: found.extend(each for each in [settings_of(study)] if each is not None))
    for settings in found:
        yield from _told("compare", study, partial(_refuse_unknown_figures, settings))
        yield from _unknown_conditions(study, settings, design)


def _refuse_unknown_figures(settings: CompareSettings) -> None:
    kind_of = import_module("cellmetry.report.comparison.figures.catalogue").figure_kind
    for name in settings.figures or ():
        kind_of(name)


def _unknown_conditions(study: Study, settings: CompareSettings, design: StudyDesign) -> Iterator[Finding]:
    """Yield the names of controls and orders that are no condition of an image that is analysed."""
    if "condition" not in design.images.columns:
        return
    known = list(design.images.loc[~design.images["excluded"], "condition"].dropna().unique())
    for each in settings.comparisons:
        control = [each.control] if each.control not in (None, study.said.design.control) else []
        wrong = [name for name in (*control, *each.order) if name not in known] if each.by == "condition" else []
        if wrong:
            where = f"{study.path} [[compare]] {each.value}: control and order name {listed(map(repr, wrong))}"
            there = f"of which no image is analysed; there are {listed(known, 12) or 'none'}"
            yield Finding("error", "compare", f"{where}, {there}.")
