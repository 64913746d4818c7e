"""Colours of channels: the file's own, a dye's, told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cellmetry.core.image import Channel, Image, image_from_array
from cellmetry.pipeline.stored.colours import shown_colours


def _image(channels: list[Channel], *, colour: bool = False) -> Image:
    image = image_from_array(np.zeros((len(channels), 4, 4), np.uint8), "CYX")
    return replace(image, channels=tuple(channels), colour=colour)


def _named(*names: str) -> Image:
    return _image([Channel(name) for name in names])


def test_the_files_own_colours_hold_where_they_differ() -> None:
    own = ["#123456", "#00ff00"]
    assert shown_colours(_image([Channel("a", own[0]), Channel("b", own[1])])) == own
    assert len(set(shown_colours(_image([Channel("a", own[0]), Channel("b", own[0])])))) == 2


@pytest.mark.parametrize("names", [("DAPI", "GFP", "Cy5"), ("ch 0", "ch 1"), tuple("abcdefgh"), ("DAPI", "Hoechst")])
def test_channels_without_colours_get_different_ones(names: tuple[str, ...]) -> None:
    found = shown_colours(_named(*names))
    assert len(set(found)) == len(names)
    assert "#ffffff" not in found


def test_a_dye_has_its_colour_wherever_it_stands() -> None:
    assert shown_colours(_named("GFP", "DAPI")) == shown_colours(_named("DAPI", "GFP"))[::-1]


def test_one_channel_is_grey_and_a_picture_red_green_and_blue() -> None:
    assert shown_colours(_named("DAPI")) == ["#ffffff"]
    three = [Channel(name) for name in "abc"]
    assert shown_colours(_image(three, colour=True)) == ["#ff0000", "#00ff00", "#0000ff"]
