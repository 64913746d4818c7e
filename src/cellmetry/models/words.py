"""A model's card in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.models.licences import is_known

if TYPE_CHECKING:
    from cellmetry.models.card import ModelCard, TrainingData

__all__ = ["Sentence", "describe_card"]

_HEADS = {
    "foreground": "where cells are",
    "flow": "the direction to each cell's centre",
    "density": "cells per pixel",
    "boundary": "the edge of each cell",
}


class Sentence(NamedTuple):
    """A line about a model, and whether it is a warning."""

    warning: bool
    text: str


def describe_card(card: ModelCard) -> list[Sentence]:
    """Return what a model is, in sentences; scores, size and hash are left to tables."""
    lines = [Sentence(False, f"{card.name}, version {card.version}. {card.summary}".strip())]
    if card.non_commercial:
        forbidding = ", ".join(data.name for data in card.training_data if data.non_commercial)
        why = f": {forbidding} forbids it" if forbidding else ""
        lines.append(Sentence(True, f"Not for commercial use{why}."))
    lines.append(Sentence(not is_known(card.licence), _licence(card)))
    lines += [Sentence(False, text) for text in (_does(card), _sees(card))]
    lines += [Sentence(not is_known(data.licence), _learnt(data)) for data in card.training_data]
    if not card.training_data:
        lines.append(Sentence(True, "Its card does not say what it has learnt from."))
    if card.citation:
        lines.append(Sentence(False, f"Cite: {card.citation}"))
    if not card.scores:
        lines.append(Sentence(True, "Its card holds no scores: evaluate it on your own images."))
    return lines


def _licence(card: ModelCard) -> str:
    if not is_known(card.licence):
        return "The licence of its weights is not known: ask its makers before you share results or weights."
    return f"The licence of its weights is {card.licence}."


def _does(card: ModelCard) -> str:
    outputs = ", ".join(_HEADS[head] for head in card.heads)
    use = "It labels cells" if card.segments else "It cannot label cells, but makes maps"
    counts = " and counts them by density as well" if card.segments and "density" in card.heads else ""
    return f"{use}{counts}. It puts out: {outputs}."


def _sees(card: ModelCard) -> str:
    channels = ", ".join(card.channels)
    scale = "runs at the image's own scale"
    if card.diameters_px is not None:
        low, high = card.diameters_px
        scale += f", or at one that brings cells within {low:g} to {high:g} px, the sizes that it knows"
    if card.diameter_px is not None:
        scale = f"wants cells of about {card.diameter_px:g} px, to which images are rescaled by the diameter you give"
    size = ""
    if card.pixel_size_um is not None:
        least, most = (f"{side:g}" for side in card.pixel_size_um)
        sizes = least if least == most else f"{least} to {most}"
        size = f"; pixels of its training images are {sizes} µm wide"
    return f"It looks at {channels} and {scale}{size}."


def _learnt(data: TrainingData) -> str:
    count = f", {data.images} images" if data.images is not None else ""
    forbidden = ", not for commercial use" if data.non_commercial else ""
    source = f", {data.source}" if data.source else ""
    licence = data.licence if is_known(data.licence) else "not known"
    return f"Learnt from {data.name}{count}, licence {licence}{forbidden}{source}."
