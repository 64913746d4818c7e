"""What the name of a licence says by itself."""

from __future__ import annotations

import pytest

from cellmetry.models.card import ModelCard, TrainingData
from cellmetry.models.licences import forbids_commerce, is_known
from cellmetry.models.words import describe_card


@pytest.mark.parametrize(
    "licence",
    ["CC-BY-NC-4.0", "cc-by-nc-sa-3.0", "CC BY-NC 4.0", "CC_BY_NC_ND", "PolyForm-Noncommercial-1.0.0", "NCGL-UK-2.0"],
)
def test_a_part_of_the_name_forbids_commerce(licence: str) -> None:
    assert forbids_commerce(licence)


@pytest.mark.parametrize("licence", ["CC-BY-4.0", "CC0-1.0", "MIT", "NCSA", "X-NCX-1", "unknown", ""])
def test_letters_inside_a_part_do_not(licence: str) -> None:
    assert not forbids_commerce(licence)


@pytest.mark.parametrize("licence", ["unknown", "Unknown.", "see the home page", "See LICENSE.txt", "n/a", " "])
def test_where_terms_are_not_named_they_are_not_known(licence: str) -> None:
    assert not is_known(licence)


@pytest.mark.parametrize("licence", ["CC0-1.0", "rules of the Kaggle competition", "Seelicence-1.0"])
def test_words_of_makers_are_terms(licence: str) -> None:
    assert is_known(licence)


def test_a_card_warns_of_data_whose_licence_is_a_pointer() -> None:
    card = ModelCard(
        name="mine",
        version="1",
        licence="see the home page",
        training_data=(TrainingData(name="bbbc030", licence="see the home page"),),
        margin_px=64,
        file="mine.onnx",
        sha256="0" * 64,
        size_bytes=1,
    )
    lines = describe_card(card)
    warnings = [line.text for line in lines if line.warning]
    assert "The licence of its weights is not known: ask its makers before you share results or weights." in warnings
    assert "Learnt from bbbc030, licence not known." in warnings
