"""Overlays show what is there: outlines inside objects, ids, a scale bar of the right length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cellmetry.core.image import Box, Channel, Image, PixelSize, image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.report.annotations import round_scale_bar
from cellmetry.report.colours import channel_colours, object_colours
from cellmetry.report.composite import contrast_limits, stretch
from cellmetry.report.drawing_options import OverlayOptions
from cellmetry.report.outlines import map_objects
from cellmetry.report.overlay import draw_overlay, draw_picture
from cellmetry.report.sampling import choose_scaling, sample_labels, sample_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLAIN = OverlayOptions(ids=False, scale_bar=False, outline_px=1, outline_colour="#ff0000", enlarge_to=1)


@pytest.fixture
def touching() -> NDArray[np.uint32]:
    labels = np.zeros((60, 90), np.uint32)
    labels[10:40, 10:40] = 1
    labels[10:40, 40:70] = 7
    return labels


def _black(shape: tuple[int, ...], axes: str | None = None) -> Image:
    return image_from_array(np.zeros(shape, np.uint16), axes)


def test_outlines_lie_inside_and_touching_objects_both_keep_theirs(touching: NDArray[np.uint32]) -> None:
    rgb = draw_overlay(_black(touching.shape), labels_from_array(touching), PLAIN)
    line = rgb[..., 0] == 255
    assert not line[touching == 0].any()
    np.testing.assert_array_equal(np.flatnonzero(line[25]), [10, 39, 40, 69])
    np.testing.assert_array_equal(np.flatnonzero(line[:, 20]), [10, 39])
    assert not rgb[..., 1:].any()


def test_edge_of_the_picture_is_no_outline() -> None:
    labels = np.ones((40, 40), np.uint32)
    assert not draw_overlay(_black((40, 40)), labels_from_array(labels), PLAIN).any()


def test_touching_objects_have_different_colours(touching: NDArray[np.uint32]) -> None:
    rgb = draw_overlay(
        _black(touching.shape), labels_from_array(touching), PLAIN.model_copy(update={"outline_colour": None})
    )
    assert np.abs(rgb[25, 39].astype(int) - rgb[25, 40]).max() > 60


def test_neighbouring_ids_have_distant_colours() -> None:
    ids = np.arange(1, 400, dtype=np.uint32)
    for dark in (True, False):
        colours = object_colours(ids, np.full(ids.shape, dark)).astype(int)
        assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 40


def test_ids_are_written_inside_and_left_out_where_objects_are_small(touching: NDArray[np.uint32]) -> None:
    options = PLAIN.model_copy(update={"ids": True, "outlines": False, "smallest_id_px": 18.0})
    image = image_from_array(np.full((240, 360), 100, np.uint16))
    large = draw_overlay(image, labels_from_array(np.kron(touching, np.ones((4, 4), np.uint32))), options)
    assert large.max() > 200
    assert not large[:, :36].any()
    assert not large[165:].any()
    small = np.zeros((240, 360), np.uint32)
    small[::20, ::20] = np.arange(12 * 18).reshape(12, 18) + 1
    assert not draw_overlay(image, labels_from_array(small), options).any()


def test_ids_of_cut_objects_stay_within_the_picture() -> None:
    labels = np.zeros((300, 300), np.uint32)
    labels[:12, 100:160] = 888
    options = PLAIN.model_copy(update={"ids": True, "outlines": False})
    rgb = draw_overlay(_black((300, 300)), labels_from_array(labels), options)
    assert rgb.max() > 200
    ink = np.flatnonzero((rgb[..., 0] > 128).any(axis=1))
    assert ink[0] >= 1


def test_inner_point_lies_in_the_object_even_if_it_is_a_ring() -> None:
    y, x = np.mgrid[:61, :61]
    ring = ((np.hypot(y - 30, x - 30) < 28) & (np.hypot(y - 30, x - 30) > 15)).astype(np.uint32) * 5
    objects = map_objects(ring)
    row, column = objects.points[1].astype(int)
    assert ring[row, column] == 5
    assert objects.ids.tolist() == [0, 5]
    assert objects.widths[1] == pytest.approx(np.sqrt(4 * (ring > 0).sum() / np.pi))


@pytest.mark.parametrize(
    ("width", "um", "length", "text"),
    [
        (1000, 0.5, 200, "100 µm"),
        (1024, 0.207, 20 / 0.207, "20 µm"),
        (1000, 0.002, 100, "200 nm"),
        (2000, 5.0, 400, "2 mm"),
    ],
)
def test_scale_bar_has_a_round_length(width: int, um: float, length: float, text: str) -> None:
    bar = round_scale_bar(width, um, 1.0)
    assert bar.length_px == pytest.approx(length)
    assert bar.text == text


def test_scale_bar_without_pixel_size_counts_pixels_of_the_image() -> None:
    bar = round_scale_bar(1000, None, 4.0)
    assert bar.text == "500 px"
    assert bar.length_px == 125


def test_drawn_scale_bar_is_as_long_as_it_says() -> None:
    image = image_from_array(np.zeros((600, 1000), np.uint16), pixel_size_um=0.5)
    rgb = draw_picture(image, OverlayOptions(enlarge_to=1))
    longest = max(np.flatnonzero((row == 255).all(axis=-1)).size for row in rgb[500:])
    assert longest == 200
    assert not draw_picture(image, OverlayOptions(scale_bar=False)).any()


def test_enlarged_picture_has_an_enlarged_bar() -> None:
    image = image_from_array(np.zeros((150, 250), np.uint16), pixel_size_um=0.5)
    rgb = draw_picture(image, OverlayOptions(enlarge_to=1000))
    assert rgb.shape == (600, 1000, 3)
    assert max(np.flatnonzero((row == 255).all(axis=-1)).size for row in rgb[500:]) == 160


def test_colour_pictures_are_shown_as_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    image = image_from_array(pixels, "YXC", colour=True)
    np.testing.assert_array_equal(draw_picture(image, PLAIN), pixels)
    deep = Image(
        image_from_array(pixels.astype(np.uint16) * 257, "YXC").source,
        "CYX",
        tuple(map(Channel, "RGB")),
        colour=True,
    )
    np.testing.assert_array_equal(draw_picture(deep, PLAIN), pixels)


def test_channels_are_mixed_in_their_colours_with_chosen_limits() -> None:
    pixels = np.zeros((2, 4, 4), np.uint16)
    pixels[0, 0, 0], pixels[1, 0, 1], pixels[0, 0, 2] = 1000, 1000, 500
    options = PLAIN.model_copy(update={"colours": ("#ff0000", "#0000ff"), "limits": ((0.0, 1000.0), (0.0, 2000.0))})
    rgb = draw_picture(image_from_array(pixels, "CYX"), options)
    np.testing.assert_array_equal(rgb[0, :4], [[255, 0, 0], [0, 0, 128], [128, 0, 0], [0, 0, 0]])
    chosen = options.model_copy(update={"channels": ("channel1",), "colours": (), "limits": ((0.0, 1000.0),)})
    assert draw_picture(image_from_array(pixels, "CYX"), chosen)[0, 1].tolist() == [255, 255, 255]


def test_colours_of_the_file_are_used_if_all_channels_have_their_own() -> None:
    assert channel_colours([Channel("a", "#123456"), Channel("b", "#654321")]) == ["#123456", "#654321"]
    assert channel_colours([Channel("a", "#ffffff"), Channel("b", "#ffffff")]) == ["#00ff00", "#ff00ff"]
    assert channel_colours([Channel("a", "#0000ff")]) == ["#ffffff"]
    assert len(set(channel_colours([Channel(str(number)) for number in range(5)]))) == 5


@pytest.mark.parametrize("value", [0, 7])
def test_case_37_constant_image_is_black(value: int) -> None:
    assert not draw_picture(image_from_array(np.full((9, 9), value, np.uint16)), PLAIN).any()


def test_case_34_not_a_number_is_black_and_ignored_by_contrast() -> None:
    plane = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    plane[0, 0], plane[0, 1] = np.nan, np.inf
    low, high = contrast_limits(plane, 0, 100)
    assert np.isfinite([low, high]).all()
    assert stretch(plane, (low, high))[0, :2].tolist() == [0, 1]
    assert contrast_limits(np.full((2, 2), np.nan), 1, 99) == (0, 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 5000), (5000, 3), (65, 64)])
def test_case_39_thin_and_tiny_images_are_drawn(shape: tuple[int, int]) -> None:
    labels = labels_from_array(np.ones(shape, np.uint32))
    for um in (None, 0.1):
        image = image_from_array(np.arange(np.prod(shape), dtype=np.uint16).reshape(shape), pixel_size_um=um)
        assert max(draw_overlay(image, labels).shape) <= 2048


def test_case_51_other_size_is_refused() -> None:
    with pytest.raises(LabelsError, match="Y 5 × X 6"):
        draw_overlay(_black((5, 7)), labels_from_array(np.zeros((5, 6), np.uint32)))


def test_case_57_empty_labels_give_the_bare_picture() -> None:
    image = image_from_array(np.random.default_rng(0).integers(0, 99, (50, 60), dtype=np.uint16))
    labels = labels_from_array(np.zeros((50, 60), np.uint32))
    np.testing.assert_array_equal(draw_overlay(image, labels), draw_picture(image))


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match="limits has 1 entries for 2"):
        draw_picture(_black((2, 5, 5), "CYX"), OverlayOptions(limits=((0, 1),)))
    with pytest.raises(ParameterError, match="'red' is not a colour"):
        draw_picture(_black((5, 5)), OverlayOptions(colours=("red",)))


def test_the_plane_asked_for_is_drawn() -> None:
    pixels = np.zeros((2, 3, 20, 20), np.uint16)
    pixels[1, 2, 5, 5] = 9
    labels = np.zeros((2, 3, 20, 20), np.uint32)
    labels[1, 2, 10:15, 10:15] = 1
    image, stack = image_from_array(pixels, "TZYX"), labels_from_array(labels, "TZYX")
    assert not draw_overlay(image, stack, PLAIN).any()
    rgb = draw_overlay(image, stack, PLAIN, t=1, z=2)
    assert rgb[5, 5].tolist() == [255, 255, 255]
    assert rgb[10, 10].tolist() == [255, 0, 0]


class _Levels:
    """A plane with resolution levels that counts what is read of each."""

    def __init__(self, plane: NDArray[np.uint16]) -> None:
        self.levels = [plane, plane[::2, ::2], plane[::4, ::4]]
        self.largest_read = 0
        self.used: set[int] = set()

    dtype = np.dtype(np.uint16)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        height, width = self.levels[0].shape
        return 1, 1, 1, height, width

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        return tuple((level.shape[0], level.shape[1]) for level in self.levels)

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        self.used.add(level)
        self.largest_read = max(self.largest_read, box.shape[0] * box.shape[1])
        return self.levels[level][box.slices]


def test_large_planes_are_averaged_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellmetry.report.sampling._BAND_PIXELS", 40_000)
    plane = np.random.default_rng(0).integers(0, 1000, (1001, 1203), dtype=np.uint16)
    image = image_from_array(plane)
    scaling = choose_scaling(image, largest=256, smallest=1)
    assert scaling == (5, 1)
    small = sample_plane(image, 5, t=0, c=0, z=0)
    assert small.shape == (201, 241)
    assert small[3, 4] == pytest.approx(plane[15:20, 20:25].mean(), rel=1e-6)
    assert small[200, 240] == pytest.approx(plane[1000:, 1200:].mean(), rel=1e-6)
    labels = labels_from_array(plane.astype(np.uint32))
    np.testing.assert_array_equal(sample_labels(labels, 5, t=0, z=0)[:200, :240], plane[2:1000:5, 2:1200:5])


def test_levels_are_used_and_no_large_read_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellmetry.report.sampling._BAND_PIXELS", 40_000)
    source = _Levels(np.random.default_rng(0).integers(0, 1000, (1001, 1203), dtype=np.uint16))
    image = Image(source, "YX", (Channel("a"),), PixelSize(0.1, 0.1))
    scaling = choose_scaling(image, largest=256, smallest=1)
    assert scaling.reduce == 8
    assert sample_plane(image, 8, t=0, c=0, z=0).shape == (126, 151)
    assert source.used == {2}
    assert source.largest_read <= 40_000
