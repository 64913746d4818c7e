"""Channels are chosen, ordered and named without copying pixels."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.image import image_from_array
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.ops.channels import rename_channels, select_channels, split_channels

PIXELS = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)


def test_roles_are_given_by_index_or_name() -> None:
    image = image_from_array(PIXELS, "CYX", name="scan")
    named = rename_channels(image, {0: "DNA", "channel2": "actin"})
    assert named.channel_names == ("DNA", "channel1", "actin")
    assert image.channel_names == ("channel0", "channel1", "channel2")
    with pytest.raises(UnknownName, match="channel9"):
        rename_channels(image, {"channel9": "x"})
    with pytest.raises(ParameterError, match="named 'channel1'"):
        rename_channels(image, {0: "channel1"})


def test_channels_are_selected_in_order() -> None:
    image = select_channels(image_from_array(PIXELS, "CYX"), [2, "channel0"])
    np.testing.assert_array_equal(image.read(), PIXELS[[2, 0]])
    assert image.channel_names == ("channel2", "channel0")
    with pytest.raises(ParameterError, match="different channels"):
        select_channels(image, [0, 0])


def test_colour_picture_becomes_channels() -> None:
    image = image_from_array(
        PIXELS.astype(np.uint8), "CYX", colour=True, name="ihc", channel_names=["red", "green", "blue"]
    )
    parts = split_channels(image)
    assert [part.name for part in parts] == ["ihc_red", "ihc_green", "ihc_blue"]
    assert not any(part.colour for part in parts)
    np.testing.assert_array_equal(parts[1].read(), PIXELS[1:2])
