"""The fallback to installed bioio readers, tried where bioio is installed."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from cellmetry.errors import UnsupportedFormat
from cellmetry.io.assembling import assemble
from cellmetry.io.opening import open_image
from cellmetry.io.readers.bioio import BioioReader
from cellmetry.io.signatures import probe

if TYPE_CHECKING:
    from pathlib import Path


def test_unknown_content_without_bioio_reader(tmp_path: Path) -> None:
    (tmp_path / "a.unheard").write_bytes(b"of an unheard kind")
    assert not BioioReader.sniff(probe(str(tmp_path / "a.unheard")))
    with pytest.raises(UnsupportedFormat, match="installed bioio readers"):
        open_image(tmp_path / "a.unheard")


@pytest.mark.filterwarnings("ignore")
def test_what_bioio_reads(tmp_path: Path) -> None:
    pytest.importorskip("bioio", reason="bioio is optional")
    pytest.importorskip("bioio_tifffile", reason="a bioio plug-in is needed to try bioio")
    pixels = np.arange(2400, dtype="uint16").reshape(2, 30, 40)
    path = str(tmp_path / "a.tif")
    tifffile.imwrite(path, pixels, metadata={"axes": "CYX"})
    assert BioioReader.sniff(probe(path))
    (scene,) = BioioReader.scenes(path)
    image = pickle.loads(pickle.dumps(assemble(scene, path)))
    assert (image.axes, image.shape) == ("CYX", (2, 30, 40))
    assert not image.pixel_size.known
    assert "bioio" in image.warnings[0]
    np.testing.assert_array_equal(image.read(), pixels)
