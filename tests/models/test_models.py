"""Finding models and refusing what is not one, before any image is read (reliability cases 63 and F17)."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
import zipfile
from pathlib import Path

import pytest

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ModelError, ParameterError
from cellmetry.models.card import ModelCard
from cellmetry.models.store import find_model, list_models
from cellmetry.models.words import describe_card
from cellmetry.settings import current_settings, models_folder

WEIGHTS = b"\x08\x08\x12\x04test" + bytes(range(64))
REMOVED = object()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's folder, and a package without models."""
    monkeypatch.setenv("CELLMETRY_MODELS", str(tmp_path / "mine"))
    monkeypatch.setattr("cellmetry.models.store.PACKAGED", tmp_path / "packaged")
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def values(name: str = "mine", **changes) -> dict:
    card = {
        "name": name,
        "version": "3",
        "licence": "CC0-1.0",
        "training_data": [{"name": "BBBC039", "licence": "CC0-1.0", "images": 100}],
        "margin_px": 64,
        "stride": 16,
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "size_bytes": len(WEIGHTS),
        **changes,
    }
    return {key: value for key, value in card.items() if value is not REMOVED}


def write(folder: Path, name: str = "mine", weights: bytes | None = WEIGHTS, **changes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    if weights is not None:
        path.write_bytes(weights)
    path.with_suffix(".json").write_text(json.dumps(values(name, **changes)), "utf-8")
    return path


def card(**changes) -> ModelCard:
    return parse_parameters(ModelCard, values(**changes), where="card")


def test_found_by_name_by_path_and_by_card(folder):
    path = write(folder)
    for given in ("mine", str(path), path, path.with_suffix(".json")):
        model = find_model(given)
        assert model.path == path
        assert model.card.training_data[0].images == 100
        assert model.read_weights() == WEIGHTS


def test_card_in_toml(folder):
    path = write(folder)
    path.with_suffix(".json").unlink()
    lines = [f"{key} = {json.dumps(value)}" for key, value in values(training_data=[]).items()]
    path.with_suffix(".toml").write_text("\n".join(lines) + "\n[decoding]\nsink_radius_px = 3\n", "utf-8")
    assert find_model("mine").card.decoding.sink_radius_px == 3
    path.with_suffix(".json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match="two cards"):
        find_model(path)


def test_packaged_models_win_and_all_are_listed(folder, tmp_path):
    write(folder, "same", version="of the user")
    write(folder, "mine")
    write(tmp_path / "packaged", "same", version="of the package")
    assert find_model("same").card.version == "of the package"
    assert [(model.name, model.path.parent.name) for model in list_models()] == [("same", "packaged"), ("mine", "mine")]


def test_a_damaged_card_is_listed_with_its_problem(folder):
    write(folder, "good")
    (folder / "bad.json").write_text('{"name": "bad"', "utf-8")
    listed = {model.name: model for model in list_models()}
    assert listed["good"].problem is None
    assert listed["bad"].card is None
    assert "bad.json cannot be read" in listed["bad"].problem


def test_default_model_is_base(folder):
    with pytest.raises(
        ModelError, match=r"no model 'base'\. It comes with the package and is taken when none is named.*Known"
    ):
        find_model()
    write(folder, "base")
    assert find_model().card.name == "base"


def test_unknown_name_lists_the_known_and_says_how_to_give_one(folder):
    write(folder, "mine")
    with pytest.raises(ModelError, match=r"no model 'mime'\. Known: mine\. .*--model PATH.*nothing is downloaded"):
        find_model("mime")


def test_a_file_here_named_like_a_model_is_not_taken_for_it(folder, tmp_path, monkeypatch):
    write(folder, "mine")
    monkeypatch.chdir(tmp_path)
    Path("other").write_bytes(WEIGHTS)
    with pytest.raises(ModelError, match="no model 'other'"):
        find_model("other")


# Case 63: missing, truncated, altered, pickled


def test_missing_file_and_missing_weights(folder):
    with pytest.raises(ModelError, match=r"no model file .*absent\.onnx"):
        find_model(folder / "absent.onnx")
    with pytest.raises(ModelError, match=r"no model card .*absent\.json"):
        find_model(folder / "absent.json")
    path = write(folder, weights=None)
    with pytest.raises(ModelError, match="weights of model 'mine' are missing; they should be") as caught:
        find_model("mine")
    assert str(path) in str(caught.value)


def test_truncated_longer_and_altered_weights(folder):
    path = write(folder)
    path.write_bytes(WEIGHTS[:-5])
    with pytest.raises(ModelError, match=rf"ends early, {len(WEIGHTS) - 5} bytes of {len(WEIGHTS)}"):
        find_model("mine")
    path.write_bytes(WEIGHTS + b"x")
    with pytest.raises(ModelError, match="too long"):
        find_model("mine")
    path.write_bytes(WEIGHTS[:-1] + b"\xff")
    with pytest.raises(ModelError, match="SHA-256"):
        find_model("mine")
    path.write_bytes(b"")
    with pytest.raises(ModelError, match="is empty"):
        find_model("mine")


def test_weights_changed_after_they_were_found(folder):
    path = write(folder)
    model = find_model("mine")
    path.write_bytes(WEIGHTS[::-1])
    with pytest.raises(ModelError, match="SHA-256"):
        model.read_weights()


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("suffix", [".pt", ".onnx"])
def test_a_pickle_is_refused_and_not_run(tmp_path, folder, protocol, suffix):
    marker = tmp_path / "run"
    content = pickle.dumps(Payload(marker), protocol)
    assert pickle.loads(content) is None
    assert marker.exists()
    marker.unlink()
    (folder / f"evil{suffix}").write_bytes(content)
    with pytest.raises(ModelError, match="a pickle" if protocol >= 2 else "evil"):
        find_model(folder / f"evil{suffix}")
    assert not marker.exists()


def test_archives_and_other_formats_are_named(folder):
    torch = folder / "torch.pth"
    with zipfile.ZipFile(torch, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    for path, start, word in (
        (torch, None, "zip archive, as PyTorch"),
        (folder / "keras.h5", b"\x89HDF\r\n\x1a\n", "HDF5"),
        (folder / "lfs.onnx", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (folder / "page.onnx", b"<!DOCTYPE html>", "web page"),
    ):
        if start:
            path.write_bytes(start + bytes(100))
        with pytest.raises(ModelError, match=word):
            find_model(path)


def test_an_onnx_file_without_card(folder):
    path = folder / "naked.onnx"
    path.write_bytes(WEIGHTS)
    for given in (path, "naked"):
        with pytest.raises(ModelError, match=r"no card; exactly one of naked\.json or naked\.toml"):
            find_model(given)


def test_a_card_of_another_file_or_name(folder):
    path = write(folder, file="other.onnx")
    with pytest.raises(ModelError, match=r"describes other\.onnx, not mine\.onnx"):
        find_model(path)
    path.with_suffix(".json").write_text(json.dumps(values("else")), "utf-8")
    with pytest.raises(ModelError, match="of a model named 'else'"):
        find_model("mine")


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs chmod")
def test_unreadable_weights(folder):
    write(folder).chmod(0)
    with pytest.raises(ModelError, match="cannot be read"):
        find_model("mine")


BAD_CARDS = {
    "unknown field": ({"magin_px": 3}, "magin_px"),
    "path in file name": ({"file": "../other.onnx"}, "file"),
    "windows path": ({"file": "c:other.onnx"}, "file"),
    "no licence": ({"licence": REMOVED}, "licence: field required"),
    "hash in capitals": ({"sha256": "A" * 64}, "sha256"),
    "limits swapped": ({"percentiles": (99, 1)}, "first of two limits"),
    "percentile above 100": ({"percentiles": (1, 101)}, "percentiles"),
    "endless": ({"diameter_px": float("inf")}, "diameter_px"),
    "unknown head": ({"heads": ("foreground", "flows")}, "heads"),
    "head twice": ({"heads": ("flow", "flow")}, "once only"),
    "no version": ({"version": REMOVED}, "version: field required"),
    "of the future": ({"format": 2}, "format 2; this Cellmetry reads format 1"),
    "hidden licence": (
        {"training_data": [{"name": "LIVECell", "licence": "CC-BY-NC-4.0", "non_commercial": True}]},
        "licence of LIVECell forbids it",
    ),
}


@pytest.mark.parametrize("case", BAD_CARDS)
def test_wrong_cards_are_refused_in_words(case, folder):
    changes, message = BAD_CARDS[case]
    write(folder, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        find_model("mine")
    assert "mine.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1, 2]", "not json", '{"name": ' * 5000, "\ufeff{}", '"x"'])
def test_cards_that_are_no_cards(text, folder):
    write(folder).with_suffix(".json").write_text(text, "utf-8")
    with pytest.raises(ModelError, match=r"mine\.json"):
        find_model("mine")


def test_a_huge_card_is_not_read(folder):
    write(folder).with_suffix(".json").write_bytes(b" " * 1_000_001)
    with pytest.raises(ModelError, match="larger than"):
        find_model("mine")


def test_card_survives_json_and_is_hashable():
    given = card(pixel_size_um=(0.2, 1.5), scores=[{"data": "held out", "measure": "AP at IoU 0.5", "value": 0.9}])
    assert ModelCard.model_validate_json(given.model_dump_json()) == given
    assert hash(given) == hash(card(**given.model_dump()))
    assert given.segments
    assert not card(heads=("density",)).segments


@pytest.mark.parametrize(("span", "words"), [((0.2, 1.5), "0.2 to 1.5 µm wide"), ((0.5, 0.5), "are 0.5 µm wide")])
def test_a_card_says_which_pixel_sizes_it_learnt_from(span, words):
    assert words in " ".join(line.text for line in describe_card(card(pixel_size_um=span)))


def test_a_card_says_that_edges_are_those_of_every_cell():
    said = " ".join(line.text for line in describe_card(card(heads=("foreground", "flow", "boundary"))))
    assert "It puts out: where cells are, the direction to each cell's centre, the edge of each cell." in said


def test_a_name_is_a_word_and_no_path():
    with pytest.raises(ParameterError, match="name"):
        card(**values("../x", file="x.onnx"))


def test_every_field_of_a_card_is_described():
    assert all(field.description for field in ModelCard.model_fields.values())


def test_a_licence_that_forbids_commerce_is_enough():
    assert card(licence="CC-BY-NC-4.0").non_commercial
    with pytest.raises(ParameterError, match=r"must be true.*CC-BY-NC-4.0 forbids"):
        card(licence="CC-BY-NC-4.0", non_commercial=False)


def test_non_commercial_is_carried():
    data = [{"name": "LIVECell", "licence": "CC-BY-NC-4.0", "non_commercial": True}]
    assert card(training_data=data, non_commercial=True).non_commercial


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_DATA_HOME", ("cellmetry", "models")),
        ("win32", "LOCALAPPDATA", ("cellmetry", "models")),
    ],
)
def test_the_users_folder_is_where_the_platform_keeps_data(platform, variable, expected, monkeypatch, tmp_path):
    monkeypatch.delenv("CELLMETRY_MODELS")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert models_folder() == tmp_path.joinpath(*expected)


def test_the_users_folder_on_macos(monkeypatch):
    monkeypatch.delenv("CELLMETRY_MODELS")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert models_folder() == Path.home() / "Library" / "Application Support" / "cellmetry" / "models"


def test_threads_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("CELLMETRY_THREADS", "3")
    assert current_settings().threads == 3
    monkeypatch.setenv("CELLMETRY_THREADS", "many")
    with pytest.raises(ParameterError, match="CELLMETRY_THREADS"):
        current_settings()


def test_the_card_in_the_guide_is_one(folder):
    guide = Path(__file__).resolve().parents[2] / "docs" / "guide" / "models.md"
    text = guide.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    text = text.replace("0f3c…", hashlib.sha256(WEIGHTS).hexdigest()).replace("5123456", str(len(WEIGHTS)))
    (folder / "nuclei-20x.toml").write_text(text, "utf-8")
    (folder / "nuclei-20x.onnx").write_bytes(WEIGHTS)
    card_of_guide = find_model("nuclei-20x").card
    assert card_of_guide.scores[0].value == 0.92
    assert card_of_guide.decoding.min_area_px == 12


def test_a_folder_with_one_model_stands_for_it(folder, tmp_path, monkeypatch):
    path = write(tmp_path / "trained", "trained")
    (tmp_path / "trained" / "notes.json").write_text("{}", "utf-8")
    assert find_model(tmp_path / "trained").path == path
    monkeypatch.chdir(tmp_path)
    assert find_model("./trained").card.name == "trained"
    with pytest.raises(ModelError, match=r"For the folder of that name here, write \./trained\."):
        find_model("trained")


def test_a_folder_with_no_or_several_models_is_refused(folder, tmp_path):
    with pytest.raises(ModelError, match="mine holds no model; give the path"):
        find_model(folder)
    write(folder, "one")
    write(folder, "two")
    with pytest.raises(ModelError, match=r"holds 2 models \(one, two\)"):
        find_model(folder)
