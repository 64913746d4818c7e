"""The macro, run by a real ImageJ where one is installed: it opens our images and ROI zips and finds our numbers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import tifffile
from skimage.io import imsave

from cellmetry.core.image import PixelSize, image_from_array
from cellmetry.core.labels import Labels
from cellmetry.export.content import make_content
from cellmetry.export.forms.rois import Rois
from cellmetry.export.imagej_macro import MEASURES, MacroImage, imagej_macro, macro_string
from cellmetry.export.imagej_tiff import opens_in_imagej, write_imagej_tiff
from cellmetry.io.tables import read_table, write_table
from cellmetry.measure.imagej import measure_imagej
from cellmetry.ops.rolling_ball import RollingBall, subtract_imagej
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.fiji_check import FijiOptions, fiji_check
from cellmetry.pipeline.recipe import parse_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., str]

IMAGEJ = Path("/usr/share/java/ij.jar")
NASTY = 'a "b" \\c, d`e ä µ 細胞 𝄞 = 1; exit("x"); // no'
FIELDS = ["A02_s1_w10", "A12_s7_w1E", "A15_s5_w18"]


@pytest.fixture(scope="session")
def imagej(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the function that lets ImageJ run a macro file and returns what it printed."""
    java, javac = shutil.which("java"), shutil.which("javac")
    if java is None or javac is None or not IMAGEJ.is_file():
        pytest.skip("needs ImageJ (Debian's package imagej) and a JDK")
    screen = tmp_path_factory.mktemp("screen")
    source = Path(__file__).parent / "java" / "screen"
    code = source / "sun" / "awt" / "PlatformGraphicsInfo.java"
    made = subprocess.run(
        [javac, "-nowarn", f"--patch-module=java.desktop={source}", "-d", str(screen), str(code)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"this JDK has another screen inside: {made.stderr[:200]}")

    def run_macro(path: Path, *given: str) -> str:
        options = ["-Djava.awt.headless=false", f"--patch-module=java.desktop={screen}", f"-Duser.home={screen}"]
        command = [java, *options, "-cp", str(IMAGEJ), "ij.ImageJ", "-batch", str(path), *given]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        assert "Exception" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.stdout

    return run_macro


def cells(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return a plane of 16 bits, and labels with touching objects, a hole, an object in parts and a single pixel."""
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 30, (20, 25)), np.ones((6, 6), int)).astype(np.uint32)
    labels[:14, :14] = 0
    labels[2:9, 2:9], labels[4, 4], labels[12, 12] = 70_001, 0, 31
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    pixels = 200 + 2 * x + y + 300 * (labels > 0) + rng.normal(0, 20, labels.shape)
    return pixels.clip(0, 65535).astype(np.uint16), labels


def words(pixels: np.ndarray, labels: np.ndarray, size: PixelSize) -> pd.DataFrame:
    """Return what ImageJ should find of a plane, areas in the unit of the pixel size."""
    table = measure_imagej(image_from_array(pixels), Labels(labels))[["label", *MEASURES]]
    area = size.area_um2 if size.known else 1.0
    return table.assign(Area=table["Area"] * area, IntDen=table["IntDen"] * area)


def near(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Compare to the nine decimals that the macro writes."""
    assert found["label"].tolist() == wanted["label"].tolist()
    for name in MEASURES:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-12, atol=1e-9, err_msg=name)


def write_kinds(folder: Path, pixels: np.ndarray) -> list[tuple[str, np.ndarray, int, int]]:
    """Return file, measured plane, channel and channels of images of each kind that ImageJ opens by itself."""
    small = (pixels // 8).astype(np.uint8)
    real = pixels / np.float32(700)
    write_imagej_tiff(pixels, folder / "whole.tif", PixelSize(), "a")
    write_imagej_tiff(real, folder / "fractional.tif", PixelSize(2.0, 3.0), "a")
    imsave(folder / "picture.png", pixels, check_contrast=False)
    stack = np.stack([pixels // 2, pixels, pixels * 2])
    tifffile.imwrite(folder / "stack.tif", stack, imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(folder / "stack.ome.tif", stack, ome=True, metadata={"axes": "CYX"})
    tifffile.imwrite(folder / "colour.tif", np.stack([small // 2, small // 3, small], axis=-1), photometric="rgb")
    return [
        ("whole.tif", pixels, 1, 1),
        ("fractional.tif", real, 1, 1),
        ("picture.png", pixels, 1, 1),
        ("stack.tif", pixels, 2, 3),
        ("stack.ome.tif", pixels * 2, 3, 3),
        ("colour.tif", small // 3, 2, 3),
    ]


STEPS = [
    None,
    RollingBall(radius_px=50),
    RollingBall(radius_px=8, smooth=False, light_background=True),
    RollingBall(radius_px=20, create_background=True),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("size", [PixelSize(), PixelSize(0.65, 0.5)], ids=["pixels", "um"])
def test_imagej_measures_what_we_measure(
    imagej: Run, tmp_path: Path, step: RollingBall | None, size: PixelSize
) -> None:
    pixels, labels = cells()
    (tmp_path / "sub").mkdir()
    Rois().write(make_content(Labels(labels), "a"), tmp_path / "a b.zip")
    images, wanted, options = [], [], {} if step is None else step.model_dump(exclude={"channels", "variant"})
    for file, plane, channel, channels in write_kinds(tmp_path / "sub", pixels):
        name = f"{file} {NASTY}"
        count = len(np.unique(labels)) - 1
        images.append(MacroImage(name, f"sub/{file}", "a b.zip", labels.shape, count, channel, channels, size))
        corrected = plane if step is None else subtract_imagej(plane, **{**options, "smooth": step.smooth is not False})
        wanted.append(words(corrected, labels, size).assign(image=name, unit="x"))
    (tmp_path / "m.ijm").write_text(imagej_macro(images, step), encoding="ascii")
    ours = pd.concat(wanted, ignore_index=True)[["image", "label", "unit", *MEASURES]]
    write_table(ours, tmp_path / "ours.csv")
    said = imagej(tmp_path / "m.ijm")
    found = read_table(tmp_path / "fiji.csv")
    near(found, ours)
    assert found["image"].tolist() == [name.encode("ascii", "backslashreplace").decode() for name in ours["image"]]
    assert set(found["unit"]) == {"um" if size.known else "pixel"}
    assert f"{len(ours)} objects of {len(images)} images" in said
    largest = [float(line.rpartition(":")[2]) for line in said.splitlines() if line.startswith("  ")]
    assert len(largest) == len(MEASURES)
    assert max(largest) < 1e-6


@pytest.mark.parametrize("step", [[], [{"step": "rolling_ball", "radius_px": 50}]], ids=["as read", "rolling ball"])
@pytest.mark.parametrize("originals", [False, True])
def test_imagej_finds_the_numbers_of_a_run_on_real_images(
    imagej: Run, shared: Path, tmp_path: Path, step: list[dict[str, object]], originals: bool
) -> None:
    data = shared / "data" / "bbbc039"
    options = {"folder": str(data / "labels"), "pattern": "{stem}.png"}
    segment = {"step": "segment", "engine": "labels", "options": options}
    recipe = parse_recipe({"steps": [segment, *step, {"step": "measure", "features": ["size", "intensity"]}]})
    images = [data / "images" / f"{name}.tif" for name in FIELDS]
    if originals:  # ImageJ reads wrong values of these compressed files; see test_which_files_imagej_reads_as_stored
        images = [tmp_path / path.name for path in images]
        for path in images:
            tifffile.imwrite(path, tifffile.imread(data / "images" / path.name))
    run(recipe, images, tmp_path / "run")
    done = fiji_check(tmp_path / "run", tmp_path / "fiji", FijiOptions(originals=originals))
    assert (tmp_path / "fiji" / f"{FIELDS[0]}.tif").exists() != originals
    said = imagej(tmp_path / "fiji" / "measure.ijm")
    cells = read_table(tmp_path / "run" / "tables" / "cells.csv")
    found = read_table(tmp_path / "fiji" / "fiji.csv")
    assert (done.images, done.objects) == (len(FIELDS), len(cells))
    assert f"{len(cells)} objects of 3 images" in said
    assert found[["image", "label"]].to_numpy().tolist() == cells[["image", "label"]].to_numpy().tolist()
    for theirs, ours in {
        "Area": "area_px",
        "Mean": "mean_channel0",
        "Min": "min_channel0",
        "Max": "max_channel0",
    }.items():
        np.testing.assert_allclose(found[theirs], cells[ours], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found["RawIntDen"], cells["sum_channel0"], rtol=1e-12)


def simple_case(folder: Path) -> pd.DataFrame:
    """Write image, outlines, macro and numbers of one image; return the numbers."""
    pixels, labels = cells()
    write_imagej_tiff(pixels, folder / "a.tif", PixelSize(), "a")
    Rois().write(make_content(Labels(labels), "a"), folder / "a.zip")
    image = MacroImage("a", "a.tif", "a.zip", labels.shape, len(np.unique(labels)) - 1)
    (folder / "m.ijm").write_text(imagej_macro([image]), encoding="ascii")
    ours = words(pixels, labels, PixelSize()).assign(image="a", unit="pixel")[["image", "label", "unit", *MEASURES]]
    write_table(ours, folder / "ours.csv")
    return ours


def test_the_macro_tells_how_far_numbers_are(imagej: Run, tmp_path: Path) -> None:
    ours = simple_case(tmp_path)
    ours.loc[4, "Mean"] *= 1.25
    write_table(ours, tmp_path / "ours.csv")
    said = imagej(tmp_path / "m.ijm")
    assert "Mean: 2.00E-1" in said
    assert "Area: 0.00E0" in said
    (tmp_path / "ours.csv").unlink()
    assert "Largest" not in imagej(tmp_path / "m.ijm")


ONE = Labels(np.eye(9, dtype=np.uint32))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "a.tif").unlink(), "There is no image"),
        (lambda folder: write_imagej_tiff(np.zeros((9, 9), np.uint8), folder / "a.tif", PixelSize(), "a"), "Another"),
        (lambda folder: Rois().write(make_content(ONE, "a"), folder / "a.zip"), "not 31"),
        (lambda folder: write_table(pd.DataFrame([["a", 5, "x", *range(6)]]), folder / "ours.csv"), "Another object"),
    ],
)  # fmt: skip
def test_the_macro_stops_in_words_and_leaves_no_half_table(
    imagej: Run, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    simple_case(tmp_path)
    spoil(tmp_path)
    assert words in imagej(tmp_path / "m.ijm")
    assert not (tmp_path / "fiji.csv").exists()


def test_which_files_imagej_reads_as_stored(imagej: Run, tmp_path: Path) -> None:
    """Files that we say ImageJ reads, it reads; the usual compression with a predictor it gets wrong in silence."""
    pixels, _ = cells()
    forms = {
        "plain": {},
        "big": {"byteorder": ">"},
        "strips": {"rowsperstrip": 7},
        "predicted": {"compression": "zlib", "predictor": True},
        "tiled": {"tile": (32, 32)},
    }
    for name, how in forms.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, **how)
    imsave(tmp_path / "picture.png", pixels, check_contrast=False)
    said = {path.stem: opens_in_imagej(path) for path in tmp_path.glob("*.*")}
    assert said == {"plain": True, "big": True, "strips": True, "picture": True, "predicted": False, "tiled": False}
    read = ""
    for name in ("plain.tif", "big.tif", "strips.tif", "picture.png", "predicted.tif"):
        path = macro_string(str(tmp_path / name))
        read += f"open({path}); getRawStatistics(n, mean, low, high); print(d2s(n * mean, 0)); close();\n"
    (tmp_path / "m.ijm").write_text("setBatchMode(true);\n" + read, encoding="ascii")
    sums = [int(line) for line in imagej(tmp_path / "m.ijm").split()]
    assert sums[:4] == [pixels.sum()] * 4
