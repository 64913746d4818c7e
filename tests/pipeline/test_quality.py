"""What a look at an image's middle tells: blurred, saturated and empty ones stand out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from cellmetry.ops.image_quality import judge_pixels
from cellmetry.ops.synthetic import FieldOptions, make_cells
from cellmetry.pipeline.stored.quality import quality_of_images


def field(seed, **look):
    return make_cells((256, 256), 12, FieldOptions(**look), seed=seed).image[0]


def image(name, pixels):
    header = {"quality": [judge_pixels(pixels)._asdict()], "colour": False, "axes": "YX", "shape": pixels.shape}
    return SimpleNamespace(id=name, header=header)


def test_blurred_saturated_and_empty_images_are_doubtful():
    noise = np.random.default_rng(0).normal(200, 10, (256, 256)).astype(np.uint16)
    images = [image(f"good{seed}", field(seed)) for seed in range(5)]
    images += [image("blurred", field(7, blur_px=5.0)), image("noise", noise)]
    images.append(image("bright", field(8, dna=9000.0)))
    found = quality_of_images(images)
    assert [found[f"good{seed}"].state for seed in range(5)] == ["good"] * 5
    assert "sharp" in found["blurred"].reasons[0]
    assert found["noise"].empty
    assert "saturated" in found["bright"].reasons[0]
    assert [found[name].faults for name in ("blurred", "noise", "bright")] == [("blurred",), ("empty",), ("saturated",)]


def test_of_a_large_image_is_said_that_its_middle_was_looked_at():
    small = image("small", field(8, dna=9000.0))
    large = image("large", field(8, dna=9000.0))
    large.header["shape"] = (5000, 600)
    found = quality_of_images([small, large])
    assert (found["small"].middle, found["large"].middle) == (None, (768, 600))
    assert "of the pixels are saturated" in found["small"].reasons[0]
    assert "of the pixels in the middle of the image are saturated" in found["large"].reasons[0]


def test_nothing_is_said_of_an_image_that_was_not_read_and_tiny_ones_are_empty():
    assert quality_of_images([SimpleNamespace(id="new", header={})]) == {}
    assert judge_pixels(np.zeros((2, 2))) == (0.0, 0.0, 0.0)
    assert judge_pixels(np.full((9, 9), 255, np.uint8)).saturated == 1.0
