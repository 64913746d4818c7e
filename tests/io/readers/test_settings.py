"""How an image was taken, under one name for each setting, whatever the format."""

from __future__ import annotations

import pytest

from cellmetry.io.opening import open_image
from cellmetry.io.readers.nd2_settings import nd2_settings

CAMERA = (
    "Dimensions: XY(4) x λ(2)\r\nCamera Name: Flash4.0\r\nNumber of Picture Planes: 2\r\nPlane #1:\r\n Name: Green\r\n"
    " Camera Settings:   Exposure: 20 ms\r\n  Binning: 2x2\r\n  Scan Mode: Fast\r\n Microscope Settings: x\r\n"
    "Plane #2:\r\n Name: Red\r\n Camera Settings:   {Exposure}: 1.5 s\r\n  {Binning}: 2x2\r\n"
)


def test_nd2_settings_of_a_camera() -> None:
    assert nd2_settings(CAMERA) == {"exposure_ms": [20.0, 1500.0], "binning": ["2x2", "2x2"]}
    assert nd2_settings("") == {}


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        (
            "czi/CD_s_1_t_3_c_2_z_5.czi",
            {"exposure_ms": [100.0, 200.0], "light_percent": [50.0, 50.0], "binning": ["1x1", "1x1"]},
        ),
        ("czi/tiles_z.czi", {"gain": [600.0, 325.0], "digital_gain": [1.0, 1.0], "binning": ["1x1", "1x1"]}),
        (
            "lif/testdata_2channel_xz.lif",
            {
                "gain": pytest.approx([41.502, 105.842], abs=1e-3),
                "light_percent": pytest.approx({"488 nm": 0.49985, "552 nm": 49.9952}, abs=1e-4),
            },
        ),
        ("nd2/cluster.nd2", {"gain": [37.0, 75.0], "light_percent": {"488 nm": 0.5, "561 nm": 9.0}}),
    ],
)
def test_settings_of_real_files(shared, file: str, wanted: dict[str, object]) -> None:
    metadata = open_image(shared / "data" / "formats" / file).metadata
    for name, value in wanted.items():
        assert metadata[name] == value
    names = ("exposure_ms", "gain", "digital_gain", "light_percent", "binning")
    assert {name for name in names if name in metadata} == set(wanted)
