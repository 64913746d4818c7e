"""GeoJSON as QuPath writes it, in its versions, and what we write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import CellmetryError, DamagedFile, InputError
from cellmetry.export.content import make_content
from cellmetry.export.forms.geojson import GeoJson
from cellmetry.export.frame import Frame
from cellmetry.testing.exporter import label_cases

FRAME = Frame((40, 40))


def box(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]


def feature(*rings: list[list[float]], **more: Any) -> dict[str, Any]:
    properties = more.pop("properties", {"objectType": "annotation"})
    plane = {"plane": more.pop("plane")} if "plane" in more else {}
    geometry = more.pop("geometry", {"type": "Polygon", "coordinates": list(rings), **plane})
    return {"type": "Feature", "id": "8a0d7a2e-0e1c-4b1e-8f3c-0e3f4c9a7c11", "geometry": geometry,
            "properties": properties, **more}  # fmt: skip


def read(content: Any, folder: Path, frame: Frame = FRAME, **options: Any) -> Any:
    (folder / "a.geojson").write_text(json.dumps(content), encoding="utf-8")
    return GeoJson(**options).read(folder / "a.geojson", frame)


def written(array: np.ndarray, folder: Path, **options: Any) -> dict[str, Any]:
    GeoJson(**options).write(make_content(labels_from_array(array), "a"), folder / "a.geojson")
    return json.loads((folder / "a.geojson").read_text(encoding="utf-8"))


def test_rings_are_closed_and_run_as_the_standard_wants(tmp_path: Path) -> None:
    content = written(label_cases()["holes"], tmp_path)
    (found,) = content["features"]
    assert content["type"] == "FeatureCollection"
    assert (found["type"], found["geometry"]["type"]) == ("Feature", "Polygon")
    for number, ring in enumerate(found["geometry"]["coordinates"]):
        x, y = np.array(ring).T
        area = 0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
        assert ring[0] == ring[-1]
        assert (area > 0) == (number == 0)
    assert found["properties"] == {"objectType": "cell", "name": "1"}


def test_parts_are_a_multipolygon(tmp_path: Path) -> None:
    found = {each["properties"]["name"]: each for each in written(label_cases()["parts"], tmp_path)["features"]}
    assert found["3"]["geometry"]["type"] == "MultiPolygon"
    assert len(found["3"]["geometry"]["coordinates"]) == 2


@pytest.mark.parametrize("kind", ["cell", "detection", "annotation"])
def test_types_and_locks_are_as_asked(kind: str, tmp_path: Path) -> None:
    (found,) = written(label_cases()["one object"], tmp_path, object_type=kind, locked=True)["features"]
    assert found["properties"] == {"objectType": kind, "isLocked": True, "name": "1"}


def test_classes_have_a_colour_without_which_qupath_refuses_them(tmp_path: Path) -> None:
    table = pd.DataFrame({"label": [1], "kind": ["Tumor"], "area": [30.0], "none": [np.nan]})
    content = make_content(labels_from_array(label_cases()["one object"]), "a", table, "kind")
    GeoJson().write(content, tmp_path / "a.geojson")
    (found,) = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert found["properties"]["classification"] == {"name": "Tumor", "color": [0, 114, 178]}
    assert found["properties"]["measurements"] == {"area": 30.0}


def test_planes_are_counted_from_nought_as_in_qupath(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 6, 7), np.uint32)
    array[:, :, 2:4, 2:5] = 4
    GeoJson().write(make_content(Labels(array, "TZYX"), "a"), tmp_path / "a.geojson")
    planes = [each["geometry"].get("plane") for each in json.loads((tmp_path / "a.geojson").read_text())["features"]]
    assert planes[0] is None
    assert planes[5] == {"c": -1, "z": 2, "t": 1}


def test_what_qupath_writes_is_read(tmp_path: Path) -> None:
    classified = {"objectType": "cell", "name": "17", "classification": {"name": "Tumor", "color": [200, 0, 0]},
                  "color": [1, 2, 3], "isLocked": True, "measurements": {"Nucleus: Area": 3.5}}  # fmt: skip
    derived = {"objectType": "detection", "classification": {"names": ["Tumor", "Positive"], "color": [200, 0, 0]},
               "measurements": [{"name": "Area", "value": 9}]}  # fmt: skip
    content = {"type": "FeatureCollection", "features": [
        feature(box(1, 1, 9, 9), box(3, 3, 5, 5), properties=classified, nucleusGeometry={
            "type": "Polygon", "coordinates": [box(6, 6, 8, 8)]}),
        feature(box(20.25, 20, 25.25, 30), properties=derived),
    ]}  # fmt: skip
    found = read(content, tmp_path)
    labels = found.labels.read()
    assert {k: int((labels == k).sum()) for k in np.unique(labels) if k} == {17: 60, 18: 50}
    assert found.objects["class"].tolist() == ["Tumor", "Tumor: Positive"]
    assert found.objects["Nucleus: Area"].tolist()[0] == 3.5
    assert found.objects["Area"].tolist()[1] == 9
    assert found.objects["colour"].tolist()[0] == "#010203"
    assert "18" in found.notes[0]
    nuclei = read(content, tmp_path, outline="nucleus")
    assert int((nuclei.labels.read() == 17).sum()) == 4
    assert "without outline" in nuclei.notes[0]


def test_old_files_are_read(tmp_path: Path) -> None:
    old = feature(box(1, 1, 5, 5), properties={"classification": {"name": "Stroma", "colorRGB": -3670016}})
    found = read([{**old, "id": "PathDetectionObject"}], tmp_path)
    assert found.labels.read().sum() == 16
    assert found.objects["class"].tolist() == ["Stroma"]


def test_a_single_feature_and_objects_within_it_are_read(tmp_path: Path) -> None:
    inner = feature(box(2, 2, 4, 4), properties={"objectType": "cell", "name": "5"})
    outer = feature(box(0, 0, 30, 30), properties={"objectType": "annotation", "childObjects": [inner]})
    found = read(outer, tmp_path)
    assert np.unique(found.labels.read()).tolist() == [0, 5]
    assert found.notes[0].startswith("1 objects of the type annotation were left out")
    everything = read(outer, tmp_path, take="all").labels.read()
    assert np.bincount(everything.ravel())[5:].tolist() == [4, 896]


def test_ellipses_are_ellipses_again(tmp_path: Path) -> None:
    turn = np.linspace(0, 2 * np.pi, 9)
    rough = np.column_stack([20 + 15 * np.cos(turn), 20 + 10 * np.sin(turn)]).tolist()
    found = read(feature(geometry={"type": "Polygon", "coordinates": [rough], "isEllipse": True}), tmp_path)
    assert (found.labels.read() > 0).sum() == pytest.approx(np.pi * 150, rel=0.02)


def test_planes_and_collections_are_read(tmp_path: Path) -> None:
    both = {"type": "GeometryCollection", "geometries": [
        {"type": "Polygon", "coordinates": [box(0, 0, 2, 2)]}, {"type": "Point", "coordinates": [1, 1]},
        {"type": "MultiPolygon", "coordinates": [[box(4, 0, 6, 2)]]}], "plane": {"c": -1, "z": 1, "t": 0}}  # fmt: skip
    frame = Frame((3, 40, 40), "ZYX")
    assert read(feature(geometry=both), tmp_path, frame).labels.read().sum(axis=(1, 2)).tolist() == [0, 8, 0]
    assert read(feature(box(0, 0, 2, 2)), tmp_path, frame).labels.read().sum(axis=(1, 2)).tolist() == [4, 0, 0]
    with pytest.raises(InputError, match="Z 2"):
        read(feature(geometry=both), tmp_path)


def test_lines_and_points_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no area"):
        read(feature(geometry={"type": "LineString", "coordinates": [[0, 0], [1, 1]]}), tmp_path)


WRONG = [
    "nothing", {"type": "Polygon"}, {"type": "FeatureCollection"}, [feature(geometry={"type": "Polygon"})],
    [feature([[0, 0], [1, 1]])], [feature([[0, 0], [1, None], [2, 2]])], [feature([[0, 0], [1, "a"], [2, 2]])],
    [feature(box(0, 0, 1e300, 5))], [feature(box(0, 0, 9, 9), properties=[1])], [[]], 7,
]  # fmt: skip


@pytest.mark.parametrize("content", WRONG)
def test_wrong_files_are_refused_in_words(content: Any, tmp_path: Path) -> None:
    with pytest.raises(CellmetryError, match=r"\w"):
        read(content, tmp_path)


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text("[" * 200_000)
    with pytest.raises(CellmetryError, match="a.geojson"):
        GeoJson().read(tmp_path / "a.geojson", FRAME)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(feature(box(0, 0, 9, 9))).replace("9]", "NaN]"))
    with pytest.raises(DamagedFile, match="not a number"):
        GeoJson().read(tmp_path / "a.geojson", FRAME)
