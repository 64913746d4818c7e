"""Papers that a methods paragraph cites, and sentences with their citations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["REFERENCES", "Part", "Reference", "cited_in", "listed", "short_citations", "with_citation"]


class Reference(NamedTuple):
    """How a text cites a paper, and the paper."""

    short: str
    full: str


REFERENCES = {
    "benjamini": Reference(
        "Benjamini & Hochberg 1995",
        "Benjamini Y, Hochberg Y (1995) Controlling the false discovery rate: a practical and powerful approach to "
        "multiple testing. J R Stat Soc B 57: 289–300.",
    ),
    "cliff": Reference(
        "Cliff 1993",
        "Cliff N (1993) Dominance statistics: ordinal analyses to answer ordinal questions. Psychol Bull 114: 494–509.",
    ),
    "costes": Reference(
        "Costes et al. 2004",
        "Costes SV et al. (2004) Automatic and quantitative measurement of protein-protein colocalization in live "
        "cells. Biophys J 86: 3993–4003.",
    ),
    "dunnett": Reference(
        "Dunnett 1955",
        "Dunnett CW (1955) A multiple comparison procedure for comparing several treatments with a control. J Am Stat "
        "Assoc 50: 1096–1121.",
    ),
    "hedges": Reference(
        "Hedges 1981",
        "Hedges LV (1981) Distribution theory for Glass's estimator of effect size and related estimators. J Educ Stat "
        "6: 107–128.",
    ),
    "hodges": Reference(
        "Hodges & Lehmann 1963",
        "Hodges JL, Lehmann EL (1963) Estimates of location based on rank tests. Ann Math Stat 34: 598–611.",
    ),
    "holm": Reference(
        "Holm 1979", "Holm S (1979) A simple sequentially rejective multiple test procedure. Scand J Stat 6: 65–70."
    ),
    "imagej": Reference(
        "Schneider et al. 2012",
        "Schneider CA, Rasband WS, Eliceiri KW (2012) NIH Image to ImageJ: 25 years of image analysis. Nat Methods 9: "
        "671–675.",
    ),
    "liang": Reference(
        "Liang & Zeger 1986",
        "Liang KY, Zeger SL (1986) Longitudinal data analysis using generalized linear models. Biometrika 73: 13–22.",
    ),
    "lord": Reference(
        "Lord et al. 2020",
        "Lord SJ, Velle KB, Mullins RD, Fritz-Laylin LK (2020) SuperPlots: communicating reproducibility and "
        "variability in cell biology. J Cell Biol 219: e202001064.",
    ),
    "manders": Reference(
        "Manders et al. 1993",
        "Manders EMM, Verbeek FJ, Aten JA (1993) Measurement of co-localization of objects in dual-colour confocal "
        "images. J Microsc 169: 375–382.",
    ),
    "numpy": Reference(
        "Harris et al. 2020", "Harris CR et al. (2020) Array programming with NumPy. Nature 585: 357–362."
    ),
    "otsu": Reference(
        "Otsu 1979",
        "Otsu N (1979) A threshold selection method from gray-level histograms. IEEE Trans Syst Man Cybern 9: 62–66.",
    ),
    "scipy": Reference(
        "Virtanen et al. 2020",
        "Virtanen P et al. (2020) SciPy 1.0: fundamental algorithms for scientific computing in Python. Nat Methods "
        "17: 261–272.",
    ),
    "skimage": Reference(
        "van der Walt et al. 2014",
        "van der Walt S et al. (2014) scikit-image: image processing in Python. PeerJ 2: e453.",
    ),
    "statsmodels": Reference(
        "Seabold & Perktold 2010",
        "Seabold S, Perktold J (2010) statsmodels: econometric and statistical modeling with Python. Proc 9th Python "
        "in Science Conf: 92–96.",
    ),
    "sternberg": Reference("Sternberg 1983", "Sternberg SR (1983) Biomedical image processing. Computer 16: 22–34."),
    "tukey": Reference(
        "Tukey 1949", "Tukey JW (1949) Comparing individual means in the analysis of variance. Biometrics 5: 99–114."
    ),
    "welch": Reference(
        "Welch 1947",
        "Welch BL (1947) The generalization of ‘Student's’ problem when several different population variances are "
        "involved. Biometrika 34: 28–35.",
    ),
}

_BY_WORD = {
    "Dunnett": "dunnett",
    "Tukey": "tukey",
    "Holm": "holm",
    "Benjamini": "benjamini",
    "Welch": "welch",
    "estimating equations": "liang",
    "GEE": "liang",
    "Hodges–Lehmann": "hodges",
}


def cited_in(words: str) -> tuple[str, ...]:
    """Return the keys of the papers whose authors or methods are named in a test's words."""
    return tuple(dict.fromkeys(key for word, key in _BY_WORD.items() if word in words))


class Part(NamedTuple):
    """Sentences of one paragraph with the keys of the papers that they cite."""

    sentences: tuple[str, ...]
    cited: tuple[str, ...] = ()


def short_citations(cited: Iterable[str]) -> str:
    """Return papers as a text cites them, in brackets with a space before; empty without any."""
    names = "; ".join(REFERENCES[key].short for key in cited)
    return f" ({names})" if names else ""


def with_citation(sentence: str, cited: Sequence[str]) -> str:
    """Return the sentence with its citations before the full stop, within its last brackets if it ends in them."""
    if not cited:
        return sentence
    text = sentence.removesuffix(".")
    short = short_citations(cited)
    joined = f"{text[:-1]}; {short[2:]}" if text.endswith(")") else f"{text}{short}"
    return f"{joined}."


def listed(names: Iterable[str]) -> str:
    """Return names as words list them: ``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
