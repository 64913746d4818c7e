"""The methods paragraph of a paper, and what a figure's legend says of statistics: from facts alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.report.references import REFERENCES, cited_in
from cellmetry.report.step_phrases import phrase_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cellmetry.stats.comparison.result import Comparison

__all__ = ["FilterFact", "ImageFacts", "MethodsFacts", "ModelFacts", "legend", "methods_text"]

_HASH_SHOWN = 12


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
    filters
        Cells left out before the comparison.
    positivity
        What makes a cell positive, in a clause: ``mean_EdU is above 812 (99th percentile of untreated cells)``.
    comparisons
        Of one value each.
    versions
        By name, as in ``run.json``: ``cellmetry``, ``python``, ``numpy``, …
    """

    images: ImageFacts | None = None
    recipe: tuple[Mapping[str, Any], ...] = ()
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recipe_sha256: str = ""
    models: tuple[ModelFacts, ...] = ()
    filters: tuple[FilterFact, ...] = ()
    positivity: str = ""
    comparisons: tuple[Comparison, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


class _Part(NamedTuple):
    """Sentences of one paragraph with the papers that they cite."""

    sentences: tuple[str, ...]
    cited: tuple[str, ...] = ()


def methods_text(facts: MethodsFacts) -> str:
    """Return paragraphs with an empty line between them: images, statistics, software, and last the references.

    Nothing is said that is not in the facts; a paragraph without facts is not there.
    """
    parts = [_image_part(facts), _cell_part(facts), *_statistics(facts.comparisons), _software(facts)]
    paragraphs = [" ".join(part.sentences) for part in parts if part.sentences]
    cited = sorted({key for part in parts for key in part.cited})
    models = [model.citation for model in facts.models if model.citation]
    full = sorted({*(REFERENCES[key].full for key in cited), *models})
    if full:
        paragraphs.append("References: " + " ".join(full))
    return "\n\n".join(paragraphs)


def legend(comparison: Comparison) -> str:
    """Return what the legend of a figure says of its numbers: replicates, cells, interval and test."""
    design, options = comparison.design, comparison.options
    cells = int(comparison.groups["n_cells"].sum())
    numbers = f"n = {_numbers(comparison)}, {cells:,} {options.rows} in total."
    if design.estimation_only:
        return f"Means; {numbers} No test was made, since no condition has a second replicate."
    return (
        f"Mean and {options.confidence:.0%} confidence interval of replicates; {numbers} {_tests(comparison)}".strip()
    )


def _image_part(facts: MethodsFacts) -> _Part:
    sentences: list[str] = []
    cited: list[str] = []
    if facts.images is not None:
        sentences.append(_images(facts.images))
    for step in facts.recipe:
        phrase = phrase_step(step, facts.defaults.get(str(step["step"])))
        cited += phrase.cited
        sentences.append(_with_citation(phrase.text, phrase.cited))
    sentences += [_model(model) for model in facts.models]
    return _Part(tuple(sentences), tuple(cited))


def _images(images: ImageFacts) -> str:
    kind = f"{images.modality} " if images.modality else ""
    verb = "s were" if images.number != 1 else " was"
    details = []
    if images.channels:
        details.append(f"channel{'s' if len(images.channels) > 1 else ''} {_listed(images.channels)}")
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


def _cell_part(facts: MethodsFacts) -> _Part:
    sentences = []
    for each in facts.filters:
        total = "" if each.total is None else f" of {each.total:,}"
        sentences.append(f"Cells were left out by the filter “{each.rule}” ({each.removed:,}{total}).")
    if facts.positivity:
        sentences.append(f"A cell was called positive if {facts.positivity}.")
    return _Part(tuple(sentences))


def _statistics(comparisons: Sequence[Comparison]) -> list[_Part]:
    return [_comparison(comparison) for comparison in comparisons]


def _comparison(comparison: Comparison) -> _Part:
    options, design = comparison.options, comparison.design
    cells = int(comparison.groups["n_cells"].sum())
    what = f"The fraction of positive cells by {options.value}" if design.kind == "fraction" else options.value
    sentences = [
        f"{what} was compared between {_listed(design.conditions)} (column {options.by}).",
        f"A replicate is one value of the column {options.replicate}; n = {_numbers(comparison)}, {cells:,} "
        f"{options.rows} in total.",
        _summary(comparison),
    ]
    if design.paired:
        sentences.append("Replicates with the same name in several conditions were treated as pairs (blocks).")
    if options.normalise is not None:
        sentences.append(_normalisation(comparison))
    if design.estimation_only:
        sentences.append("No hypothesis was tested, since no condition has a second replicate.")
        return _Part(tuple(sentences), ("lord",))
    tests = _tests(comparison)
    cited = ("lord", *(["hedges"] if comparison.contrasts["hedges_g"].notna().any() else []), *cited_in(tests))
    sentences += [_with_citation(tests, cited_in(tests)), _sentence(comparison.omnibus), _intervals(comparison)]
    return _Part(tuple(sentence for sentence in sentences if sentence), cited)


def _sentence(words: str) -> str:
    return f"{words.rstrip('.')}." if words else ""


def _numbers(comparison: Comparison) -> str:
    """Return the number of replicates in words."""
    counts = comparison.design.replicates
    if len(set(counts)) == 1:
        return f"{counts[0]} replicate{'s' if counts[0] != 1 else ''} in each condition"
    named = zip(comparison.design.conditions, counts, strict=True)
    return f"{_listed([f'{count} ({condition})' for condition, count in named])} replicates"


def _summary(comparison: Comparison) -> str:
    options = comparison.options
    cited = REFERENCES["lord"].short
    if comparison.design.kind == "fraction":
        return f"Each replicate gave one fraction, and replicates are what statistics were done on ({cited})."
    nested = f", units of {_listed(options.nested)} weighing the same" if options.nested else ""
    scale = "; differences are ratios of geometric means" if options.scale == "log" else ""
    return (
        f"The {options.rows} of a replicate were summarised by their {options.summary}{nested}, and replicates are "
        f"what statistics were done on ({cited}){scale}."
    )


def _normalisation(comparison: Comparison) -> str:
    normalise = comparison.options.normalise
    if normalise is None:
        return ""
    how = {
        "ratio": "divided by the mean",
        "difference": "taken less the mean",
        "robust_z": "taken less the median and divided by 1.4826 · MAD",
    }[normalise.how]
    return f"Values were {how} of {normalise.control} within the same {normalise.within}."


def _tests(comparison: Comparison) -> str:
    """Return the tests and corrections in words, as the contrasts name them."""
    tested = comparison.contrasts[comparison.contrasts["p_value"].notna()]
    methods = list(dict.fromkeys(tested["method"].dropna().astype(str)))
    corrections = [text for text in dict.fromkeys(tested["adjustment"].dropna().astype(str)) if text]
    if not methods:
        return ""
    correction = f"; correction for several contrasts: {_listed(corrections)}" if corrections else ""
    return f"Test (two-sided): {_listed(methods)}{correction}."


def _intervals(comparison: Comparison) -> str:
    hedges = ""
    if comparison.contrasts["hedges_g"].notna().any():
        hedges = f" Effect sizes are Hedges' g of replicates ({REFERENCES['hedges'].short})."
    return f"Intervals are {comparison.options.confidence:.0%} confidence intervals.{hedges}"


def _software(facts: MethodsFacts) -> _Part:
    versions = facts.versions
    sentences = []
    cited = [name for name in ("numpy", "scipy", "statsmodels") if name in versions]
    if versions:
        names = {"cellmetry": "Cellmetry", "python": "Python", "numpy": "NumPy", "scipy": "SciPy"}
        shown = [key for key in ("cellmetry", "python", *cited) if key in versions]
        listed = [f"{names.get(key, key)} {versions[key]}{_short([key] if key in cited else [])}" for key in shown]
        sentences.append(f"Software: {_listed(listed)}.")
    if facts.recipe_sha256:
        sentences.append(f"The recipe with all parameters has the SHA-256 {facts.recipe_sha256}.")
    return _Part(tuple(sentences), tuple(cited))


def _short(cited: Iterable[str]) -> str:
    names = "; ".join(REFERENCES[key].short for key in cited)
    return f" ({names})" if names else ""


def _with_citation(sentence: str, cited: Sequence[str]) -> str:
    """Return the sentence with its citations before the full stop, within its last brackets if it ends in them."""
    if not cited:
        return sentence
    text = sentence.removesuffix(".")
    joined = f"{text[:-1]}; {_short(cited)[2:]}" if text.endswith(")") else f"{text}{_short(cited)}"
    return f"{joined}."


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
