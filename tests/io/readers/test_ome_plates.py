"""Plate, well and field of OME-XML."""

from __future__ import annotations

import pytest

from cellmetry.io.readers.ome_xml import parse_ome

IMAGE = (
    '<Image ID="Image:{0}"><Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="8" SizeY="8" SizeC="1" SizeZ="1" '
    'SizeT="1"><Channel/></Pixels></Image>'
)
SAMPLE = '<WellSample ID="WellSample:{0}" Index="{0}"><ImageRef ID="Image:{0}"/></WellSample>'


def places(wells: str, name: str = 'Name="P7"') -> list[dict]:
    images = "".join(map(IMAGE.format, range(3)))
    namespace = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    document, notes = parse_ome(
        f'<OME xmlns="{namespace}"><Plate ID="Plate:1" {name}>{wells}</Plate>{images}</OME>', "a.tif"
    )
    assert document is not None
    assert not notes
    return [image.metadata for image in document.images]


def test_images_of_wells() -> None:
    wells = (
        f'<Well Row="0" Column="0">{SAMPLE.format(0)}{SAMPLE.format(2)}</Well>'
        f'<Well Row="1" Column="11">{SAMPLE.format(1)}<WellSample ID="WellSample:9" Index="9"/></Well>'
    )
    assert places(wells) == [
        {"plate": "P7", "well": "A01", "field": "1"},
        {"plate": "P7", "well": "B12", "field": "1"},
        {"plate": "P7", "well": "A01", "field": "2"},
    ]
    assert places(wells, "")[0]["plate"] == "Plate:1"


@pytest.mark.parametrize("where", ['Row="x" Column="1"', 'Column="1"', 'Row="-1" Column="0"'])
def test_a_well_without_a_place_is_no_reason_to_ignore_the_rest(where: str) -> None:
    assert places(f"<Well {where}>{SAMPLE.format(1)}</Well>") == [{}, {"plate": "P7", "field": "1"}, {}]
