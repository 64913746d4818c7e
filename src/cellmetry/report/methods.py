"""The methods paragraph of a paper: from facts alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.report.comparison.filters import IMAGES_KEPT
from cellmetry.report.methods_statistics import statistics_parts
from cellmetry.report.references import REFERENCES, Part, listed, short_citations, with_citation
from cellmetry.report.step_phrases import phrase_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.stats.comparison.result import Comparison

__all__ = ["FilterFact", "ImageFacts", "MethodsFacts", "ModelFacts", "methods_text"]

_HASH_SHOWN = 12
_LEFT_OUT = {
    IMAGES_KEPT: "were left out with the images left out of the study",
    "not flag_any": "that bore a flag of the quality check were left out",
}
"""What is said of cells that failed the usual conditions."""


class ImageFacts(NamedTuple):
    """Images: how many, and as far as known their channels, modality and size of a pixel (Y, X) in µm."""

    number: int
    channels: tuple[str, ...] = ()
    modality: str = ""
    pixel_size_um: tuple[float, float] | None = None


class ModelFacts(NamedTuple):
    """A model that an engine ran; what is empty is not said."""

    engine: str
    name: str
    version: str = ""
    licence: str = ""
    sha256: str = ""
    citation: str = ""


class FilterFact(NamedTuple):
    """A filter in words, cells that it removed, and of how many where that is known."""

    rule: str
    removed: int
    total: int | None = None


@dataclass(frozen=True)
class MethodsFacts:
    """What is known of an analysis; what is left out is not written about.

    Parameters
    ----------
    images
        That were analysed.
    recipe
        Steps as a recipe has them: ``{"step": name, …parameters}``.
    defaults
        Parameters by default by the name of the step; with them, others that differ are named.
    recipe_sha256
        Hash of the recipe.
    models
        That its engines ran.
    labels
        Sentences about labels that people drew or corrected.
    filters
        Cells left out before the comparison.
    positivity
        What makes a cell positive, in a clause: ``mean_EdU is above 812 (99th percentile of untreated cells)``.
    comparisons
        Of one value each.
    words
        What stands in place of names of columns that are compared: what they measure.
    versions
        By name, as in ``run.json``: ``cellmetry``, ``python``, ``numpy``, …
    """

    images: ImageFacts | None = None
    recipe: tuple[Mapping[str, Any], ...] = ()
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recipe_sha256: str = ""
    models: tuple[ModelFacts, ...] = ()
    labels: tuple[str, ...] = ()
    filters: tuple[FilterFact, ...] = ()
    positivity: str = ""
    comparisons: tuple[Comparison, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def methods_text(facts: MethodsFacts) -> str:
    """Return paragraphs with an empty line between them: images, statistics, software, and last the references.

    Nothing is said that is not in the facts; a paragraph without facts is not there.
    """
    statistics = statistics_parts(facts.comparisons, facts.words)
    parts = [_image_part(facts), _cell_part(facts), *statistics, _software(facts)]
    paragraphs = [" ".join(part.sentences) for part in parts if part.sentences]
    cited = sorted({key for part in parts for key in part.cited})
    models = [model.citation for model in facts.models if model.citation]
    full = sorted({*(REFERENCES[key].full for key in cited), *models})
    if full:
        paragraphs.append("References: " + " ".join(full))
    return "\n\n".join(paragraphs)


def _image_part(facts: MethodsFacts) -> Part:
    sentences: list[str] = []
    cited: list[str] = []
    if facts.images is not None:
        sentences.append(_images(facts.images))
    for step in facts.recipe:
        phrase = phrase_step(step, facts.defaults.get(str(step["step"])))
        cited += phrase.cited
        sentences.append(with_citation(phrase.text, phrase.cited))
    sentences += [*(_model(model) for model in facts.models), *facts.labels]
    return Part(tuple(sentences), tuple(cited))


def _images(images: ImageFacts) -> str:
    kind = f"{images.modality} " if images.modality else ""
    verb = "s were" if images.number != 1 else " was"
    details = []
    if images.channels:
        details.append(f"channel{'s' if len(images.channels) > 1 else ''} {listed(images.channels)}")
    if images.pixel_size_um is not None:
        height, width = images.pixel_size_um
        size = f"{width:.4g} µm" if height == width else f"{width:.4g} × {height:.4g} µm (width × height)"
        details.append(f"pixel size {size}")
    shown = f" ({'; '.join(details)})" if details else ""
    return f"{images.number:,} {kind}image{verb} analysed{shown}."


def _model(model: ModelFacts) -> str:
    version = f" version {model.version}" if model.version else ""
    details = [f"licence {model.licence}"] if model.licence else []
    details += [f"SHA-256 {model.sha256[:_HASH_SHOWN]}…"] if model.sha256 else []
    shown = f" ({'; '.join(details)})" if details else ""
    return f"The engine {model.engine} ran the model {model.name}{version}{shown}."


def _cell_part(facts: MethodsFacts) -> Part:
    sentences = []
    for each in facts.filters:
        total = "" if each.total is None else f" of {each.total:,}"
        left = _LEFT_OUT.get(each.rule, f"were left out by the filter “{each.rule}”")
        sentences.append(f"Cells {left} ({each.removed:,}{total}).")
    if facts.positivity:
        sentences.append(f"A cell was called positive if {facts.positivity}.")
    return Part(tuple(sentences))


def _software(facts: MethodsFacts) -> Part:
    versions = facts.versions
    sentences = []
    cited = [name for name in ("numpy", "scipy", "statsmodels") if name in versions]
    if versions:
        names = {"cellmetry": "Cellmetry", "python": "Python", "numpy": "NumPy", "scipy": "SciPy"}
        shown = [key for key in ("cellmetry", "python", *cited) if key in versions]
        cites = {key: short_citations([key] if key in cited else []) for key in shown}
        sentences.append(f"Software: {listed(f'{names.get(key, key)} {versions[key]}{cites[key]}' for key in shown)}.")
    if facts.recipe_sha256:
        sentences.append(f"The recipe with all parameters has the SHA-256 {facts.recipe_sha256}.")
    return Part(tuple(sentences), tuple(cited))
