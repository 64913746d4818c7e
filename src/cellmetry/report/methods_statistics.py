"""What the methods paragraph and a figure's legend say of comparisons: what they share once, then each value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.report.estimates import is_shift, shift_words, summary_word
from cellmetry.report.references import REFERENCES, Part, cited_in, listed, with_citation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.stats.comparison.result import Comparison

__all__ = ["legend", "statistics_parts"]

_MODELS = ("mixed", "gee")
_ARTICLE = "the "
_FRACTION = f"{_ARTICLE}fraction of positive"


class _Told(NamedTuple):
    """What is said of a comparison: between which conditions, sentences that others may share, its own numbers."""

    what: str
    between: str
    shared: tuple[str, ...]
    numbers: str


def statistics_parts(comparisons: Sequence[Comparison], words: Mapping[str, str]) -> list[Part]:
    """Return paragraphs about the comparisons: sentences true of all, then of those alike, with numbers of each value.

    Of one comparison it is one paragraph.

    Parameters
    ----------
    words
        What stands in place of names of columns.
    """
    if not comparisons:
        return []
    told = [_told(comparison, words) for comparison in comparisons]
    cited = tuple(dict.fromkeys(key for comparison in comparisons for key in _cited(comparison)))
    if len(told) == 1:
        (only,) = told
        return [Part((_start(f"{only.what} was compared {only.between}."), *only.shared, f"{only.numbers}."), cited)]
    common = [sentence for sentence in told[0].shared if all(sentence in each.shared for each in told)]
    once = len({each.between for each in told}) == 1
    head = [_start(f"{listed(each.what for each in told)} were compared {told[0].between}.")] if once else []
    groups: dict[tuple[str, ...], list[_Told]] = {}
    for each in told:
        groups.setdefault(tuple(sentence for sentence in each.shared if sentence not in common), []).append(each)
    first = Part((*head, *common), cited)
    return [first, *(_of_group(own, alike, once=once) for own, alike in groups.items())]


def legend(comparison: Comparison) -> str:
    """Return what the legend of a figure says of its numbers: replicates, cells, interval and test."""
    log = comparison.options.scale == "log"
    numbers = f"{_numbers(comparison)}."
    if comparison.design.estimation_only:
        means = "Geometric means" if log else "Means"
        return f"{means}; {numbers} No test was made, since no condition has a second replicate."
    mean = "Geometric mean" if log else "Mean"
    where = "" if comparison.groups["ci_low"].notna().all() else " where there is more than one"
    interval = f"{mean} and {comparison.options.confidence:.0%} confidence interval of replicates{where}"
    words = [f"{interval}; {numbers}", _tests(comparison), _untested(comparison), _shifts(comparison)]
    return " ".join(each for each in words if each)


def _told(comparison: Comparison, words: Mapping[str, str]) -> _Told:
    options, design = comparison.options, comparison.design
    value = words.get(options.value, options.value)
    fraction = design.kind == "fraction"
    named = "" if options.replicate == "replicate" else f", named by the column {options.replicate}"
    sentences = [f"Replicates are independent biological repeats{named}.", _summary(comparison)]
    if design.paired and not design.estimation_only:
        sentences.append("Replicates with the same name in several conditions were treated as pairs (blocks).")
    sentences.append(_normalisation(comparison))
    if design.estimation_only:
        sentences.append("No hypothesis was tested, since no condition has a second replicate.")
    else:
        made = (_tests(comparison), _shifts(comparison))
        sentences += [with_citation(each, cited_in(each)) for each in made]
        sentences += [_untested(comparison), _intervals(comparison), _effects(comparison)]
    omnibus = "" if design.estimation_only else comparison.omnibus.rstrip(".")
    return _Told(
        what=f"{_FRACTION} {options.rows} by {value}" if fraction else value,
        between=f"between {listed(design.conditions)}{'' if options.by == 'condition' else f' (column {options.by})'}",
        shared=tuple(sentence for sentence in sentences if sentence),
        numbers=f"{_numbers(comparison)}{f'; {omnibus}' if omnibus else ''}",
    )


def _of_group(own: tuple[str, ...], alike: list[_Told], *, once: bool) -> Part:
    """Return the paragraph of values of which the same is said, with their numbers, which several may share too."""
    said = f"{own[0][0].lower()}{' '.join(own)[1:]}" if own else ""
    numbers: dict[tuple[str, str], list[str]] = {}
    for each in alike:
        numbers.setdefault((each.between, each.numbers), []).append(each.what)
    names = listed(each.what for each in alike)
    if own and once and len(numbers) == 1:
        return Part((_start(f"{names}: {said} {alike[0].numbers}."),))
    sentences = [_start(f"{names}: {said}")] if own else []
    for (between, number), whats in numbers.items():
        compared = "" if once else f" {'was' if len(whats) == 1 else 'were'} compared {between}"
        sentences.append(_start(f"{listed(whats)}{compared}: {number}."))
    return Part(tuple(sentences))


def _start(sentence: str) -> str:
    """Return the sentence with a capital where its first word is not the name of a column."""
    return f"T{sentence[1:]}" if sentence.startswith(_ARTICLE) else sentence


def _numbers(comparison: Comparison) -> str:
    """Return the number of replicates and cells in words."""
    counts = comparison.design.replicates
    cells = f"{int(comparison.groups['n_cells'].sum()):,} {comparison.options.rows} in total"
    if len(set(counts)) == 1:
        return f"n = {counts[0]} replicate{'s' if counts[0] != 1 else ''} in each condition, {cells}"
    named = zip(comparison.design.conditions, counts, strict=True)
    return f"n = {listed(f'{count} ({condition})' for condition, count in named)} replicates, {cells}"


def _summary(comparison: Comparison) -> str:
    options = comparison.options
    cited = REFERENCES["lord"].short
    log = options.scale == "log"
    if options.method in _MODELS and comparison.contrasts["p_value"].notna().any():
        return _model(comparison)
    if comparison.design.kind == "fraction":
        scale = "; differences are ratios of their geometric means" if log else ""
        return f"Each replicate gave one fraction, and replicates are what statistics were done on ({cited}){scale}."
    nested = f", units of {listed(options.nested)} weighing the same" if options.nested else ""
    scale = "; differences are ratios of geometric means" if log and options.summary == "mean" else ""
    scale = "; differences are ratios of the replicates' geometric means" if log and not scale else scale
    return (
        f"The {options.rows} of a replicate were summarised by their {summary_word(options)}{nested}, and replicates "
        f"are what statistics were done on ({cited}){scale}."
    )


def _model(comparison: Comparison) -> str:
    """Return what a model of cells does with replicates."""
    options = comparison.options
    log = options.scale == "log"
    if options.method == "gee":
        return (
            f"Estimates are {'ratios' if log else 'differences'} of the fractions of all {options.rows} of conditions, "
            f"in which {options.rows} weigh the same; their errors come from {options.rows} clustered by replicate."
        )
    ratios = " Logarithms were modelled, so that differences are ratios of geometric means." if log else ""
    return (
        f"All {options.rows} entered a model with the condition as fixed and the replicate as random effect, so that "
        f"{options.rows} of one replicate do not count as independent; degrees of freedom are those of "
        f"replicates.{ratios}"
    )


def _normalisation(comparison: Comparison) -> str:
    normalise = comparison.options.normalise
    if normalise is None:
        return ""
    centre = summary_word(comparison.options)
    how = {
        "ratio": f"divided by the {centre}",
        "difference": f"taken less the {centre}",
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
    correction = f"; correction for several contrasts: {listed(corrections)}" if corrections else ""
    return f"Test (two-sided): {listed(methods)}{correction}."


def _shifts(comparison: Comparison) -> str:
    """Return what the estimates of a test of ranks are; empty if none was made."""
    methods = comparison.contrasts["method"].dropna().astype(str)
    return shift_words(comparison) if any(is_shift(comparison, method) for method in methods) else ""


def _untested(comparison: Comparison) -> str:
    """Return how many contrasts were not tested, and why if there is one reason."""
    without = comparison.contrasts[comparison.contrasts["p_value"].isna()]
    if without.empty:
        return ""
    few, all_ = len(without), len(comparison.contrasts)
    reasons = {str(reason).rstrip(".") for reason in without["reason"].dropna() if reason}
    why = f": {reasons.pop()}" if len(reasons) == 1 else ", for reasons that the table of contrasts gives"
    if few == all_:
        return f"No contrast was tested{why}."
    verb = "was" if few == 1 else "were"
    return f"{few} of {all_} contrasts {verb} estimated from means of replicates and not tested{why}."


def _intervals(comparison: Comparison) -> str:
    known = comparison.contrasts["ci_low"].notna()
    if known.empty:
        return ""
    kind = f"{comparison.options.confidence:.0%} confidence intervals"
    if not known.any():
        return f"The contrasts have no {kind}."
    some = "" if known.all() else f"; {int((~known).sum())} of {len(known)} contrasts have none"
    return f"Intervals are {kind}{some}."


def _effects(comparison: Comparison) -> str:
    if not comparison.contrasts["hedges_g"].notna().any():
        return ""
    return f"Effect sizes are Hedges' g of replicates ({REFERENCES['hedges'].short})."


def _cited(comparison: Comparison) -> tuple[str, ...]:
    """Return the papers that the sentences of a comparison name."""
    shared = " ".join(_told(comparison, {}).shared)
    return tuple(key for key, reference in REFERENCES.items() if reference.short in shared)
