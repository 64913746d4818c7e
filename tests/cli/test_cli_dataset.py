"""`cellmetry dataset`: check, split, list, get and import as a user calls them."""

from __future__ import annotations

import json
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import InputError, ParameterError
from cellmetry.io.tables import read_table
from cellmetry.learn.dataset import read_data_set, read_truth
from cellmetry.learn.registry import PublicDataSet
from cellmetry.learn.splits import read_split
from cellmetry.ops.synthetic import FieldOptions, make_cells


def call(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["dataset", *map(str, arguments)])
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("images", "labels"):
        (tmp_path / "mine" / name).mkdir(parents=True)
    for seed in range(6):
        made = make_cells((128, 128), 8, FieldOptions(diameter_px=12), seed=seed)
        tifffile.imwrite(tmp_path / f"mine/images/f{seed}.tif", made.image[0])
        tifffile.imwrite(tmp_path / f"mine/labels/f{seed}.tif", made.labels.astype(np.uint16))
    return tmp_path / "mine"


def test_check_says_and_writes_what_it_found(folder: Path, tmp_path: Path) -> None:
    said = call("check", folder, "--out", tmp_path / "checked")
    assert "mine: 6 images, 48 objects." in said
    assert "It can be used." in said
    written = json.loads((tmp_path / "checked/check.json").read_text("utf-8"))
    assert written["objects"] == 48
    assert len(read_table(tmp_path / "checked/items.csv")) == 6
    assert (tmp_path / "checked/contact_sheet.png").is_file()
    assert (tmp_path / "checked/sizes.png").is_file()


def test_check_exits_with_2_on_unusable_data(folder: Path) -> None:
    tifffile.imwrite(folder / "labels/f3.tif", np.ones((10, 10), np.uint16))
    assert "f3 is 10 × 10 pixels, its image 128 × 128" in call("check", folder, code=2)
    found = json.loads(call("check", folder, "--json", code=2))
    assert not found["usable"]
    assert found["problems"][0]["kind"] == "size mismatch"


def test_split_writes_where_each_item_goes(folder: Path, tmp_path: Path) -> None:
    said = call("split", folder, "--out", tmp_path / "split.csv", "--fractions", "0.5,0.25,0.25", "--seed", "4")
    assert "6 groups" in said or "groups" in said
    split = read_split(tmp_path / "split.csv")
    assert len(split.rows) == 6
    assert {row.split for row in split.rows} == {"train", "validation", "test"}
    counts = json.loads(call("split", folder, "--out", tmp_path / "again.csv", "--json"))
    assert sum(counts["items"]["mine"].values()) == 6
    with pytest.raises(ParameterError, match="three numbers"):
        call("split", folder, "--out", tmp_path / "s.csv", "--fractions", "0.5,0.5")


def test_list_shows_licences() -> None:
    known = {each["name"]: each for each in json.loads(call("list", "--json"))}
    assert known["livecell"]["non_commercial"]
    assert "NC: not for commercial use" in call("list")


def test_import_makes_a_data_set_with_its_licence(folder: Path, tmp_path: Path) -> None:
    said = call(
        *("import", "pairs", folder, "--out", tmp_path / "made", "--licence", "CC-BY-NC-4.0"),
        *("--name", "other", "--set", "copy_images=true"),
    )
    assert "6 images with truth" in said
    assert "Not for commercial use" in said
    made = read_data_set(tmp_path / "made")
    assert (made.card.name, made.card.licence, made.card.non_commercial) == ("other", "CC-BY-NC-4.0", True)
    assert read_truth(made.items[0]).max() == 8
    call("import", "pairs", folder, "--out", tmp_path / "shut", "--licence", "my own", "--non-commercial")
    assert read_data_set(tmp_path / "shut").card.non_commercial
    with pytest.raises(ParameterError, match="copy_images"):
        call("import", "pairs", folder, "--out", tmp_path / "x", "--set", "copy_image=true")
    with pytest.raises(ParameterError, match="name=value"):
        call("import", "pairs", folder, "--out", tmp_path / "x", "--set", "copy_images")


def test_get_from_a_file_fetched_by_hand(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "usiigaci.zip", "w") as archive:
        for number in range(2):
            archive.write(folder / f"images/f{number}.tif", f"set{number}/raw.tif")
            made = make_cells((128, 128), 8, FieldOptions(diameter_px=12), seed=number)
            _png(tmp_path / "ids.png", made.labels.astype(np.uint16))
            archive.write(tmp_path / "ids.png", f"set{number}/instances_ids.png")
    said = call("get", "usiigaci", "--out", tmp_path / "got", "--from", tmp_path / "usiigaci.zip")
    assert "Licence: MIT" in said
    made_set = read_data_set(tmp_path / "got/data")
    assert [item.name for item in made_set.items] == ["set0", "set1"] or len(made_set.items) == 2
    assert made_set.card.licence == "MIT"


def test_get_fetches_unpacks_and_imports_from_a_server(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for path in sorted(folder.rglob("*.tif")):
            archive.write(path, path.relative_to(folder))
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        file = {"url": f"http://127.0.0.1:{server.server_port}/both.zip"}
        entry = {"name": "made", "title": "Made here", "licence": "CC-BY-NC-4.0", "non_commercial": True}
        entry |= {"home": "https://example.org", "importer": "pairs", "files": [file], "citation": "Me (2026)"}
        monkeypatch.setattr("cellmetry.cli.dataset.get.find_public", lambda _: PublicDataSet.model_validate(entry))
        said = call("get", "made", "--out", tmp_path / "got")
        server.shutdown()
        thread.join()
    assert "Not for commercial use" in said
    assert "Me (2026)" in said
    made = read_data_set(tmp_path / "got/data")
    assert len(made.items) == 6
    assert (made.card.licence, made.card.non_commercial) == ("CC-BY-NC-4.0", True)
    assert (tmp_path / "got/downloads/checksums.csv").is_file()


def test_get_says_plainly_what_must_be_fetched_by_hand(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"login.*--from FILE"):
        call("get", "sartorius", "--out", tmp_path / "out")
    with pytest.raises(InputError, match="no address"):
        call("get", "nuinsseg", "--out", tmp_path / "out")
    (tmp_path / "images.zip").write_bytes(b"x")
    with pytest.raises(InputError, match=r"masks\.zip must be given too"):
        call("get", "bbbc039", "--out", tmp_path / "out", "--from", tmp_path / "images.zip")
    assert not (tmp_path / "out").exists()


def _png(path: Path, labels: np.ndarray) -> None:
    from PIL import Image as Picture

    Picture.fromarray(labels).save(path)
